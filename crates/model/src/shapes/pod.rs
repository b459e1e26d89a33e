//! Pods.

use k8s_openapi::api::core::v1 as api;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube_derive::Resource;
use serde::Deserialize;

use super::{Shape, meta, owner};
use crate::facts::{Fact, Phase, Pod as PodFact};
use crate::{Kind, Labels, Text};

/// A Pod.
#[derive(Clone, Debug, Deserialize, Resource)]
#[resource(inherit = "api::Pod", crates(kube_core = "::kube_core"))]
pub struct Pod {
    #[serde(deserialize_with = "meta::slim")]
    metadata: ObjectMeta,
    #[serde(default)]
    spec: PodSpec,
    #[serde(default)]
    status: PodStatus,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PodSpec {
    node_name: Option<Text>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct PodStatus {
    phase: Option<Text>,
    conditions: Option<Vec<Condition>>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct Condition {
    r#type: ConditionType,
    status: ConditionStatus,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum ConditionType {
    Ready,
    #[serde(other)]
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum ConditionStatus {
    True,
    #[serde(other)]
    Other,
}

impl Shape for Pod {
    const KIND: Kind = Kind::Pod;

    fn fact(self) -> Fact {
        let conditions = self.status.conditions.unwrap_or_default();
        let is_ready = |condition: &Condition| {
            condition.r#type == ConditionType::Ready && condition.status == ConditionStatus::True
        };
        let ready = conditions.iter().any(is_ready);
        Fact::Pod(PodFact {
            labels: Labels::of(self.metadata.labels.as_ref()),
            owner: owner(&self.metadata),
            phase: Phase::of(self.status.phase.as_deref()),
            ready,
            terminating: self.metadata.deletion_timestamp.is_some(),
            node: self.spec.node_name.filter(|node| !node.is_empty()),
        })
    }
}
