//! DrainReadiness: can every node be drained now? The gate that upgrades wait at.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube_core::CustomResourceExt;
use kube_derive::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{LabelSelector, with_rule};

/// The only name that a DrainReadiness can have.
pub const CLUSTER: &str = "cluster";

/// Whether every node can be drained now, and who stands in the way.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, CustomResource, KubeSchema)]
#[kube(
    group = "holdfast.dev",
    version = "v1alpha1",
    kind = "DrainReadiness",
    plural = "drainreadinesses",
    shortname = "drain",
    category = "holdfast",
    status = "DrainReadinessStatus",
    derive = "PartialEq",
    doc = "Whether every node can be drained now, and who stands in the way. Upgrades wait for status.drainable.",
    crates(kube_core = "::kube_core"),
    printcolumn(
        name = "Drainable",
        type_ = "boolean",
        json_path = ".status.drainable",
        description = "whether an upgrade may begin"
    ),
    printcolumn(name = "Nodes", type_ = "integer", json_path = ".status.nodesTotal"),
    printcolumn(
        name = "Blocked",
        type_ = "integer",
        json_path = ".status.blocked",
        description = "nodes that can't be drained"
    ),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Drainable\")].message"
    ),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status",
        priority = 1
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp", priority = 1)
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    crates(kube_core = "::kube_core"),
    validation = kube_core::Rule::new("size(self.waitPerNode) > 0 && self.waitPerNode.matches('^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?$')")
        .message("waitPerNode is a time in hours, minutes and seconds: write for example 5m, or 0s for a drainer that waits for ever")
)]
pub struct DrainReadinessSpec {
    /// How the drainer goes about it.
    #[serde(default)]
    pub drainer: Drainer,
    /// How long a drainer that asks again waits for one node to be empty, such as `5m`, which is what Talos waits, or `1h`. `0s`: for
    /// ever. What can't go in that time stands in the way, even if every pod that is started again is Ready as soon as its probes
    /// let it. Of no matter to OnePass.
    #[serde(default = "five_minutes")]
    #[schemars(length(max = 32))]
    pub wait_per_node: String,
    /// The nodes that count. Absent or empty: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_selector: Option<LabelSelector>,
    /// What may stand in the way all the same: it is shown, but the gate doesn't wait for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 12))]
    pub accept: Vec<Accepted>,
}

fn five_minutes() -> String {
    "5m".to_owned()
}

impl Default for DrainReadinessSpec {
    fn default() -> Self {
        Self { drainer: Drainer::default(), wait_per_node: five_minutes(), node_selector: None, accept: Vec::new() }
    }
}

/// How the drainer goes about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum Drainer {
    /// Asks again until the node is empty, as kubectl and Talos do.
    #[default]
    Retry,
    /// Gives up at the first refusal, as tuppr's own drain does.
    OnePass,
}

/// What may stand in the way: the pods of a namespace, by the name of their workload, budget or VaultTransitUnseal, or by labels.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    crates(kube_core = "::kube_core"),
    validation = kube_core::Rule::new("has(self.name) != has(self.selector)")
        .message("give either name or selector, not both: a selector without requirements stands for all pods of the namespace")
)]
pub struct Accepted {
    /// The namespace.
    #[schemars(length(min = 1, max = 63))]
    pub namespace: String,
    /// The name of the workload, the custom resource, the budget or the VaultTransitUnseal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub name: Option<String>,
    /// The labels of the pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<LabelSelector>,
    /// Why, for whoever reads it in a year.
    #[schemars(length(min = 1, max = 1024))]
    pub reason: String,
    /// When it ends. Absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
}

/// What the forecast comes to.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct DrainReadinessStatus {
    /// The generation of the spec by which this was judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The value of `reconcile.fluxcd.io/requestedAt` that was honoured last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,
    /// `Ready` means judged with a synced view, never the verdict, which is `Drainable`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "crate::condition::schema")]
    pub conditions: Vec<Condition>,
    /// Whether every node that counts can be drained. False while it isn't known.
    pub drainable: bool,
    /// Nodes that count.
    pub nodes_total: u32,
    /// Of these, nodes whose drain nobody feels.
    pub clean: u32,
    /// Of these, nodes whose drain is felt but comes to its end.
    pub interrupts: u32,
    /// Of these, nodes that can't be drained.
    pub blocked: u32,
    /// The nodes, the worst first, at most 100.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub nodes: Vec<NodeStatus>,
    /// All that stands in the way, also what doesn't fit into `blockers`.
    pub blockers_total: u32,
    /// Who stands in the way, what blocks for good first, at most 50.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub blockers: Vec<BlockerStatus>,
    /// The upgrade that is under way, or may be. Absent: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upgrade: Option<UpgradeStatus>,
}

/// What draining a node would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeStatus {
    /// Its name.
    pub name: String,
    /// Clean, Interrupts or Blocks.
    pub verdict: String,
    /// What happens, in a few words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Who stands in the way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct BlockerStatus {
    /// The node.
    pub node: String,
    /// The pod's namespace.
    pub namespace: String,
    /// The pod.
    pub pod: String,
    /// The budgets that cover it, as far as they are why.
    pub budgets: Vec<String>,
    /// The VaultTransitUnseal by which it would stay sealed, when that is why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vault_transit_unseal: Option<String>,
    /// What it belongs to, as `Kind name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workload: Option<String>,
    /// The HelmRelease or Kustomization in which a person mends it, as `Kind namespace/name`. Of a VaultTransitUnseal the one in
    /// which that is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Structural blocks at full health too, Transient while something isn't healthy.
    pub lasting: String,
    /// Why, in one word.
    pub reason: String,
    /// What is wrong and what to do.
    pub message: String,
    /// Why the gate doesn't wait for it, when it is accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted: Option<String>,
}

/// An upgrade that is under way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct UpgradeStatus {
    /// What carries it out: TalosUpgrade, KubernetesUpgrade, Plan, TalosControlPlane, or Node for a cordoned node that is
    /// being emptied.
    pub kind: String,
    /// Its name, with the namespace where it has one. Empty: any of a kind that can't be watched.
    pub name: String,
    /// How far it is, in its own words.
    pub phase: String,
    /// The nodes that are being done, at most 20.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub nodes: Vec<String>,
    /// Since when these nodes are being done; where it names none, since when it is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// The pods with their budgets, and the operators that have yet to move one, that it waits for, at most 20.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub waits_for: Vec<String>,
    /// Whether withdrawals of budgets, and what would start a rollout, wait for it: until it has ended, or hasn't moved for
    /// six hours.
    pub frozen: bool,
    /// Why it isn't known how far it is, when it isn't.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// The definition, with what the derive macro can't say without the whole of `kube`: there is only one.
pub(crate) fn definition() -> CustomResourceDefinition {
    let message = format!("there is only one DrainReadiness: name it {CLUSTER}");
    with_rule(DrainReadiness::crd(), &format!("self.metadata.name == '{CLUSTER}'"), &message)
}
