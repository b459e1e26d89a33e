//! Namespaces with pods and budgets whose statuses nobody but this test writes.

use anyhow::Result;
use fastrand::Rng;
use holdfast_e2e::namespace;
use k8s_openapi::api::core::v1::{Namespace, Pod};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::Client;
use kube::api::{Api, DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};

use super::{budgets, create};

const PODS: usize = 25;
/// Of so many budgets one has more unconfirmed evictions than are allowed, or just as many.
const CROWDED: u8 = 60;
const NOW: &str = "2026-11-22T08:00:00Z";

/// A namespace.
pub(super) struct Situation {
    pub(super) namespace: String,
    pods: Vec<Lone>,
    budgets: Vec<Told>,
}

/// A pod without a kubelet.
struct Lone {
    manifest: Value,
    status: Value,
    goes: bool,
}

/// A budget, and what its status is made to say.
struct Told {
    name: String,
    spec: Value,
    /// Whether its spec is changed once more, so that its generation is 2.
    changes: bool,
    status: Value,
}

/// So many namespaces that they have at least this many pods.
pub(super) fn draw(rng: &mut Rng, prefix: &str, pods: usize) -> Vec<Situation> {
    (0..pods.div_ceil(PODS)).map(|at| Situation::draw(rng, format!("{prefix}{at}"))).collect()
}

impl Situation {
    fn draw(rng: &mut Rng, namespace: String) -> Self {
        let apps: Vec<String> = (0..rng.usize(4..8)).map(|at| format!("app-{at}")).collect();
        let pods = (0..PODS).map(|at| Lone::draw(rng, at, &apps)).collect();
        let budgets = (0..rng.usize(2..9)).map(|at| Told::draw(rng, at, &apps)).collect();
        Self { namespace, pods, budgets }
    }

    pub(super) fn a_budget(&self) -> Option<&str> {
        self.budgets.first().map(|budget| &*budget.name)
    }

    pub(super) async fn make(&self, client: &Client) -> Result<()> {
        create::<Namespace>(&Api::all(client.clone()), namespace(&self.namespace)).await?;
        let params = PatchParams::default();
        let pods: Api<Pod> = Api::namespaced(client.clone(), &self.namespace);
        for Lone { manifest, status, goes } in &self.pods {
            let name = create(&pods, manifest.clone()).await?.metadata.name.unwrap_or_default();
            pods.patch_status(&name, &params, &Patch::Merge(json!({ "status": status }))).await?;
            if *goes {
                pods.delete(&name, &DeleteParams::default()).await?;
            }
        }
        let budgets: Api<PodDisruptionBudget> = Api::namespaced(client.clone(), &self.namespace);
        for Told { name, spec, changes, status } in &self.budgets {
            create(&budgets, json!({ "metadata": { "name": name }, "spec": spec })).await?;
            if *changes {
                let changed = json!({ "spec": { "minAvailable": null, "maxUnavailable": 7 } });
                budgets.patch(name, &params, &Patch::Merge(changed)).await?;
            }
            budgets.patch_status(name, &params, &Patch::Merge(json!({ "status": status }))).await?;
        }
        Ok(())
    }
}

impl Lone {
    fn draw(rng: &mut Rng, at: usize, apps: &[String]) -> Self {
        let goes = rng.u8(..16) == 0;
        let mut labels = json!({});
        if rng.u8(..15) != 0 {
            labels["app"] = json!(apps[rng.usize(..apps.len())]);
        }
        if let Some(tier) = budgets::tier(rng) {
            labels["tier"] = json!(tier);
        }
        let mut metadata = json!({ "name": format!("pod-{at}"), "labels": labels, "ownerReferences": owners(rng) });
        if goes {
            metadata["finalizers"] = json!(["example.com/stays"]);
        }
        let containers = json!([{ "name": "main", "image": "example.com/app:1" }]);
        Self {
            manifest: json!({ "metadata": metadata, "spec": { "containers": containers } }),
            status: status(rng),
            goes,
        }
    }
}

fn status(rng: &mut Rng) -> Value {
    let phase = ["Pending", "Succeeded", "Failed", "Unknown"].get(rng.usize(..24)).copied().unwrap_or("Running");
    let ready = ["True", "True", "False", "Unknown", "-"][rng.usize(..5)];
    match ready {
        "-" => json!({ "phase": phase }),
        _ => json!({ "phase": phase, "conditions": [
            { "type": "PodScheduled", "status": "True" }, { "type": "Ready", "status": ready },
        ] }),
    }
}

fn owners(rng: &mut Rng) -> Value {
    let kinds = [
        ("apps/v1", "ReplicaSet"),
        ("apps/v1", "StatefulSet"),
        ("apps/v1", "DaemonSet"),
        ("batch/v1", "Job"),
        ("v1", "Node"),
        ("db.example.com/v1", "Database"),
    ];
    let Some((version, kind)) = kinds.get(rng.usize(..8)) else { return json!([]) };
    let controller = rng.u8(..4) != 0;
    json!([{ "apiVersion": version, "kind": kind, "name": "owner", "uid": "0000-0000", "controller": controller }])
}

impl Told {
    fn draw(rng: &mut Rng, at: usize, apps: &[String]) -> Self {
        let desired = rng.u8(..4);
        let mut status = json!({
            "disruptionsAllowed": rng.u8(..5).saturating_sub(2),
            "desiredHealthy": desired,
            "currentHealthy": if rng.bool() { desired } else { rng.u8(..5) },
            "expectedPods": rng.u8(..5),
            "disruptedPods": disrupted(rng),
            "conditions": conditions(rng),
        });
        if let Some(observed) = [None, Some(0), Some(1), Some(1), Some(2), Some(2), Some(2), Some(9)][rng.usize(..8)] {
            status["observedGeneration"] = json!(observed);
        }
        let spec = budgets::spec(rng, at, apps);
        Self { name: format!("budget-{at}"), spec, changes: rng.u8(..4) == 0, status }
    }
}

fn disrupted(rng: &mut Rng) -> Value {
    let count = match rng.u8(..CROWDED) {
        0 => 2_000,
        1 => 2_001,
        2..20 => rng.usize(1..4),
        _ => 0,
    };
    let pods: serde_json::Map<_, _> = (0..count).map(|at| (format!("pod-{at}"), json!(NOW))).collect();
    json!(pods)
}

/// Also such as the disruption controller never writes.
fn conditions(rng: &mut Rng) -> Value {
    let (status, reason, message) = match rng.u8(..12) {
        0..=2 => ("False", "SyncFailed", "daemonsets.apps does not implement the scale subresource"),
        3 => ("False", "SyncFailed", "found no controllers for pod \"pod-1\""),
        4 => ("False", "SyncFailed", ""),
        5 => ("True", "SyncFailed", "it was once"),
        6 => ("False", "InsufficientPods", ""),
        7 => ("False", "InsufficientPods", "too few"),
        8 => ("True", "SufficientPods", ""),
        _ => return json!([]),
    };
    let other = json!({
        "type": "Other", "status": "False", "reason": "SyncFailed", "message": "of another type", "lastTransitionTime": NOW,
    });
    let condition = json!({
        "type": "DisruptionAllowed", "status": status, "reason": reason, "message": message, "lastTransitionTime": NOW,
    });
    if rng.u8(..4) == 0 { json!([other, condition]) } else { json!([condition]) }
}
