//! What holds a drain up and isn't simply a budget that refuses: it is told beforehand, while it lasts, and how it ends.
//!
//! 1. Five operators, each with a budget that refuses to let its pod go from a node. `holdfast drain` and the DrainReadiness say that
//!    they give way; where one of them doesn't run, that its pod blocks.
//! 2. The node is drained by kubectl. While they hold back `status.upgrade` says whom it waits for, and the drain doesn't count as
//!    stuck. They give way, each in its own manner ([`operators`]): the drain ends well, and nothing is under way any more.
//! 3. Replacements that aren't ready before a long probe: the DrainReadiness says that the drainer's time isn't enough
//!    (`OutOfTime`) until its `waitPerNode` is longer; so does `holdfast drain`.
//! 4. Two budgets over one pod, of which the disruption controller keeps one up to date; that one is deleted. The other refuses on
//!    the strength of a status that nobody brings up to date: it is told that it is stale, and how it is counted anew. Nobody but
//!    the person does that; then the node can be drained.

mod operators;

use std::process::Output;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use futures::future::try_join_all;
use holdfast_api::{BlockerStatus, DrainReadiness, DrainReadinessStatus};
use holdfast_e2e::churn::say;
use holdfast_e2e::{Cluster, Kubectl, ServiceAccount, Tenant, everything_is_counted, set};
use holdfast_testkit::controller::holdfast_binary;
use holdfast_testkit::{ControllerProcess, Manifests, eventually};
use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams};
use kube::{Client, ResourceExt as _};
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::sync::watch;

use operators::Operator;

const PATIENCE: Duration = Duration::from_secs(60);
/// So long nothing that waits for an operator may count as stuck; a budget that refuses for now does after eight seconds.
const HELD: Duration = Duration::from_secs(9);

struct Story {
    cluster: Cluster,
    client: Client,
    kubectl: Kubectl,
    controller: ControllerProcess,
}

#[tokio::test]
async fn what_holds_a_drain_up_is_told_and_how_it_ends() -> Result<()> {
    let cluster = Cluster::start().await?;
    let (client, kubectl) = (cluster.admin(), Kubectl::of(&cluster.plane).await?);
    let controller = cluster.controller().await?;
    let story = Story { cluster, client, kubectl, controller };
    story.operators_give_way().await?;
    story.time_is_not_enough().await?;
    story.a_status_is_stale().await?;
    ensure!(story.controller.ended()?.is_none(), "the controller ended");
    Ok(())
}

impl Story {
    async fn operators_give_way(&self) -> Result<()> {
        operators::define(&self.client).await?;
        let tenants = try_join_all(Operator::ALL.map(|operator| operator.set_up(&self.client))).await?;
        everything_is_counted(&self.client, "node-2").await?;
        let named = Operator::ALL.map(|operator| (operator.namespace(), operator.name()));
        let report = self.forecast("node-0", &[]).await?;
        for (namespace, name) in named {
            let felt = in_namespace(&report["interruptions"], namespace, "OperatorGivesWay").context(name)?;
            ensure!(felt["message"].as_str().is_some_and(|message| message.contains(name)), "{felt}");
        }
        ensure!(report["verdict"] == "Interrupts", "{report}");
        self.status_with("the node to be only interrupted", |status| {
            let told = status.nodes.iter().find(|node| node.name == "node-0").context("node-0 isn't shown")?;
            let why = told.message.as_deref().unwrap_or_default();
            ensure!(told.verdict == "Interrupts" && why.contains("OperatorGivesWay"), "{told:?}");
            ensure!(status.blockers.is_empty(), "{:?}", status.blockers);
            Ok(())
        })
        .await?;
        for (operator, tenant) in Operator::ALL.iter().zip(&tenants) {
            operator.is_ready(tenant, false).await?;
        }
        eventually("those without their operators to block", PATIENCE, async || {
            let report = self.forecast("node-0", &[]).await?;
            for (namespace, name) in named {
                in_namespace(&report["blockers"], namespace, "NoneLeft").context(name)?;
            }
            Ok(())
        })
        .await?;
        for (operator, tenant) in Operator::ALL.iter().zip(&tenants) {
            operator.is_ready(tenant, true).await?;
        }
        self.drained_with(&tenants).await?;
        self.uncordon("node-0").await
    }

    /// The drain, and what is told meanwhile.
    async fn drained_with(&self, tenants: &[Tenant]) -> Result<()> {
        let (go, may) = watch::channel(false);
        let arguments = ["drain", "node-0", "--ignore-daemonsets", "--force", "--timeout=120s"];
        let began = Instant::now();
        let drained = async { self.kubectl.run(arguments).await.context("kubectl drain") };
        let acting = Operator::ALL.iter().zip(tenants).map(|(operator, tenant)| operator.acts(tenant, may.clone()));
        let told = async {
            self.status_with("what the drain waits for", |status| {
                let upgrade = status.upgrade.as_ref().context("nothing is under way")?;
                ensure!((upgrade.kind.as_str(), upgrade.name.as_str()) == ("Node", "node-0"), "{upgrade:?}");
                for operator in Operator::ALL {
                    let says = |line: &String| line.contains(operator.name()) && line.contains("to move pod");
                    ensure!(upgrade.waits_for.iter().any(says), "{}: {:?}", operator.name(), upgrade.waits_for);
                }
                Ok(())
            })
            .await?;
            // Not to wait for anything: this is how long it is watched.
            tokio::time::sleep(HELD).await;
            let stuck = self.controller.metrics().await?.sum("holdfast_drain_stuck", &[]);
            ensure!(stuck == Some(0.0), "it counts as stuck: {stuck:?}");
            go.send(true).context("nobody acts any more")
        };
        let (_, _, ()) = tokio::try_join!(drained, try_join_all(acting), told)?;
        say(&format!("held up: drained after {:.0?}, of which {HELD:?} the operators held back", began.elapsed()));
        self.status_with("nothing to be under way", |status| {
            ensure!(status.upgrade.is_none(), "{:?}", status.upgrade);
            Ok(())
        })
        .await
    }

    async fn time_is_not_enough(&self) -> Result<()> {
        let tenant = Tenant::move_in(self.client.clone(), "patience").await?;
        self.cordon(&["node-0", "node-2"]).await?;
        // Ready at once, as KWOK knows of no probe; a replacement is taken to be ready as soon as the probe lets it.
        let probe = json!({ "httpGet": { "path": "/", "port": 80 }, "initialDelaySeconds": 200 });
        let slow = set(web(3), "/spec/template/spec/containers/0/readinessProbe", probe);
        tenant.apply(slow).await?;
        ready_pods(&tenant, 3).await?;
        tenant.apply(budget("web")).await?;
        for node in ["node-0", "node-2"] {
            self.uncordon(node).await?;
        }
        let said = "its turn comes after 6m40s at the earliest, and the drainer waits 5m";
        self.blocker("patience", |blocker| {
            ensure!((blocker.reason.as_str(), blocker.lasting.as_str()) == ("OutOfTime", "Structural"), "{blocker:?}");
            ensure!(blocker.node == "node-1" && blocker.message.contains(said), "{blocker:?}");
            Ok(())
        })
        .await?;
        let report = self.forecast("node-1", &[]).await?;
        in_namespace(&report["blockers"], "patience", "OutOfTime")?;
        let report = self.forecast("node-1", &["--wait-per-node=7m"]).await?;
        ensure!(in_namespace(&report["blockers"], "patience", "OutOfTime").is_err(), "{report}");
        let longer = json!({
            "apiVersion": "holdfast.dev/v1alpha1", "kind": "DrainReadiness", "metadata": { "name": "cluster" },
            "spec": { "waitPerNode": "7m" },
        });
        Manifests::parse(&longer.to_string())?.apply(&self.client, "e2e").await?;
        self.nobody_blocks("patience").await
    }

    async fn a_status_is_stale(&self) -> Result<()> {
        let tenant = Tenant::move_in(self.client.clone(), "stale").await?;
        let stale = left_stale(&tenant).await?;
        let name = stale.name_any();
        let pod = ready_pods(&tenant, 1).await?.pop().context("no pod")?;
        let node = pod.spec.as_ref().and_then(|spec| spec.node_name.clone()).context("on no node")?;
        let refused = tenant.evict_one_of(&stale).await?;
        ensure!(refused.code == 429, "{refused:?}");
        let before = tenant.budget(&name).await?.metadata.resource_version;

        let report = self.forecast(&node, &["--evictions"]).await?;
        let blocker = in_namespace(&report["blockers"], "stale", "StatusStale")?;
        ensure!(blocker["lasting"] == "Transient" && blocker["budgets"] == json!([name]), "{blocker}");
        let message = blocker["message"].as_str().unwrap_or_default();
        ensure!(message == "its status was left stale: it counts 0 of 1 ready pod", "{message}");
        ensure!(
            blocker["remedy"].as_str().is_some_and(|remedy| remedy.starts_with("annotate the budget")),
            "{blocker}"
        );
        self.blocker("stale", |blocker| {
            ensure!(blocker.reason == "StatusStale" && blocker.message.contains("annotate the budget"), "{blocker:?}");
            Ok(())
        })
        .await?;
        let after = tenant.budget(&name).await?.metadata.resource_version;
        ensure!(before == after, "somebody touched it");
        let events = self.cluster.plane.audit().events()?;
        let ours = |it: &&holdfast_testkit::AuditEvent| it.user == ServiceAccount::USER && it.is_write();
        let wrong = events.iter().filter(ours).find(|event| event.is_about("poddisruptionbudgets.policy"));
        ensure!(wrong.is_none(), "the controller wrote to a budget: {wrong:?}");

        let patch = blocker["patch"].as_str().context("no patch")?;
        self.kubectl.run(["patch", "-n", "stale", "pdb", &name, "--type=merge", "-p", patch]).await?;
        eventually("the budget to be counted anew", PATIENCE, async || {
            let answer = tenant.evict_one_of(&stale).await?;
            ensure!(answer.is_success(), "{answer:?}");
            Ok(())
        })
        .await?;
        self.nobody_blocks("stale").await?;
        let report = self.forecast(&node, &[]).await?;
        ensure!(in_namespace(&report["blockers"], "stale", "StatusStale").is_err(), "{report}");
        Ok(())
    }

    /// What `holdfast drain` says of a node.
    async fn forecast(&self, node: &str, arguments: &[&str]) -> Result<Value> {
        let mut command = Command::new(holdfast_binary()?);
        command.args(["drain", node, "--format=json"]).args(arguments);
        command.arg("--kubeconfig").arg(self.cluster.plane.kubeconfig());
        let Output { status, stdout, stderr } = command.kill_on_drop(true).output().await?;
        let said = String::from_utf8_lossy(&stderr);
        let report: Value = serde_json::from_slice(&stdout).with_context(|| format!("it says {said}"))?;
        let expected = if report["drainable"] == true { 0 } else { 1 };
        ensure!(status.code() == Some(expected), "{status}: {report}");
        Ok(report["nodes"][0].clone())
    }

    async fn status_with<T>(&self, what: &str, probe: impl Fn(&DrainReadinessStatus) -> Result<T>) -> Result<T> {
        let api: Api<DrainReadiness> = Api::all(self.client.clone());
        eventually(what, PATIENCE, async || probe(&api.get("cluster").await?.status.context("no status yet")?)).await
    }

    async fn blocker(&self, namespace: &str, probe: impl Fn(&BlockerStatus) -> Result<()>) -> Result<()> {
        self.status_with(&format!("who blocks in {namespace}"), |status| {
            let mut blockers = status.blockers.iter();
            probe(blockers.find(|blocker| blocker.namespace == namespace).context("nobody")?)
        })
        .await
    }

    async fn nobody_blocks(&self, namespace: &str) -> Result<()> {
        self.status_with(&format!("nobody to block in {namespace}"), |status| {
            let left = status.blockers.iter().find(|blocker| blocker.namespace == namespace);
            ensure!(left.is_none(), "{left:?}");
            Ok(())
        })
        .await
    }

    /// Waits until the scheduler knows it: that is told by a taint.
    async fn cordon(&self, names: &[&str]) -> Result<()> {
        let nodes: Api<Node> = Api::all(self.client.clone());
        for name in names {
            let patch = Patch::Merge(json!({ "spec": { "unschedulable": true } }));
            nodes.patch(name, &PatchParams::default(), &patch).await?;
            eventually(&format!("{name} to be tainted"), PATIENCE, async || {
                let taints = nodes.get(name).await?.spec.and_then(|spec| spec.taints).unwrap_or_default();
                ensure!(taints.iter().any(|taint| taint.key == "node.kubernetes.io/unschedulable"), "{taints:?}");
                Ok(())
            })
            .await?;
        }
        Ok(())
    }

    async fn uncordon(&self, name: &str) -> Result<()> {
        let nodes: Api<Node> = Api::all(self.client.clone());
        let patch = Patch::Merge(json!({ "spec": { "unschedulable": false } }));
        nodes.patch(name, &PatchParams::default(), &patch).await?;
        Ok(())
    }
}

/// A budget that is alone over a pod and doesn't count it: both are made before the pod is ready, and of its getting ready the
/// disruption controller tells one of them.
async fn left_stale(tenant: &Tenant) -> Result<PodDisruptionBudget> {
    for name in ["one", "two"] {
        tenant.apply(set(budget("web"), "/metadata/name", json!(name))).await?;
    }
    tenant.apply(set(web(1), "/spec/template/metadata/labels/unready", json!("true"))).await?;
    let pods: Api<Pod> = Api::namespaced(tenant.client.clone(), &tenant.name);
    let pod = eventually("the pod to run", PATIENCE, async || {
        let pod = pods.list(&ListParams::default()).await?.items.into_iter().next().context("none")?;
        ensure!(pod.status.iter().any(|status| status.phase.as_deref() == Some("Running")), "it doesn't run");
        Ok(pod.name_any())
    })
    .await?;
    everything_is_counted(&tenant.client, "node-2").await?;
    // As it would be an hour later.
    let ready = |kind: &str| json!({ "type": kind, "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z" });
    let patch = json!({ "status": { "conditions": [ready("Ready"), ready("ContainersReady")] } });
    pods.patch_status(&pod, &PatchParams::default(), &Patch::Strategic(patch)).await?;
    everything_is_counted(&tenant.client, "node-2").await?;
    let found = tenant.budgets().list(&ListParams::default()).await?.items;
    let counts = |budget: &PodDisruptionBudget| budget.status.as_ref().map_or(0, |status| status.current_healthy);
    let (right, stale): (Vec<_>, Vec<_>) = found.into_iter().partition(|budget| 0 < counts(budget));
    let ([right], [stale]) = (&right[..], &stale[..]) else { anyhow::bail!("right: {right:#?}, stale: {stale:#?}") };
    tenant.budgets().delete(&right.name_any(), &DeleteParams::default()).await?;
    Ok(stale.clone())
}

/// The pods of a namespace, once they are so many and ready.
async fn ready_pods(tenant: &Tenant, count: usize) -> Result<Vec<Pod>> {
    let pods: Api<Pod> = Api::namespaced(tenant.client.clone(), &tenant.name);
    eventually(&format!("{count} ready pods"), PATIENCE, async || {
        let pods = pods.list(&ListParams::default()).await?.items;
        let ready = |pod: &&Pod| {
            let conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
            conditions.into_iter().any(|condition| condition.type_ == "Ready" && condition.status == "True")
        };
        let found = pods.iter().filter(ready).count();
        ensure!(found == count, "{found} are");
        Ok(pods)
    })
    .await
}

/// What a report says of a namespace, with this reason.
fn in_namespace<'a>(list: &'a Value, namespace: &str, reason: &str) -> Result<&'a Value> {
    let mut found = list.as_array().context("no list")?.iter();
    let found = found.find(|told| told["namespace"] == namespace && told["reason"] == reason);
    found.with_context(|| format!("nothing of {namespace}: {list}"))
}

fn web(replicas: u32) -> Value {
    holdfast_e2e::deployment("", "web", replicas)
}

fn budget(app: &str) -> Value {
    json!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": { "name": app },
        "spec": { "maxUnavailable": 1, "selector": { "matchLabels": { "app": app } } },
    })
}
