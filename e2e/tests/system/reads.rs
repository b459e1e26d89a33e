//! What Flux and scripts read: statuses in the form of kstatus, and the request to look again.
//!
//! 1. `kubectl apply` of a policy and an exception; `kubectl wait --for=condition=Ready` returns for both.
//! 2. `reconcile.fluxcd.io/requestedAt` comes back in `status.lastHandledReconcileAt`, a second time too.
//! 3. Each condition says for which generation it holds, and follows a change of the spec; Reconciling and Stalled aren't there.
//! 4. A selector that nobody can evaluate doesn't get as far as a status: kubectl prints what to write instead.
//! 5. A policy that selects nothing says so, and is Ready all the same.

use std::fs;

use anyhow::{Result, ensure};
use holdfast_e2e::{Kubectl, PATIENCE, Shared, Tenant, deployment, enforce, set};
use holdfast_testkit::eventually;
use serde_json::{Value, json};

const NAME: &str = "reads";

/// What runs kubectl, and where its files are.
struct Reader {
    kubectl: Kubectl,
    tenant: Tenant,
}

#[tokio::test]
async fn flux_and_scripts_can_read_every_status() -> Result<()> {
    let tenant = Shared::tenant(NAME).await?;
    let kubectl = Kubectl::of(&Shared::get().await?.cluster.plane).await?;
    let reader = Reader { kubectl, tenant };
    reader.tenant.apply(deployment(NAME, "web", 2)).await?;
    reader.tenant.apply(deployment(NAME, "exempt", 2)).await?;
    for (kind, object) in [("dpol", enforce(NAME)), ("polex", exception())] {
        reader.apply(&object).await?;
        reader.waits_until_ready(kind).await?;
        for asked in ["2026-05-01T10:00:00Z", "2026-05-01T11:00:00.000000001Z"] {
            reader.apply(&asking(&object, asked)).await?;
            let honoured = move |read: &Value| match read["status"]["lastHandledReconcileAt"] == asked {
                true => Ok(()),
                false => anyhow::bail!("{asked} isn't honoured: {}", read["status"]),
            };
            reader.shows(kind, "the request to be honoured", honoured).await?;
        }
    }
    reader.apply(&set(enforce(NAME), "/spec/priority", json!(7))).await?;
    reader.shows("dpol", "the new generation to be judged", |read| follows(read, 2, "Succeeded")).await?;
    let columns = reader.kubectl.run(["get", "polex", "-n", NAME]).await?;
    let row = columns.split_whitespace().collect::<Vec<_>>().join(" ");
    ensure!(
        row.contains(r#"reads Deployment exempt ["budget-missing"] team-web 2126-01-01T00:00:00Z 1 True"#),
        "{columns}"
    );
    reader.a_selector_that_nobody_can_evaluate_is_refused().await?;
    reader.a_policy_that_selects_nothing_says_so().await
}

impl Reader {
    async fn a_selector_that_nobody_can_evaluate_is_refused(&self) -> Result<()> {
        let broken = json!([{ "key": "the app", "operator": "Exists" }]);
        let answer = self.apply(&set(enforce(NAME), "/spec/workloadSelector/matchExpressions", broken)).await;
        let said = answer.err().map(|error| format!("{error:#}")).unwrap_or_default();
        let advice =
            "spec.workloadSelector.matchExpressions[0]: Invalid value: a label key is a name such as app, or one";
        ensure!(said.contains(advice), "{said:?}");
        self.shows("dpol", "the policy as it was", |read| follows(read, 2, "Succeeded")).await
    }

    async fn a_policy_that_selects_nothing_says_so(&self) -> Result<()> {
        let nowhere =
            set(enforce(NAME), "/spec/workloadSelector/matchLabels", json!({ "app.kubernetes.io/name": "nobody" }));
        self.apply(&nowhere).await?;
        self.shows("dpol", "the status to say that nothing is selected", |read| {
            let message = read["status"]["conditions"][0]["message"].as_str().unwrap_or_default();
            ensure!(message.starts_with("selects nothing: none of the workloads in 1 of "), "{}", read["status"]);
            ensure!(message.ends_with(" namespaces matches workloadSelector and kinds"), "{message}");
            Ok(())
        })
        .await?;
        self.waits_until_ready("dpol").await
    }

    /// As a person does it, from a file.
    async fn apply(&self, object: &Value) -> Result<()> {
        let file = Shared::get().await?.cluster.plane.dir().join("reads.json");
        fs::write(&file, object.to_string())?;
        self.kubectl.run(["apply", "-f", &file.display().to_string()]).await.map(drop)
    }

    async fn waits_until_ready(&self, kind: &str) -> Result<()> {
        let object = format!("{kind}/{NAME}");
        let said = self.kubectl.run(["wait", "--for=condition=Ready", &object, "-n", NAME, "--timeout=30s"]).await?;
        ensure!(said.contains("condition met"), "{said}");
        Ok(())
    }

    /// Waits until the object reads as the probe wants it; kstatus has to be right in every state on the way.
    async fn shows(&self, kind: &str, what: &str, probe: impl Fn(&Value) -> Result<()>) -> Result<()> {
        eventually(what, PATIENCE, async || {
            let read = self.kubectl.run(["get", kind, NAME, "-n", NAME, "-o", "json"]).await?;
            let read: Value = serde_json::from_str(&read)?;
            is_kstatus(&read).map_err(holdfast_testkit::give_up)?;
            probe(&read)
        })
        .await
    }
}

fn exception() -> Value {
    json!({
        "apiVersion": "holdfast.dev/v1alpha1", "kind": "PolicyException",
        "metadata": { "name": NAME, "namespace": NAME },
        "spec": {
            "target": { "kind": "Deployment", "name": "exempt" }, "rules": ["budget-missing"],
            "reason": "drained by hand", "owner": "team-web", "expiresAt": "2126-01-01T00:00:00Z",
        },
    })
}

fn asking(object: &Value, at: &str) -> Value {
    set(object.clone(), "/metadata/annotations/reconcile.fluxcd.io~1requestedAt", json!(at))
}

/// Whether this generation, or a later one, is judged with this reason.
fn follows(read: &Value, generation: i64, reason: &str) -> Result<()> {
    let (now, status) = (&read["metadata"]["generation"], &read["status"]);
    ensure!(
        generation <= now.as_i64().unwrap_or(0) && status["observedGeneration"] == *now,
        "generation {now}: {status}"
    );
    ensure!(status["conditions"][0]["reason"] == reason, "{status}");
    Ok(())
}

/// Each condition has what kstatus needs; none says a later generation than the object has; what isn't true is absent.
fn is_kstatus(read: &Value) -> Result<()> {
    let generation = read["metadata"]["generation"].as_i64().unwrap_or(0);
    for condition in read["status"]["conditions"].as_array().into_iter().flatten() {
        let observed = condition["observedGeneration"].as_i64();
        ensure!(observed.is_some_and(|observed| 0 < observed && observed <= generation), "{condition} of {generation}");
        let told = |field: &str| condition[field].as_str().is_some_and(|text| !text.is_empty());
        ensure!(["reason", "message", "status", "lastTransitionTime"].into_iter().all(told), "{condition}");
        ensure!(condition["type"] == "Ready" || condition["status"] == "True", "{condition}");
    }
    Ok(())
}
