//! Many withdrawals that no policy explains wait for a second look; everything else doesn't.
//!
//! With the usual delay of ten minutes, so that whatever happens within a test didn't wait:
//! 1. Labels are removed by accident from the namespaces of 30 of 40 budgets: none is withdrawn, condition and metric say so.
//! 2. Meanwhile somebody's budget takes a workload there: ours goes at once.
//! 3. The labels are back: the brake lets go, and nothing was withdrawn.
//! 4. A few Deployments are deleted, the policy is deleted, its mode is changed: their budgets go at once.
//!
//! With a delay of three seconds:
//! 5. 25 Deployments are scaled to zero, as somebody means it: the last budgets wait for the second look, and then go.
//! 6. The labels are removed for good: after three seconds everything is listed again, and then the budgets go.
//!
//! The controller is started again before each part, because a policy that changed a minute ago explains everything.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use holdfast_api::{ConditionType, DisruptionPolicy};
use holdfast_controller::access::Source;
use holdfast_e2e::{
    Cluster, PATIENCE, ServiceAccount, Tenant, await_count, deployment, enforce, has_condition, lacks_condition, set,
};
use holdfast_testkit::audit::Mark;
use holdfast_testkit::{AuditEvent, ControlPlane, ControllerProcess, Manifests, eventually};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PropagationPolicy};
use kube::{Api, ResourceExt as _};
use serde_json::{Value, json};

/// The namespaces with their Deployments. The first alone is enough for the brake, whatever the order of events.
const HOMES: [(&str, usize); 3] = [("brake-a", 25), ("brake-b", 5), ("brake-c", 10)];
const DELAY: SignedDuration = SignedDuration::from_secs(3);

#[tokio::test]
async fn a_mass_withdrawal_waits_for_a_second_look() -> Result<()> {
    // Without nodes and pods: what is decided here follows from Deployments alone.
    let cluster = Cluster::on(ControlPlane::builder().start().await?).await?;
    cluster.install(&json!({})).await?;
    let story = Story { tenant: Tenant { client: cluster.admin(), name: "brake".to_owned() }, cluster };
    story.settle().await?;

    let controller = story.controller("10m").await?;
    story.an_accident_changes_nothing(&controller).await?;
    story.a_few_deployments_do_not_wait().await?;
    story.a_policy_does_not_wait().await?;
    controller.terminate(PATIENCE).await?;

    let controller = story.controller("3s").await?;
    story.a_real_scale_down_does_not_wait_in_vain(&controller).await?;
    story.the_second_look_decides(&controller).await?;
    controller.terminate(PATIENCE).await?;
    Ok(())
}

struct Story {
    cluster: Cluster,
    /// For the policy; its namespace isn't there.
    tenant: Tenant,
}

impl Story {
    /// Forty budgets, all of them known to the policy's status.
    async fn settle(&self) -> Result<()> {
        let controller = self.controller("10m").await?;
        self.apply(enforce("brake")).await?;
        for (home, count) in HOMES {
            let labels = json!({ "e2e": "brake" });
            self.apply(json!({
                "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": home, "labels": labels },
            }))
            .await?;
            for index in 0..count {
                // Paused, so that no pods come that nobody needs.
                let app = set(deployment(home, &format!("app-{index}"), 2), "/spec/paused", json!(true));
                self.apply(app).await?;
            }
        }
        self.managed(40).await?;
        controller.terminate(PATIENCE).await?;
        Ok(())
    }

    async fn an_accident_changes_nothing(&self, controller: &ControllerProcess) -> Result<()> {
        let mark = self.mark()?;
        self.label("brake-a", Value::Null).await?;
        self.label("brake-b", Value::Null).await?;
        self.tenant
            .told(|status| {
                let engaged = has_condition(status, ConditionType::BrakeEngaged, ("True", "MassWithdrawal"))?;
                ensure!(engaged.message.starts_with("30 withdrawals wait"), "{engaged:?}");
                Ok(())
            })
            .await?;
        engaged(controller, 1.0).await?;

        self.apply(foreign("brake-a", "app-7")).await?;
        await_count(&self.tenant.client, "brake-a/", 24).await?;
        let withdrawn = self.withdrawals(mark)?;
        ensure!(withdrawn.len() == 1 && withdrawn[0].name == "app-7-deployment", "{withdrawn:#?}");

        self.label("brake-a", json!("brake")).await?;
        self.label("brake-b", json!("brake")).await?;
        self.tenant.told(|status| lacks_condition(status, ConditionType::BrakeEngaged)).await?;
        engaged(controller, 0.0).await?;
        Manifests::parse(&foreign("brake-a", "app-7").to_string())?.delete(&self.tenant.client).await?;
        self.managed(40).await?;
        let withdrawn = self.withdrawals(mark)?;
        ensure!(withdrawn.len() == 1, "an accident that was mended withdrew something: {withdrawn:#?}");
        Ok(())
    }

    async fn a_few_deployments_do_not_wait(&self) -> Result<()> {
        for index in 0..5 {
            let app = deployment("brake-c", &format!("app-{index}"), 2);
            Manifests::parse(&app.to_string())?.delete(&self.tenant.client).await?;
        }
        self.managed(35).await
    }

    /// Deleted so that garbage collection does nothing, and changed to Report.
    async fn a_policy_does_not_wait(&self) -> Result<()> {
        let policies: Api<DisruptionPolicy> = Api::all(self.tenant.client.clone());
        let orphan = DeleteParams { propagation_policy: Some(PropagationPolicy::Orphan), ..DeleteParams::default() };
        policies.delete("brake", &orphan).await?;
        await_count(&self.tenant.client, "brake-", 0).await?;
        eventually("the end of the policy", PATIENCE, async || {
            ensure!(policies.get_opt("brake").await?.is_none());
            Ok(())
        })
        .await?;
        self.apply(enforce("brake")).await?;
        self.managed(35).await?;
        self.apply(set(enforce("brake"), "/spec/mode", json!("Report"))).await?;
        await_count(&self.tenant.client, "brake-", 0).await?;
        self.apply(enforce("brake")).await?;
        self.managed(35).await
    }

    /// Those that come before the twentieth can't be told from ordinary work; the others are.
    async fn a_real_scale_down_does_not_wait_in_vain(&self, controller: &ControllerProcess) -> Result<()> {
        let mark = self.mark()?;
        self.scale("brake-a", 0).await?;
        engaged(controller, 1.0).await?;
        await_count(&self.tenant.client, "brake-a/", 0).await?;
        engaged(controller, 0.0).await?;
        self.managed(10).await?;
        let withdrawn = self.withdrawals(mark)?;
        ensure!(withdrawn.len() == 25, "{withdrawn:#?}");
        let scaled = self.first(mark, "deployments.apps")?;
        let late = withdrawn.iter().filter(|event| DELAY <= event.at.duration_since(scaled)).count();
        ensure!(6 <= late, "scaled at {scaled}, only {late} withdrawals waited: {withdrawn:#?}");
        self.scale("brake-a", 2).await?;
        self.managed(35).await
    }

    async fn the_second_look_decides(&self, controller: &ControllerProcess) -> Result<()> {
        let mark = self.mark()?;
        self.label("brake-a", Value::Null).await?;
        engaged(controller, 1.0).await?;
        ensure!(self.withdrawals(mark)?.is_empty(), "something went before the second look");
        await_count(&self.tenant.client, "brake-a/", 0).await?;
        engaged(controller, 0.0).await?;
        self.managed(10).await?;

        let labelled = self.first(mark, "namespaces")?;
        let withdrawn = self.withdrawals(mark)?;
        let first = withdrawn.iter().map(|event| event.at).min().context("nothing was withdrawn")?;
        ensure!(withdrawn.len() == 25, "{withdrawn:#?}");
        ensure!(DELAY <= first.duration_since(labelled), "labels removed at {labelled}, first withdrawal at {first}");
        let relisted = self.relisted(mark, (labelled + DELAY, first))?;
        let needed = Source::all().filter(|source| !source.is_optional());
        for source in needed {
            ensure!(relisted.contains(&source.as_str().to_lowercase()), "{source:?} wasn't listed again: {relisted:?}");
        }
        Ok(())
    }

    async fn controller(&self, delay: &str) -> Result<ControllerProcess> {
        let controller = self.cluster.controller_builder().await?.argument(format!("--brake-delay={delay}")).start()?;
        controller.ready(PATIENCE).await?;
        controller.leads(PATIENCE).await?;
        Ok(controller)
    }

    async fn apply(&self, object: Value) -> Result<()> {
        Manifests::parse(&object.to_string())?.apply(&self.tenant.client, "e2e").await?;
        Ok(())
    }

    /// Waits for so many budgets, and for a status that counts them.
    async fn managed(&self, expected: u32) -> Result<()> {
        await_count(&self.tenant.client, "brake-", usize::try_from(expected)?).await?;
        let counted = |status: &holdfast_api::DisruptionPolicyStatus| {
            ensure!(status.managed == expected, "{} managed", status.managed);
            Ok(())
        };
        self.tenant.told(counted).await
    }

    /// Sets the label that the policy selects by, or removes it.
    async fn label(&self, namespace: &str, value: Value) -> Result<()> {
        let namespaces: Api<Namespace> = Api::all(self.tenant.client.clone());
        let patch = Patch::Merge(json!({ "metadata": { "labels": { "e2e": value } } }));
        namespaces.patch(namespace, &PatchParams::default(), &patch).await?;
        Ok(())
    }

    /// Scales all Deployments there, as a person does who means it.
    async fn scale(&self, namespace: &str, replicas: u32) -> Result<()> {
        let apps: Api<Deployment> = Api::namespaced(self.tenant.client.clone(), namespace);
        let patch = Patch::Merge(json!({ "spec": { "replicas": replicas } }));
        for app in apps.list(&ListParams::default()).await? {
            apps.patch(&app.name_any(), &PatchParams::default(), &patch).await?;
        }
        Ok(())
    }

    fn mark(&self) -> Result<Mark> {
        self.cluster.plane.audit().mark()
    }

    fn withdrawals(&self, mark: Mark) -> Result<Vec<AuditEvent>> {
        let written = self.cluster.plane.audit().writes_by(ServiceAccount::USER, mark)?.into_iter();
        let ours = written.filter(|event| event.is_about("poddisruptionbudgets.policy") && event.verb == "delete");
        Ok(ours.filter(AuditEvent::succeeded).collect())
    }

    /// When the first object of this kind was patched: a label removed, a Deployment scaled.
    fn first(&self, mark: Mark, resource: &str) -> Result<Timestamp> {
        let events = self.cluster.plane.audit().since(mark)?;
        let mut patched = events.iter().filter(|event| event.is_about(resource) && event.verb == "patch");
        Ok(patched.next().with_context(|| format!("no patch of {resource}"))?.at)
    }

    /// The kinds of which a whole list was asked for in this time, without what makes their names plurals.
    fn relisted(&self, mark: Mark, (from, to): (Timestamp, Timestamp)) -> Result<Vec<String>> {
        let events = self.cluster.plane.audit().since(mark)?.into_iter();
        let lists =
            events.filter(|event| event.user == ServiceAccount::USER && event.uri.contains("sendInitialEvents"));
        let in_time = lists.filter(|event| from <= event.at && event.at <= to);
        Ok(in_time.map(|event| singular(&event.resource)).collect())
    }
}

fn singular(resource: &str) -> String {
    match (resource.strip_suffix("ies"), resource.strip_suffix("sses")) {
        (Some(stem), _) => format!("{stem}y"),
        (None, Some(stem)) => format!("{stem}ss"),
        (None, None) => resource.trim_end_matches('s').to_owned(),
    }
}

fn foreign(namespace: &str, app: &str) -> Value {
    json!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": { "namespace": namespace, "name": format!("theirs-{app}") },
        "spec": { "maxUnavailable": 1, "selector": { "matchLabels": { "app": app } } },
    })
}

/// Waits until the metric says so.
async fn engaged(controller: &ControllerProcess, expected: f64) -> Result<()> {
    eventually("the brake's metric", Duration::from_secs(30), async || {
        let found = controller.metrics().await?.sum("holdfast_brake_engaged", &[("concern", "budgets")]);
        ensure!(found == Some(expected), "{found:?}");
        Ok(())
    })
    .await
}
