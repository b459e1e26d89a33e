//! The budget that a workload should have: its name, its content, and whether an existing one is it already.

use std::collections::BTreeMap;

use holdfast_model::facts::{Budget, Limit, UnhealthyPods};
use holdfast_model::selector::{RawSelector, Selector};
use holdfast_model::shapes::{MANAGED_BY, POLICY, WORKLOAD};
use holdfast_model::{ObjectKey, Text, WorkloadRef};
use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{
    LabelSelector, LabelSelectorRequirement, ObjectMeta, OwnerReference,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::Settings;

/// The longest name an object can have.
const LONGEST_NAME: usize = 253;

/// A budget that should be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its namespace and name.
    pub key: ObjectKey,
    /// The workload it is for.
    pub workload: WorkloadRef,
    /// Name and UID of the policy it belongs to.
    pub policy: (Text, Text),
    /// The workload's own selector.
    pub selector: Selector,
    /// How many pods may go.
    pub limit: Limit,
    /// What happens to pods that aren't ready.
    pub unhealthy_pods: UnhealthyPods,
}

/// What a budget of ours says, before it has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How many pods may go.
    pub limit: Limit,
    /// What happens to pods that aren't ready.
    pub unhealthy_pods: UnhealthyPods,
}

impl Wanted {
    pub(super) fn new(
        key: ObjectKey,
        workload: WorkloadRef,
        selector: Selector,
        terms: Terms,
        settings: &Settings,
    ) -> Self {
        let policy = (settings.name.clone(), settings.uid.clone());
        Self { key, workload, policy, selector, limit: terms.limit, unhealthy_pods: terms.unhealthy_pods }
    }

    /// Whether the budget says this already. An owner that somebody else added is not ours to remove: an apply of ours
    /// would change nothing, and would be repeated for ever.
    #[must_use]
    pub fn is(&self, budget: &Budget) -> bool {
        let (policy, uid) = &self.policy;
        budget.policy() == Some(policy)
            && budget.owners.contains(uid)
            && budget.workload.as_deref() == Some(&annotation(&self.workload))
            && budget.selection.selector() == Some(&self.selector)
            && budget.limit.as_ref() == Ok(&self.limit)
            && budget.unhealthy_pods == self.unhealthy_pods
    }

    /// The object to apply. Without resourceVersion and uid: whether it may exist is the caller's knowledge.
    #[must_use]
    pub fn manifest(&self) -> PodDisruptionBudget {
        let (policy, uid) = &self.policy;
        let labels = [(MANAGED_BY.0, MANAGED_BY.1), (POLICY, policy)];
        let owner = OwnerReference {
            api_version: format!("{}/v1alpha1", holdfast_api::GROUP),
            kind: "DisruptionPolicy".to_owned(),
            name: policy.to_string(),
            uid: uid.to_string(),
            ..OwnerReference::default()
        };
        PodDisruptionBudget {
            metadata: ObjectMeta {
                namespace: Some(self.key.namespace.to_string()),
                name: Some(self.key.name.to_string()),
                labels: Some(labels.map(|(key, value)| (key.to_owned(), value.to_owned())).into()),
                annotations: Some(BTreeMap::from([(WORKLOAD.to_owned(), annotation(&self.workload))])),
                owner_references: Some(vec![owner]),
                ..ObjectMeta::default()
            },
            spec: Some(self.spec()),
            status: None,
        }
    }

    fn spec(&self) -> PodDisruptionBudgetSpec {
        let (keep, out) = match self.limit {
            Limit::MinAvailable(amount) => (Some(int_or_string(amount)), None),
            Limit::MaxUnavailable(amount) => (None, Some(int_or_string(amount))),
        };
        let unhealthy = match self.unhealthy_pods {
            UnhealthyPods::AlwaysAllow => "AlwaysAllow",
            UnhealthyPods::IfHealthyBudget => "IfHealthyBudget",
        };
        PodDisruptionBudgetSpec {
            min_available: keep,
            max_unavailable: out,
            selector: Some(selector(self.selector.to_raw())),
            unhealthy_pod_eviction_policy: Some(unhealthy.to_owned()),
        }
    }
}

/// How the annotation names a workload.
pub(super) fn annotation(workload: &WorkloadRef) -> String {
    format!("{}/{}", workload.kind, workload.name)
}

/// The names that a budget of this workload may have, in the order of preference: `<workload>-<kind>`, then with a hash.
/// More than one of them matters only where budgets that aren't ours have the first ones.
pub(super) fn names(workload: &WorkloadRef) -> impl Iterator<Item = Text> {
    let plain = plain_name(workload);
    let hashed = (0u32..).map({
        let (workload, plain) = (workload.clone(), plain.clone());
        move |salt| hashed(&workload, &plain, salt)
    });
    std::iter::once(plain).chain(hashed).map(Text::from)
}

/// `<workload>-<kind>`, cut to what a name may have, with a hash of the whole where it was cut. A plain string: most workloads are asked
/// about it and have no budget of that name.
pub(super) fn plain_name(workload: &WorkloadRef) -> String {
    let name = format!("{}-{}", workload.name, workload.kind.kind().as_str().to_ascii_lowercase());
    if name.len() <= LONGEST_NAME { name } else { hashed(workload, &name, 0) }
}

fn hashed(workload: &WorkloadRef, name: &str, salt: u32) -> String {
    let salt = if salt == 0 { String::new() } else { salt.to_string() };
    let suffix = format!("-{:08x}", fnv1a(format!("{}{salt}", annotation(workload)).as_bytes()));
    let cut: String = name.chars().take(LONGEST_NAME - suffix.len()).collect();
    format!("{}{suffix}", cut.trim_end_matches(['-', '.']))
}

/// FNV-1a (RFC 9923): the same in every build, which the standard library's hasher doesn't promise.
fn fnv1a(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

fn int_or_string(amount: holdfast_model::amount::Amount) -> IntOrString {
    match holdfast_model::amount::IntOrString::from(amount) {
        holdfast_model::amount::IntOrString::Int(count) => IntOrString::Int(i32::try_from(count).unwrap_or(i32::MAX)),
        holdfast_model::amount::IntOrString::String(text) => IntOrString::String(text),
    }
}

fn selector(raw: RawSelector) -> LabelSelector {
    let requirement = |raw: holdfast_model::selector::RawRequirement| LabelSelectorRequirement {
        key: raw.key,
        operator: raw.operator,
        values: raw.values,
    };
    LabelSelector {
        match_labels: raw.match_labels,
        match_expressions: raw.match_expressions.map(|all| all.into_iter().map(requirement).collect()),
    }
}
