//! PolicyException: who is exempt from which rule, why, and until when.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube_derive::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::LabelSelector;

/// Exempts objects of its namespace from rules. What is exempt is still judged, and shown as excepted.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, CustomResource, KubeSchema)]
#[kube(
    group = "holdfast.dev",
    version = "v1alpha1",
    kind = "PolicyException",
    plural = "policyexceptions",
    shortname = "polex",
    category = "holdfast",
    namespaced,
    status = "PolicyExceptionStatus",
    derive = "PartialEq",
    doc = "Exempts objects of its namespace from rules, with a reason, an owner and an end. They are still judged, and shown as excepted.",
    crates(kube_core = "::kube_core"),
    printcolumn(name = "Kind", type_ = "string", json_path = ".spec.target.kind"),
    printcolumn(name = "Target", type_ = "string", json_path = ".spec.target.name"),
    printcolumn(name = "Rules", type_ = "string", json_path = ".spec.rules"),
    printcolumn(name = "Owner", type_ = "string", json_path = ".spec.owner"),
    printcolumn(name = "Expires", type_ = "string", json_path = ".spec.expiresAt"),
    printcolumn(
        name = "Excepted",
        type_ = "integer",
        json_path = ".status.excepted",
        description = "findings it covers"
    ),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].status"),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].message",
        priority = 1
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    crates(kube_core = "::kube_core"),
    validation = kube_core::Rule::new(r"self.rules.all(rule, rule.matches('^([*]|[a-z0-9-]+)$'))")
        .message("a rule is written by its ID, such as budget-missing; \"*\" stands for all of them")
)]
pub struct PolicyExceptionSpec {
    /// What is exempt.
    pub target: ExceptionTarget,
    /// The IDs of the rules it is exempt from; `"*"` for all. Exempting from `budget-missing` also means: no budget of ours.
    #[schemars(length(min = 1, max = 64), inner(length(max = 63)))]
    pub rules: Vec<String>,
    /// Why, for whoever reads it in a year.
    #[schemars(length(min = 1, max = 1024))]
    pub reason: String,
    /// Who answers for it.
    #[schemars(length(min = 1, max = 253))]
    pub owner: String,
    /// When it ends. Absent: never. Afterwards it exempts nothing and is a finding itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
}

/// What is exempt: one object by name, or several by labels.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[x_kube(
    crates(kube_core = "::kube_core"),
    validation = kube_core::Rule::new("has(self.name) != has(self.selector)")
        .message("give either name or selector, not both: a selector without requirements stands for all of the kind")
)]
pub struct ExceptionTarget {
    /// The kind: Deployment, StatefulSet, DaemonSet, PodDisruptionBudget ...
    #[schemars(length(min = 1, max = 63))]
    pub kind: String,
    /// The name of the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub name: Option<String>,
    /// The labels of the objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<LabelSelector>,
}

/// What the exception comes to.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PolicyExceptionStatus {
    /// The generation of the spec that was judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The value of `reconcile.fluxcd.io/requestedAt` that was honoured last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,
    /// `Ready` means judged with a synced view. `Stalled` is there only when true.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "crate::condition::schema")]
    pub conditions: Vec<Condition>,
    /// Findings that it covers now.
    pub excepted: u32,
}
