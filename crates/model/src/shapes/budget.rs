//! PodDisruptionBudgets, with what tells whose they are.

use std::collections::BTreeMap;

use k8s_openapi::api::policy::v1 as api;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube_derive::Resource;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::managers::Entries;
use super::meta::Slim;
use super::{Shape, annotation, uid};
use crate::amount::IntOrString;
use crate::facts::{Budget, BudgetStatus, Fact, FluxHints, Limit, LimitError, Managers, UnhealthyPods};
use crate::selector::{RawSelector, Selection};
use crate::{Kind, Labels, Text};

/// The field manager under which budgets are written.
pub const FIELD_MANAGER: &str = "holdfast/disruption";
/// The label naming the policy that a budget of ours belongs to.
pub const POLICY: &str = "holdfast.dev/policy";
/// The annotation naming the workload that a budget of ours is for, as `Kind/name`.
pub const WORKLOAD: &str = "holdfast.dev/workload";
/// The well-known label of the managing tool, and our value of it.
pub const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "holdfast");

/// A PodDisruptionBudget.
#[derive(Clone, Debug, Deserialize, Resource)]
#[resource(inherit = "api::PodDisruptionBudget", crates(kube_core = "::kube_core"))]
#[serde(from = "Written")]
pub struct PodDisruptionBudget {
    metadata: ObjectMeta,
    managers: Managers,
    spec: Spec,
    status: Status,
}

/// As it is written.
#[derive(Deserialize)]
struct Written {
    metadata: Slim<Entries>,
    #[serde(default)]
    spec: Spec,
    #[serde(default)]
    status: Status,
}

impl From<Written> for PodDisruptionBudget {
    fn from(written: Written) -> Self {
        let Written { metadata, spec, status } = written;
        let (metadata, entries) = metadata.split();
        Self { metadata, managers: entries.unwrap_or_default().managers(), spec, status }
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    min_available: Option<IntOrString>,
    max_unavailable: Option<IntOrString>,
    selector: Option<RawSelector>,
    unhealthy_pod_eviction_policy: Option<Text>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    observed_generation: Option<i64>,
    current_healthy: i32,
    desired_healthy: i32,
    disruptions_allowed: i32,
    expected_pods: i32,
    disrupted_pods: Option<BTreeMap<String, IgnoredAny>>,
    conditions: Option<Vec<Condition>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Condition {
    r#type: Text,
    status: Text,
    reason: Text,
    message: String,
}

impl Spec {
    fn limit(&self) -> Result<Limit, LimitError> {
        Limit::parse(self.min_available.as_ref(), self.max_unavailable.as_ref())
    }

    fn unhealthy_pods(&self) -> UnhealthyPods {
        match self.unhealthy_pod_eviction_policy.as_deref() {
            Some("AlwaysAllow") => UnhealthyPods::AlwaysAllow,
            _ => UnhealthyPods::IfHealthyBudget,
        }
    }
}

impl Status {
    fn fact(self, generation: Option<i64>) -> BudgetStatus {
        let conditions = self.conditions.unwrap_or_default();
        // As the eviction subresource reads it (`checkAndDecrement`): without words it is no failure.
        let found = conditions.into_iter().find(|condition| condition.r#type == "DisruptionAllowed");
        let failed = found.filter(|c| c.status == "False" && c.reason == "SyncFailed" && !c.message.is_empty());
        BudgetStatus {
            generation: generation.unwrap_or_default(),
            observed: self.observed_generation.filter(|&generation| generation != 0),
            healthy: self.current_healthy,
            desired: self.desired_healthy,
            expected: self.expected_pods,
            allowed: self.disruptions_allowed,
            disrupted: u32::try_from(self.disrupted_pods.map_or(0, |pods| pods.len())).unwrap_or(u32::MAX),
            sync_failed: failed.map(|condition| condition.message.into()),
        }
    }
}

impl Shape for PodDisruptionBudget {
    const KIND: Kind = Kind::PodDisruptionBudget;

    fn fact(self) -> Fact {
        let meta = &self.metadata;
        Fact::Budget(Budget {
            uid: uid(meta),
            version: meta.resource_version.as_deref().unwrap_or_default().into(),
            created: meta.creation_timestamp.as_ref().map(|time| time.0),
            labels: Labels::of(meta.labels.as_ref()),
            workload: annotation(meta, WORKLOAD).map(Text::from),
            owners: meta.owner_references.iter().flatten().map(|owner| Text::from(&owner.uid)).collect(),
            managers: self.managers,
            selection: Selection::parse(self.spec.selector.as_ref()),
            limit: self.spec.limit(),
            unhealthy_pods: self.spec.unhealthy_pods(),
            flux: FluxHints::of(meta),
            status: self.status.fact(meta.generation),
        })
    }
}
