//! What happens while nodes are upgraded: it is told, our withdrawals wait, and a drain that is stuck is told where people look.
//!
//! 1. The controller starts where nothing that upgrades is known. The definitions are installed, without a restart.
//! 2. A TalosUpgrade drains a node: `status.upgrade` says so.
//! 3. A budget that should go stays; policy and metric say why. One that covers pods without a scale goes all the same.
//! 4. The controller is started anew: the budget stays, and since when the node is done too. The upgrade has ended: what
//!    waited goes.
//! 5. Somebody cordons a node with a pod that its budget doesn't let go, as an eviction shows: within ten seconds it is told on the
//!    node, the budget and the HelmRelease, and counted. Uncordoned, nothing is said any more.
//! 6. Plan, KubernetesUpgrade and TalosControlPlane are told of in their own words.
//! 7. A TalosUpgrade of another shape is counted and may be under way; nothing stops.
//! 8. The definitions go while an upgrade is under way: it is forgotten, and the controller stays ready.
//! 9. A definition comes back in a version that isn't known here: nobody says that there is no upgrade.

use anyhow::{Context as _, Result, ensure};
use holdfast_api::{ConditionType, DrainReadiness, UpgradeStatus};
use holdfast_e2e::churn::say;
use holdfast_e2e::{
    Cluster, PATIENCE, ServiceAccount, Tenant, checkout, deployment, has_condition, lacks_condition, set,
};
use holdfast_testkit::{AuditEvent, ControlPlane, ControllerProcess, Manifests, eventually};
use jiff::SignedDuration;
use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::api::events::v1::Event;
use kube::Api;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, ListParams, Patch, PatchParams};
use serde_json::{Value, json};

const NAME: &str = "upgrades";
const BUDGETS: &str = "poddisruptionbudgets.policy";
const DEFINITIONS: [&str; 5] = ["helmreleases", "talosupgrades", "kubernetesupgrades", "plans", "taloscontrolplanes"];
/// The aim.
const TOLD: SignedDuration = SignedDuration::from_secs(10);

struct Story {
    cluster: Cluster,
    controller: ControllerProcess,
    tenant: Tenant,
}

#[tokio::test]
async fn what_nodes_are_upgraded_for_is_told_and_waited_for() -> Result<()> {
    let cluster = Cluster::on(ControlPlane::builder().nodes(3).start().await?).await?;
    cluster.install(&json!({})).await?;
    let controller = cluster.controller().await?;
    let tenant = Tenant::move_in(cluster.admin(), NAME).await?;
    let mut story = Story { cluster, controller, tenant };
    story.settle().await?;
    story.definitions()?.apply(&story.tenant.client, "e2e").await?;

    story.an_upgrade_is_told().await?;
    story.withdrawals_wait().await?;
    story.a_new_start_changes_nothing().await?;
    story.what_waited_goes().await?;
    story.a_stuck_drain_is_told().await?;
    story.each_kind_in_its_own_words().await?;
    story.another_shape_may_be_under_way().await?;
    story.definitions_may_go().await?;
    story.another_version_may_have_one_under_way().await?;
    ensure!(story.controller.ended()?.is_none());
    story.controller.terminate(PATIENCE).await?;
    Ok(())
}

impl Story {
    async fn settle(&self) -> Result<()> {
        self.tenant.govern(json!({})).await?;
        for name in ["web", "api"] {
            self.tenant.apply(deployment(NAME, name, 2)).await?;
            self.tenant.budget(&format!("{name}-deployment")).await?;
        }
        self.upgrade(|upgrade| {
            ensure!(upgrade.is_none(), "{upgrade:?}");
            Ok(())
        })
        .await?;
        ensure!(self.metric("holdfast_view_synced", &[("kind", "TalosUpgrade")]).await? == 1.0, "not in step");
        Ok(())
    }

    async fn an_upgrade_is_told(&self) -> Result<()> {
        let draining = json!({ "phase": "Draining", "currentNode": "node-0", "completedNodes": ["node-2"] });
        self.put("TalosUpgrade", "talos", draining).await?;
        let upgrade = self.under_way("TalosUpgrade", "talos").await?;
        ensure!((upgrade.phase.as_str(), &*upgrade.nodes) == ("Draining", &["node-0".to_owned()][..]), "{upgrade:?}");
        ensure!(upgrade.frozen && upgrade.since.is_some() && upgrade.message.is_none(), "{upgrade:?}");
        self.await_metric("holdfast_upgrade_in_progress", &[], 1.0).await
    }

    async fn withdrawals_wait(&self) -> Result<()> {
        self.tenant.apply(deployment(NAME, "web", 1)).await?;
        self.tenant
            .told(|status| {
                let engaged = has_condition(status, ConditionType::FreezeEngaged, ("True", "UpgradeInProgress"))?;
                let said = "1 withdrawals wait for the end of an upgrade: TalosUpgrade talos";
                ensure!(engaged.message == said, "{engaged:?}");
                Ok(())
            })
            .await?;
        self.await_metric("holdfast_freeze_engaged", &[("concern", "budgets")], 1.0).await?;
        self.tenant.apply(daemon_set("api")).await?;
        self.tenant.no_budget("api-deployment").await?;
        ensure!(self.tenant.budgets().get_opt("web-deployment").await?.is_some(), "it didn't wait");
        self.tenant.delete(daemon_set("api")).await
    }

    async fn a_new_start_changes_nothing(&mut self) -> Result<()> {
        self.tenant.budget("api-deployment").await?;
        let before = self.under_way("TalosUpgrade", "talos").await?;
        self.controller.terminate(PATIENCE).await?;
        let mark = self.cluster.plane.audit().mark()?;
        self.controller = self.cluster.controller().await?;
        self.controller.leads(PATIENCE).await?;
        self.await_metric("holdfast_freeze_engaged", &[("concern", "budgets")], 1.0).await?;
        self.await_metric("holdfast_upgrade_in_progress", &[], 1.0).await?;
        ensure!(self.under_way("TalosUpgrade", "talos").await? == before, "before: {before:?}");
        let events = self.cluster.plane.audit().since(mark)?;
        let ours = |event: &&AuditEvent| event.user == ServiceAccount::USER && event.is_write();
        let of_budgets = |event: &&AuditEvent| event.is_about(BUDGETS);
        let written: Vec<&AuditEvent> = events.iter().filter(ours).filter(of_budgets).collect();
        ensure!(written.is_empty(), "{written:#?}");
        ensure!(self.tenant.budgets().get_opt("web-deployment").await?.is_some(), "it didn't wait");
        Ok(())
    }

    async fn what_waited_goes(&self) -> Result<()> {
        self.put("TalosUpgrade", "talos", json!({ "phase": "Completed", "completedNodes": ["node-2", "node-0"] }))
            .await?;
        self.tenant.no_budget("web-deployment").await?;
        self.tenant.told(|status| lacks_condition(status, ConditionType::FreezeEngaged)).await?;
        self.await_metric("holdfast_freeze_engaged", &[("concern", "budgets")], 0.0).await?;
        self.nothing_is_under_way().await
    }

    async fn a_stuck_drain_is_told(&self) -> Result<()> {
        self.tenant.apply(deployment(NAME, "db", 1)).await?;
        let node = self.node_of("db").await?;
        self.tenant.apply(budget("db")).await?;
        let inventory = json!({ "inventory": { "entries": [{ "id": format!("{NAME}_db_policy_PodDisruptionBudget"), "v": "v1" }] } });
        self.put("HelmRelease", "db", inventory).await?;
        self.await_metric("holdfast_view_objects", &[("kind", "HelmRelease")], 1.0).await?;

        let mark = self.cluster.plane.audit().mark()?;
        self.cordon(&node, true).await?;
        let refused = self.tenant.evict_one_of(&self.tenant.budget("db").await?).await?;
        ensure!(refused.code == 429, "{refused:?}");
        for (namespace, kind, name) in
            [("default", "Node", node.as_str()), (NAME, "PodDisruptionBudget", "db"), (NAME, "HelmRelease", "db")]
        {
            let note = self.told_on(namespace, kind, name).await?;
            ensure!(note.contains(&node) && note.contains("budget db") && note.contains("run two replicas"), "{note}");
        }
        self.await_metric("holdfast_drain_stuck", &[], 1.0).await?;
        let upgrade = self.under_way("Node", &node).await?;
        ensure!(upgrade.waits_for.len() == 1 && upgrade.waits_for[0].contains("budget db"), "{upgrade:?}");

        let events = self.cluster.plane.audit().since(mark)?;
        let cordoned = events.iter().find(|event| event.is_about("nodes") && event.is_write()).context("no cordon")?;
        let told = |event: &&AuditEvent| event.is_about("events.events.k8s.io") && event.name.starts_with("db.");
        let last = events.iter().filter(told).map(|event| event.done).max().context("no event")?;
        let took = last.duration_since(cordoned.done);
        say(&format!("upgrades: a stuck drain was told {took:#} after the cordon"));
        ensure!(took < TOLD, "it took {took:#}");

        self.cordon(&node, false).await?;
        self.await_metric("holdfast_drain_stuck", &[], 0.0).await?;
        self.nothing_is_under_way().await
    }

    async fn each_kind_in_its_own_words(&self) -> Result<()> {
        let rolling = json!({ "type": "MachinesSpecUpToDate", "status": "False", "reason": "RollingUpdateInProgress" });
        let cases = [
            ("KubernetesUpgrade", json!({ "phase": "Upgrading" }), "Upgrading"),
            ("Plan", json!({ "applying": ["node-1", "node-2"] }), "Applying"),
            ("TalosControlPlane", json!({ "replicas": 1, "conditions": [rolling] }), "RollingUpdateInProgress"),
        ];
        for (kind, status, phase) in cases {
            self.put(kind, "some", status).await?;
            let name = if kind == "KubernetesUpgrade" { "some".to_owned() } else { format!("{NAME}/some") };
            let upgrade = self.under_way(kind, &name).await?;
            ensure!(upgrade.phase == phase && upgrade.frozen, "{upgrade:?}");
            ensure!(upgrade.nodes.len() == if kind == "Plan" { 2 } else { 0 }, "{upgrade:?}");
            self.tenant.delete(object(kind, "some")).await?;
            self.nothing_is_under_way().await?;
        }
        Ok(())
    }

    async fn another_shape_may_be_under_way(&self) -> Result<()> {
        self.put("TalosUpgrade", "odd", json!({ "phase": { "name": "Draining" }, "currentNodes": 7 })).await?;
        self.await_metric("holdfast_view_malformed_objects", &[("kind", "TalosUpgrade")], 1.0).await?;
        let upgrade = self.under_way("TalosUpgrade", "odd").await?;
        let said = Some("it can't be read, so it may be under way");
        ensure!(upgrade.phase == "Unknown" && upgrade.message.as_deref() == said, "{upgrade:?}");
        self.put("TalosUpgrade", "talos", json!({ "phase": "Draining", "currentNodes": ["node-1"] })).await?;
        self.await_metric("holdfast_view_objects", &[("kind", "TalosUpgrade")], 1.0).await?;
        self.tenant.delete(object("TalosUpgrade", "odd")).await?;
        self.under_way("TalosUpgrade", "talos").await.map(drop)
    }

    async fn definitions_may_go(&self) -> Result<()> {
        self.definitions()?.delete(&self.tenant.client).await?;
        self.nothing_is_under_way().await?;
        for kind in ["TalosUpgrade", "KubernetesUpgrade", "Plan", "TalosControlPlane"] {
            self.await_metric("holdfast_view_objects", &[("kind", kind)], 0.0).await?;
            self.await_metric("holdfast_view_synced", &[("kind", kind)], 1.0).await?;
        }
        let (code, text) = self.controller.readyz().await?;
        ensure!(code == 200, "{text}");
        Ok(())
    }

    async fn another_version_may_have_one_under_way(&self) -> Result<()> {
        let text = std::fs::read_to_string(checkout().join("e2e/crds/talosupgrades.yaml"))?;
        Manifests::parse(&text.replace("name: v1alpha1", "name: v1beta1"))?.apply(&self.tenant.client, "e2e").await?;
        self.await_metric("holdfast_view_synced", &[("kind", "TalosUpgrade")], 0.0).await?;
        let upgrade = self.under_way("TalosUpgrade", "").await?;
        let said = Some("the kind can't be watched, so one may be under way");
        ensure!(upgrade.phase == "Unknown" && upgrade.message.as_deref() == said, "{upgrade:?}");
        let errors = [("kind", "TalosUpgrade"), ("reason", "other-version")];
        ensure!(1.0 <= self.metric("holdfast_watch_errors_total", &errors).await?, "not counted");
        let (code, text) = self.controller.readyz().await?;
        ensure!(code == 200, "{text}");
        Ok(())
    }

    fn definitions(&self) -> Result<Manifests> {
        let read = |name: &&str| std::fs::read_to_string(checkout().join(format!("e2e/crds/{name}.yaml")));
        Manifests::parse(&DEFINITIONS.iter().map(read).collect::<Result<Vec<_>, _>>()?.join("\n---\n"))
    }

    /// Applies an object, and merges this into its status.
    async fn put(&self, kind: &str, name: &str, status: Value) -> Result<()> {
        let applied =
            eventually(&format!("{kind} to be served"), PATIENCE, async || self.tenant.apply(object(kind, name)).await)
                .await?;
        let (group, version) = api_version(kind).split_once('/').context("no group")?;
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        let client = self.tenant.client.clone();
        let api: Api<DynamicObject> = match applied.metadata.namespace {
            Some(namespace) => Api::namespaced_with(client, &namespace, &resource),
            None => Api::all_with(client, &resource),
        };
        api.patch_status(name, &PatchParams::default(), &Patch::Merge(json!({ "status": status }))).await?;
        Ok(())
    }

    async fn upgrade<T>(&self, probe: impl Fn(Option<UpgradeStatus>) -> Result<T>) -> Result<T> {
        let api: Api<DrainReadiness> = Api::all(self.tenant.client.clone());
        eventually("the status of the DrainReadiness", PATIENCE * 4, async || {
            probe(api.get("cluster").await?.status.context("no status yet")?.upgrade)
        })
        .await
    }

    async fn under_way(&self, kind: &str, name: &str) -> Result<UpgradeStatus> {
        self.upgrade(|upgrade| {
            let upgrade = upgrade.context("nothing is under way")?;
            ensure!(upgrade.kind == kind && upgrade.name == name, "{upgrade:?}");
            Ok(upgrade)
        })
        .await
    }

    async fn nothing_is_under_way(&self) -> Result<()> {
        self.upgrade(|upgrade| {
            ensure!(upgrade.is_none(), "{upgrade:?}");
            Ok(())
        })
        .await?;
        self.await_metric("holdfast_upgrade_in_progress", &[], 0.0).await
    }

    async fn node_of(&self, app: &str) -> Result<String> {
        let pods: Api<Pod> = Api::namespaced(self.tenant.client.clone(), NAME);
        let of = ListParams::default().labels(&format!("app={app}"));
        eventually(&format!("{app} to run"), PATIENCE, async || {
            let pod = pods.list(&of).await?.items.into_iter().next().context("no pod")?;
            let ready = pod.status.and_then(|status| status.conditions).into_iter().flatten();
            ensure!(ready.into_iter().any(|it| it.type_ == "Ready" && it.status == "True"), "not ready");
            pod.spec.and_then(|spec| spec.node_name).context("no node")
        })
        .await
    }

    async fn cordon(&self, node: &str, cordoned: bool) -> Result<()> {
        let nodes: Api<Node> = Api::all(self.tenant.client.clone());
        let patch = Patch::Merge(json!({ "spec": { "unschedulable": cordoned } }));
        nodes.patch(node, &PatchParams::default(), &patch).await?;
        Ok(())
    }

    /// The note of the warning that stands on an object.
    async fn told_on(&self, namespace: &str, kind: &str, name: &str) -> Result<String> {
        let events: Api<Event> = Api::namespaced(self.tenant.client.clone(), namespace);
        eventually(&format!("an event on {kind} {name}"), PATIENCE, async || {
            let events = events.list(&ListParams::default()).await?;
            let about = |event: &&Event| {
                let regarding = event.regarding.as_ref();
                regarding.is_some_and(|it| it.kind.as_deref() == Some(kind) && it.name.as_deref() == Some(name))
                    && event.reason.as_deref() == Some("DrainStuck")
            };
            let told: Vec<&Event> = events.iter().filter(about).collect();
            ensure!(told.len() == 1 && told[0].type_.as_deref() == Some("Warning"), "{told:?}");
            told[0].note.clone().context("it says nothing")
        })
        .await
    }

    async fn metric(&self, name: &str, labels: &[(&str, &str)]) -> Result<f64> {
        self.controller.metrics().await?.sum(name, labels).with_context(|| format!("no {name}"))
    }

    async fn await_metric(&self, name: &str, labels: &[(&str, &str)], expected: f64) -> Result<()> {
        eventually(&format!("{name} {labels:?} to be {expected}"), PATIENCE * 2, async || {
            let value = self.metric(name, labels).await?;
            ensure!(value == expected, "{value}");
            Ok(())
        })
        .await
    }
}

fn api_version(kind: &str) -> &'static str {
    match kind {
        "TalosUpgrade" | "KubernetesUpgrade" => "tuppr.home-operations.com/v1alpha1",
        "Plan" => "upgrade.cattle.io/v1",
        "TalosControlPlane" => "controlplane.cluster.x-k8s.io/v1alpha3",
        _ => "helm.toolkit.fluxcd.io/v2",
    }
}

fn object(kind: &str, name: &str) -> Value {
    json!({ "apiVersion": api_version(kind), "kind": kind, "metadata": { "name": name }, "spec": {} })
}

fn budget(app: &str) -> Value {
    json!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": { "name": app },
        "spec": { "minAvailable": 1, "selector": { "matchLabels": { "app": app } } },
    })
}

/// A DaemonSet whose pods have the labels of a Deployment's: no budget over them can be computed.
fn daemon_set(app: &str) -> Value {
    let mut made = set(deployment(NAME, "agent", 1), "/kind", json!("DaemonSet"));
    made["spec"].as_object_mut().map(|spec| spec.remove("replicas"));
    let made = set(made, "/spec/selector/matchLabels", json!({ "app": app, "agent": "yes" }));
    set(made, "/spec/template/metadata/labels", json!({ "app": app, "agent": "yes" }))
}
