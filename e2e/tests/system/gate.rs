//! The gate that upgrades wait at: `DrainReadiness/cluster` on a real cluster.
//!
//! 1. The controller makes it. With nothing in the way it opens after ten seconds; `kubectl get drain` says so in a line, and the CEL
//!    of our sample for tuppr, evaluated by the API server's own CEL, lets an upgrade begin.
//! 2. Two rolling updates of a healthy workload behind a budget of its own: it never closes.
//! 3. A budget over a single pod: it closes at once, names the pod, the budget and the remedy, and tuppr would wait.
//! 4. What is accepted in the spec is shown and not waited for: it opens again.
//! 5. Nothing changes: nothing is written.
//! 6. What can't mean anything is refused in words that say what to write instead.
//! 7. Pods of a workload that stay unready close it after half a minute, not before; when they are well it opens.
//! 8. The controller is ended and another started: it stays open meanwhile, and nothing is written.
//!
//! Behind a proxy that keeps one controller from watching pods, while it may still write:
//! 9. After ten seconds the gate closes and says `ViewStale`, and the controller isn't ready.
//! 10. It sees pods again: the gate opens, not before ten seconds of calm.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use futures::StreamExt as _;
use holdfast_api::{DrainReadiness, DrainReadinessStatus};
use holdfast_e2e::churn::say;
use holdfast_e2e::{BehindProxy, Cluster, Kubectl, ServiceAccount, checkout, deployment, namespace, set};
use holdfast_testkit::audit::Mark;
use holdfast_testkit::fault_proxy::{Fault, Rule, Which};
use holdfast_testkit::{AuditEvent, ControllerProcess, Manifests, eventually};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::ServiceAccount as Account;
use kube::Client;
use kube::api::{Api, ListParams, Patch, PatchParams, WatchEvent, WatchParams};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::task::JoinSet;

const PATIENCE: Duration = Duration::from_secs(180);
const RESOURCE: &str = "drainreadinesses.holdfast.dev";
/// The aim is one second; a debug build gets the rest.
const AT_ONCE: SignedDuration = SignedDuration::from_secs(3);
const TRANSIENT: SignedDuration = SignedDuration::from_secs(29);
/// So long nothing must be written.
const QUIET: Duration = Duration::from_secs(6);

/// What the gate said, and when it was seen.
type Said = Arc<Mutex<Vec<(Timestamp, DrainReadinessStatus)>>>;

struct Story {
    cluster: Cluster,
    client: Client,
    kubectl: Kubectl,
    said: Said,
    _watching: JoinSet<()>,
}

#[tokio::test]
async fn an_upgrade_may_begin_when_every_node_can_be_drained() -> Result<()> {
    let cluster = Cluster::start().await?;
    let client = cluster.admin();
    let kubectl = Kubectl::of(&cluster.plane).await?;
    let controller = cluster.controller().await?;
    let (said, watching) = listen(&client).await?;
    let story = Story { cluster, client, kubectl, said, _watching: watching };
    story.apply(namespace("shop")).await?;
    let accounts: Api<Account> = Api::namespaced(story.client.clone(), "shop");
    eventually("the default ServiceAccount", PATIENCE, async || Ok(accounts.get("default").await?)).await?;

    story.apply(deployment("shop", "web", 3)).await?;
    story.apply(budget("web", json!({ "maxUnavailable": 1 }))).await?;
    story.available("web").await?;
    story.opens().await?;
    let line = story.kubectl.run(["get", "drain"]).await?;
    ensure!(line.contains("true") && line.contains("all 3 nodes can be drained"), "kubectl get says\n{line}");

    story.install_tuppr_check().await?;
    story.tuppr_would_begin(true).await?;

    let from = story.said.lock().len();
    for round in 1..=2 {
        story.roll_out("web", round).await?;
    }
    let closed: Vec<_> = story.said.lock()[from..].iter().filter(|(_, status)| !status.drainable).cloned().collect();
    ensure!(closed.is_empty(), "a rollout of a healthy workload closed it: {closed:#?}");

    story.apply(deployment("shop", "db", 1)).await?;
    story.available("db").await?;
    story.a_budget_that_blocks_closes_it(&controller).await?;
    story.tuppr_would_begin(false).await?;
    story.what_is_accepted_is_not_waited_for().await?;
    story.nothing_is_written_while_nothing_changes().await?;
    story.nonsense_is_refused().await?;
    story.what_may_pass_closes_it_after_a_while().await?;

    controller.terminate(PATIENCE).await?;
    let mark = story.cluster.plane.audit().mark()?;
    let controller = story.cluster.controller().await?;
    controller.leads(PATIENCE).await?;
    story.quiet(mark, "after a new start").await?;
    ensure!(story.status().await?.drainable, "a new start closed it");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_view_that_stays_out_of_step_closes_it() -> Result<()> {
    let behind = BehindProxy::start("gate").await?;
    let client = behind.cluster.admin();
    let node = json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": "only" } });
    Manifests::parse(&node.to_string())?.apply(&client, "e2e").await?;
    let api: Api<DrainReadiness> = Api::all(client);
    let status = async || api.get("cluster").await?.status.context("no status yet");
    let says = async |what: &str, drainable: bool, reason: &str| {
        eventually(what, PATIENCE, async || {
            let status = status().await?;
            let condition = status.conditions.iter().find(|condition| condition.type_ == "Drainable");
            let told = condition.is_some_and(|condition| condition.reason == reason);
            ensure!(status.drainable == drainable && told, "{status:?}");
            Ok(())
        })
        .await
    };
    says("the gate to open", true, "NothingBlocks").await?;

    let pods = Which::any().of("pods");
    let (fault, cut) = (behind.proxy.inject(Rule::new(pods.clone(), Fault::Cut)), Timestamp::now());
    ensure!(behind.proxy.cut(&pods) == 1, "there was no watch of pods");
    says("the gate to close", false, "ViewStale").await?;
    let took = Timestamp::now().duration_since(cut);
    ensure!(
        SignedDuration::from_secs(9) <= took,
        "a connection that might be made again at once closed it after {took:#}"
    );
    behind.reaches("holdfast_view_stale", &[], 1.0).await?;
    ensure!(behind.metric("holdfast_drainable", &[]).await? == 0.0, "the metric still says that it is open");
    let (code, text) = behind.controller.readyz().await?;
    ensure!(code == 503, "ready without seeing pods: {text}");

    fault.lift();
    let lifted = Timestamp::now();
    says("the gate to open again", true, "NothingBlocks").await?;
    let took = Timestamp::now().duration_since(lifted);
    ensure!(SignedDuration::from_secs(10) <= took, "without calm it opened after {took:#}");
    say(&format!("gate: open again {took:#} after it saw pods"));
    Ok(())
}

/// Collects whatever the gate says from now on.
async fn listen(client: &Client) -> Result<(Said, JoinSet<()>)> {
    let said = Said::default();
    let api: Api<DrainReadiness> = Api::all(client.clone());
    let listed =
        eventually("DrainReadinesses to be served", PATIENCE, async || Ok(api.list(&ListParams::default()).await?))
            .await?;
    let version = listed.metadata.resource_version.context("no version")?;
    let mut events = api.watch(&WatchParams::default().timeout(290), &version).await?.boxed();
    let heard = Arc::clone(&said);
    let mut watching = JoinSet::new();
    watching.spawn(async move {
        while let Some(Ok(event)) = events.next().await {
            if let WatchEvent::Added(gate) | WatchEvent::Modified(gate) = event
                && let Some(status) = gate.status
            {
                heard.lock().push((Timestamp::now(), status));
            }
        }
    });
    Ok((said, watching))
}

impl Story {
    async fn apply(&self, object: Value) -> Result<()> {
        Manifests::parse(&object.to_string())?.apply(&self.client, "e2e").await.map(drop)
    }

    async fn status(&self) -> Result<DrainReadinessStatus> {
        let api: Api<DrainReadiness> = Api::all(self.client.clone());
        api.get("cluster").await?.status.context("no status yet")
    }

    async fn available(&self, name: &str) -> Result<()> {
        let api: Api<Deployment> = Api::namespaced(self.client.clone(), "shop");
        eventually(&format!("{name} to be rolled out"), PATIENCE, async || {
            let found = api.get(name).await?;
            let (spec, status) = (found.spec.context("no spec")?, found.status.context("no status")?);
            let counts = [status.updated_replicas, status.ready_replicas, status.replicas];
            ensure!(counts.iter().all(|count| *count == spec.replicas), "{counts:?} of {:?}", spec.replicas);
            ensure!(status.observed_generation == found.metadata.generation, "not seen yet");
            Ok(())
        })
        .await
    }

    async fn opens(&self) -> Result<()> {
        eventually("the gate to open", PATIENCE, async || {
            let status = self.status().await?;
            ensure!(status.drainable, "{:?} {:?}", status.conditions, status.blockers);
            Ok(())
        })
        .await
    }

    /// A policy that refuses a change of a DrainReadiness when the sample's expression holds for it: so the API server tells what
    /// the expression comes to, by the CEL that tuppr has too.
    async fn install_tuppr_check(&self) -> Result<()> {
        let sample = Manifests::read(&checkout().join("config/upgrades/tuppr.yaml"))?;
        let check = sample.objects()[0].data.pointer("/spec/healthChecks/0").context("no health check")?.clone();
        ensure!(check["kind"] == "DrainReadiness" && check["name"] == "cluster", "{check}");
        let expression = check["expr"].as_str().context("no expression")?.replace("status.", "variables.status.");
        let name = json!({ "name": "as-tuppr" });
        let rule = json!({
            "apiGroups": ["holdfast.dev"], "apiVersions": ["v1alpha1"], "resources": ["drainreadinesses"], "operations": ["UPDATE"],
        });
        self.apply(json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy", "metadata": name,
            "spec": {
                "matchConstraints": { "resourceRules": [rule] },
                "matchConditions": [{ "name": "asked", "expression": "has(object.metadata.annotations) && 'asked' in object.metadata.annotations" }],
                "variables": [{ "name": "status", "expression": "object.status" }],
                "validations": [{ "expression": format!("!({expression})"), "message": "tuppr would begin" }],
            },
        }))
        .await?;
        let spec = json!({ "policyName": "as-tuppr", "validationActions": ["Deny"] });
        self.apply(json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding", "metadata": name, "spec": spec,
        }))
        .await
    }

    /// Once the policy is in force, which takes the API server a moment.
    async fn tuppr_would_begin(&self, expected: bool) -> Result<()> {
        let api: Api<DrainReadiness> = Api::all(self.client.clone());
        let asked = json!({ "metadata": { "annotations": { "asked": "yes" } } });
        let params = PatchParams { dry_run: true, ..PatchParams::default() };
        eventually("tuppr's check to say what it should", PATIENCE, async || {
            let begins = match api.patch("cluster", &params, &Patch::Merge(&asked)).await {
                Ok(_) => false,
                Err(error) if error.to_string().contains("tuppr would begin") => true,
                Err(error) => return Err(error.into()),
            };
            ensure!(begins == expected, "it says {begins}");
            Ok(())
        })
        .await
    }

    async fn roll_out(&self, name: &str, round: u32) -> Result<()> {
        let api: Api<Deployment> = Api::namespaced(self.client.clone(), "shop");
        let template = json!({ "metadata": { "annotations": { "round": round.to_string() } } });
        let patch = json!({ "spec": { "template": template } });
        api.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await?;
        self.available(name).await
    }

    async fn a_budget_that_blocks_closes_it(&self, controller: &ControllerProcess) -> Result<()> {
        let (mark, watch) = (self.cluster.plane.audit().mark()?, self.cluster.plane.stopwatch([controller.id()]));
        self.apply(budget("db", json!({ "minAvailable": 1 }))).await?;
        let status = eventually("the gate to close", PATIENCE, async || {
            let status = self.status().await?;
            ensure!(!status.drainable, "it is open");
            Ok(status)
        })
        .await?;
        let blocker = status.blockers.first().context("nobody stands in the way")?;
        ensure!(blocker.budgets == ["db"] && blocker.lasting == "Structural", "{blocker:?}");
        ensure!(blocker.workload.as_deref() == Some("Deployment db"), "{blocker:?}");
        ensure!(blocker.message.contains("run two replicas or more"), "{blocker:?}");
        ensure!((status.nodes_total, status.blocked) == (3, 1), "{status:?}");
        let events = self.cluster.plane.audit().since(mark)?;
        let caused = events.iter().find(|event| event.is_about("poddisruptionbudgets.policy") && event.is_write());
        let closed = events.iter().find(|event| event.is_about(RESOURCE) && event.is_write());
        let took = closed.context("no write")?.done.duration_since(caused.context("no budget")?.done);
        say(&format!("gate: closed {took:#} after the budget was there"));
        ensure!(took < watch.allows(AT_ONCE)?, "it took {took:#}");
        Ok(())
    }

    async fn what_is_accepted_is_not_waited_for(&self) -> Result<()> {
        let accept = json!([{ "namespace": "shop", "name": "db", "reason": "it may go down at night" }]);
        self.apply(gate("cluster", json!({ "accept": accept }))).await?;
        self.opens().await?;
        let status = self.status().await?;
        ensure!(status.observed_generation == Some(2), "{:?}", status.observed_generation);
        let blocker = status.blockers.first().context("it isn't shown any more")?;
        ensure!(blocker.accepted.as_deref() == Some("it may go down at night"), "{blocker:?}");
        Ok(())
    }

    async fn nothing_is_written_while_nothing_changes(&self) -> Result<()> {
        self.quiet(self.cluster.plane.audit().mark()?, "while nothing happened").await
    }

    async fn quiet(&self, mark: Mark, when: &str) -> Result<()> {
        // Not to wait for anything: this is how long it is watched.
        tokio::time::sleep(QUIET).await;
        let events = self.cluster.plane.audit().since(mark)?;
        let ours = |event: &&AuditEvent| event.user == ServiceAccount::USER && event.is_write();
        let written = events.iter().filter(ours).find(|event| event.is_about(RESOURCE));
        ensure!(written.is_none(), "{when}: {written:?}");
        Ok(())
    }

    async fn nonsense_is_refused(&self) -> Result<()> {
        let both = json!([{ "namespace": "shop", "name": "db", "selector": {}, "reason": "both" }]);
        for (object, words) in [
            (gate("another", json!({})), "there is only one DrainReadiness: name it cluster"),
            (gate("cluster", json!({ "accept": both })), "give either name or selector, not both"),
            (gate("cluster", json!({ "drainer": "Never" })), "Unsupported value: \"Never\""),
            (gate("cluster", json!({ "waitPerNode": "soon" })), "waitPerNode is a time in hours, minutes and seconds"),
            (gate("cluster", json!({ "waitPerNode": "" })), "write for example 5m"),
        ] {
            let refused = self.apply(object).await.err().context("it was taken")?;
            let said = format!("{refused:#}");
            ensure!(said.contains(words), "it says {said}");
        }
        Ok(())
    }

    async fn what_may_pass_closes_it_after_a_while(&self) -> Result<()> {
        // A workload of its own, of which no pod gets ready, so that nothing of it is rolled out.
        let sick = set(deployment("shop", "sick", 2), "/spec/template/metadata/labels/unready", json!("true"));
        self.apply(sick).await?;
        let began = Timestamp::now();
        self.apply(budget("sick", json!({ "maxUnavailable": 1 }))).await?;
        let closed = eventually("the gate to close", PATIENCE, async || {
            let status = self.status().await?;
            ensure!(!status.drainable, "it is open");
            Ok(Timestamp::now())
        })
        .await?;
        let took = closed.duration_since(began);
        say(&format!("gate: closed {took:#} after pods were unready"));
        ensure!(TRANSIENT < took, "it closed after {took:#} though it might have passed");
        let status = self.status().await?;
        let waited_for = status.blockers.iter().find(|blocker| blocker.accepted.is_none()).context("nobody")?;
        ensure!(waited_for.lasting == "Transient" && waited_for.budgets == ["sick"], "{waited_for:?}");
        let api: Api<Deployment> = Api::namespaced(self.client.clone(), "shop");
        api.delete("sick", &Default::default()).await?;
        self.opens().await
    }
}

fn budget(name: &str, limit: Value) -> Value {
    let mut spec = limit;
    spec["selector"] = json!({ "matchLabels": { "app": name } });
    json!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": { "namespace": "shop", "name": name }, "spec": spec,
    })
}

fn gate(name: &str, spec: Value) -> Value {
    json!({ "apiVersion": "holdfast.dev/v1alpha1", "kind": "DrainReadiness", "metadata": { "name": name }, "spec": spec })
}
