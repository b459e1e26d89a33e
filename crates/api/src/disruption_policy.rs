//! DisruptionPolicy: which workloads get a disruption budget, and which.

use std::collections::BTreeMap;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube_core::CustomResourceExt;
use kube_derive::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{LabelSelector, with_rule};

/// Which workloads get a disruption budget, and which one. In mode Report nothing is written but this status.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, CustomResource, KubeSchema)]
#[kube(
    group = "holdfast.dev",
    version = "v1alpha1",
    kind = "DisruptionPolicy",
    plural = "disruptionpolicies",
    shortname = "dpol",
    category = "holdfast",
    status = "DisruptionPolicyStatus",
    derive = "PartialEq",
    doc = "Which workloads get a disruption budget, and which one. In mode Report nothing is written but its status.",
    crates(kube_core = "::kube_core"),
    printcolumn(name = "Mode", type_ = "string", json_path = ".spec.mode"),
    printcolumn(
        name = "Matched",
        type_ = "integer",
        json_path = ".status.matched",
        description = "workloads it decides for"
    ),
    printcolumn(
        name = "Compliant",
        type_ = "integer",
        json_path = ".status.compliant",
        description = "workloads with nothing to mend"
    ),
    printcolumn(name = "Managed", type_ = "integer", json_path = ".status.managed", description = "budgets of ours"),
    printcolumn(
        name = "Yielded",
        type_ = "integer",
        json_path = ".status.yielded",
        description = "workloads left to somebody else's budget"
    ),
    printcolumn(
        name = "Findings",
        type_ = "integer",
        json_path = ".status.findingsTotal",
        description = "what is wrong, info not counted"
    ),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].status"),
    printcolumn(name = "Message", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].message"),
    printcolumn(name = "Priority", type_ = "integer", json_path = ".spec.priority", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    crates(kube_core = "::kube_core"),
    validation = kube_core::Rule::new("!has(self.maxUnavailable) || (type(self.maxUnavailable) == int ? self.maxUnavailable > 0 : true)")
        .message("maxUnavailable below 1 would block every drain: write 1 or more, or a percentage such as 25%"),
    validation = kube_core::Rule::new("!has(self.maxUnavailable) || (type(self.maxUnavailable) == string ? self.maxUnavailable.matches('^([1-9][0-9]?|100)%$') : true)")
        .message("maxUnavailable as a percentage goes from 1% to 100%: write for example 25%, or a number of pods such as 1")
)]
pub struct DisruptionPolicySpec {
    /// Report only tells what would be done; Enforce writes budgets. Going back to Report withdraws them.
    #[serde(default)]
    pub mode: Mode,
    /// The namespaces it applies to. Absent or empty: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace_selector: Option<LabelSelector>,
    /// The workloads it applies to, by the labels of the Deployment or StatefulSet itself. Absent or empty: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload_selector: Option<LabelSelector>,
    /// Of several policies that select a workload the one with the highest priority decides, then the first by name.
    #[serde(default)]
    pub priority: i32,
    /// The kinds of workloads that get a budget.
    #[serde(default = "all_kinds")]
    #[schemars(length(min = 1, max = 2))]
    pub kinds: Vec<WorkloadKind>,
    /// How many pods of a workload may be gone at once: a number, or a percentage of the replicas. It is reduced where
    /// it would let every pod go.
    #[serde(default = "one")]
    pub max_unavailable: IntOrString,
    /// What happens to pods that aren't ready. `AlwaysAllow` lets a drain remove crash-looping pods.
    #[serde(default)]
    pub unhealthy_pod_eviction_policy: UnhealthyPodEviction,
}

/// The definition, with what the derive macro can't say without the whole of `kube`: the name becomes a label value.
pub(crate) fn definition() -> CustomResourceDefinition {
    let message = "the name becomes a label value: use at most 63 characters";
    with_rule(DisruptionPolicy::crd(), "size(self.metadata.name) <= 63", message)
}

/// Whether anything is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum Mode {
    /// Only tells.
    #[default]
    Report,
    /// Writes and withdraws budgets.
    Enforce,
}

/// The kinds that can get a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum WorkloadKind {
    /// `apps/v1` Deployment.
    Deployment,
    /// `apps/v1` StatefulSet.
    StatefulSet,
}

/// What happens to pods that aren't ready, as in `policy/v1`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum UnhealthyPodEviction {
    /// They may always be evicted.
    #[default]
    AlwaysAllow,
    /// They may be evicted only while the budget is otherwise kept.
    IfHealthyBudget,
}

/// What the policy comes to.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct DisruptionPolicyStatus {
    /// The generation of the spec that was judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The value of `reconcile.fluxcd.io/requestedAt` that was honoured last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,
    /// `Ready` means judged with a synced view, never the verdict. `Reconciling`, `Stalled`, `NotPermitted`, `BrakeEngaged` and `FreezeEngaged` are there only when true.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "crate::condition::schema")]
    pub conditions: Vec<Condition>,
    /// Workloads that this policy decides for.
    pub matched: u32,
    /// Of these, how many have nothing to mend; what is merely worth knowing (info) doesn't count against them.
    pub compliant: u32,
    /// Budgets of ours that belong to this policy.
    pub managed: u32,
    /// Workloads that are left to a budget or an operator that isn't ours.
    pub yielded: u32,
    /// Workloads that it selects too, but another policy decides for.
    pub overruled: u32,
    /// Findings by rule.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub findings: BTreeMap<String, u32>,
    /// All findings that want mending; those that are merely worth knowing (info) and those excepted don't count.
    pub findings_total: u32,
    /// The worst findings, at most 20.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub worst: Vec<FindingStatus>,
}

/// A finding as it is shown in a status.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct FindingStatus {
    /// The rule's ID.
    pub rule: String,
    /// critical, high, medium, low or info.
    pub severity: String,
    /// What it is about.
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The HelmRelease or Kustomization in which a person mends it, as `Kind namespace/name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What is wrong.
    pub message: String,
    /// Why it is not held against the workload, when an exception covers it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excepted: Option<String>,
}

fn all_kinds() -> Vec<WorkloadKind> {
    vec![WorkloadKind::Deployment, WorkloadKind::StatefulSet]
}

fn one() -> IntOrString {
    IntOrString::Int(1)
}
