//! NamespaceSecurityPolicy: which Pod Security level the namespaces state, and how they get there.

use std::collections::BTreeMap;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube_core::CustomResourceExt;
use kube_derive::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{FindingStatus, LabelSelector, Mode, with_rule};

/// How many namespaces a status names; what is under way in the others begins when there is room.
pub const NAMESPACES: usize = 250;

/// Which Pod Security level namespaces state. In mode Report nothing is written but its status.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, CustomResource, KubeSchema)]
#[kube(
    group = "holdfast.dev",
    version = "v1alpha1",
    kind = "NamespaceSecurityPolicy",
    plural = "namespacesecuritypolicies",
    shortname = "nspol",
    category = "holdfast",
    status = "NamespaceSecurityPolicyStatus",
    derive = "PartialEq",
    doc = "Which Pod Security level namespaces state. In mode Report nothing is written but its status.",
    crates(kube_core = "::kube_core"),
    printcolumn(name = "Mode", type_ = "string", json_path = ".spec.mode"),
    printcolumn(
        name = "Matched",
        type_ = "integer",
        json_path = ".status.matched",
        description = "namespaces it decides for"
    ),
    printcolumn(
        name = "Compliant",
        type_ = "integer",
        json_path = ".status.compliant",
        description = "namespaces with nothing to mend"
    ),
    printcolumn(
        name = "Managed",
        type_ = "integer",
        json_path = ".status.managed",
        description = "namespaces whose enforce label is ours"
    ),
    printcolumn(
        name = "Soaking",
        type_ = "integer",
        json_path = ".status.soaking",
        description = "namespaces that are watched before they are raised"
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
    validation = kube_core::Rule::new("self.ceiling == 'restricted' || self.floor == 'privileged' || self.floor == self.ceiling")
        .message("floor is stricter than ceiling: nothing is ever raised above the ceiling, so write a floor that it reaches"),
    validation = kube_core::Rule::new("size(self.soak) > 0 && self.soak.matches('^([0-9]{1,6}d)?([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?$')")
        .message("soak is a time in days, hours, minutes and seconds: write for example 7d, or 1d12h")
)]
pub struct NamespaceSecurityPolicySpec {
    /// Report only tells what would be done; Enforce writes labels. Going back to Report withdraws those that were written,
    /// where that doesn't tighten a namespace.
    #[serde(default)]
    pub mode: Mode,
    /// The namespaces it applies to. Absent or empty: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace_selector: Option<LabelSelector>,
    /// Of several policies that select a namespace the one with the highest priority decides, then the first by name.
    #[serde(default)]
    pub priority: i32,
    /// What every namespace should state at least; one that doesn't is a finding.
    #[serde(default)]
    pub floor: SecurityLevel,
    /// The strictest level that is ever written. A namespace that meets more may be labelled stricter by its owner.
    #[serde(default)]
    pub ceiling: SecurityLevel,
    /// For how long a namespace is watched without a violation before its enforce label is raised, such as `7d` or `36h`.
    /// What was watched survives restarts; the time in which nobody watched doesn't count.
    #[serde(default = "week")]
    #[schemars(length(max = 32))]
    pub soak: String,
    /// Namespaces that are left alone. Absent: kube-system, kube-public, kube-node-lease, flux-system, and the one that
    /// Holdfast runs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256), inner(length(min = 1, max = 63)))]
    pub exempt_namespaces: Option<Vec<String>>,
}

/// A level of the Pod Security Standards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SecurityLevel {
    /// Everything is allowed.
    Privileged,
    /// What is known to escalate privileges is not.
    #[default]
    Baseline,
    /// Hardened pods only.
    Restricted,
}

/// The definition, with what the derive macro can't say without the whole of `kube`: the name becomes a label value.
pub(crate) fn definition() -> CustomResourceDefinition {
    let message = "the name becomes a label value: use at most 63 characters";
    with_rule(NamespaceSecurityPolicy::crd(), "size(self.metadata.name) <= 63", message)
}

/// What the policy comes to.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct NamespaceSecurityPolicyStatus {
    /// The generation of the spec that was judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The value of `reconcile.fluxcd.io/requestedAt` that was honoured last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,
    /// `Ready` means judged with a synced view, never the verdict. `Reconciling`, `Stalled`, `NotPermitted` and `BrakeEngaged` are there only when true.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "crate::condition::schema")]
    pub conditions: Vec<Condition>,
    /// The version that `latest` means here, such as `v1.35`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_version: Option<String>,
    /// What holds in a namespace without labels, as far as it could be found out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_default: Option<SecurityLevel>,
    /// Namespaces that this policy decides for.
    pub matched: u32,
    /// Of these, how many have nothing to mend.
    pub compliant: u32,
    /// Namespaces whose enforce label is ours.
    pub managed: u32,
    /// Namespaces whose labels are left to another writer.
    pub yielded: u32,
    /// Namespaces that are watched before they are raised.
    pub soaking: u32,
    /// Namespaces that it selects too, but another policy decides for.
    pub overruled: u32,
    /// Namespaces by the strictest level that everything in them meets.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub levels: BTreeMap<String, u32>,
    /// Findings by rule.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub findings: BTreeMap<String, u32>,
    /// All findings that want mending; those that are merely worth knowing (info) and those excepted don't count.
    pub findings_total: u32,
    /// The worst findings, at most 20.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub worst: Vec<FindingStatus>,
    /// The namespaces, those under way first, at most 250. What is soaked and raised is remembered here: it survives a
    /// restart.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 250))]
    pub namespaces: Vec<NamespaceLevel>,
}

/// How a namespace stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct NamespaceLevel {
    /// Its name.
    pub name: String,
    /// Its UID: what is remembered of one says nothing of another that is made under its name.
    pub uid: String,
    /// What is done about it, in one word.
    pub state: NamespaceState,
    /// The level that its label enforces now, with the version, such as `baseline:v1.35`; absent without a label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enforce: Option<String>,
    /// The strictest level that all its templates and pods meet; absent where nothing runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<SecurityLevel>,
    /// Where it is going; absent when it stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<SecurityLevel>,
    /// For how long it has been watched without a violation of its target, in steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub soaked: Option<String>,
    /// The worst that was seen in the last 30 days, where that is worse than now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worst: Option<SecurityLevel>,
    /// The day on which the worst was seen last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worst_seen: Option<String>,
    /// The labels that we wrote, without `pod-security.kubernetes.io/`: one that somebody took away is not put back.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 6))]
    pub wrote: Vec<String>,
    /// Why it stays where it is, or what happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What stands in the way of the next level, at most 5; of the first 50 namespaces only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5))]
    pub in_the_way: Vec<ViolationStatus>,
}

/// What is done about a namespace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
pub enum NamespaceState {
    /// Pods were refused after its label was raised: nothing more is raised here.
    Broken,
    /// The API server's rehearsal of a raise objected.
    Refused,
    /// It is watched before it is raised.
    Soaking,
    /// It has soaked, and is raised next.
    Rising,
    /// It waits for room, for an upgrade, or for a person.
    Waiting,
    /// Its labels belong to another writer.
    Yielded,
    /// Something in it doesn't meet the floor.
    BelowFloor,
    /// As it should be.
    #[default]
    Settled,
    /// Nothing runs in it.
    Empty,
    /// It is exempt.
    Exempt,
}

/// What stands in the way of a level.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ViolationStatus {
    /// The workload or pod, as `Kind name`.
    pub workload: String,
    /// The check, by its upstream name.
    pub check: String,
    /// The field.
    pub path: String,
    /// What is written there; absent where nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

fn week() -> String {
    "7d".to_owned()
}
