//! Pods.

use k8s_openapi::api::core::v1 as api;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube_derive::Resource;
use serde::Deserialize;

use super::condition::{Condition, ConditionStatus, ready, ready_since};
use super::meta::Annotations;
use super::placement::PodSpec;
use super::{Shape, meta, owner};
use crate::facts::{Fact, Moment, Phase, Pod as PodFact};
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
#[serde(default)]
struct PodStatus {
    phase: Option<Text>,
    conditions: Option<Vec<Condition>>,
}

impl Shape for Pod {
    const KIND: Kind = Kind::Pod;

    fn fact(mut self) -> Fact {
        let annotations = Annotations::of(&self.metadata);
        let ready = ready(self.status.conditions.as_deref()) == Some(ConditionStatus::True);
        let name = self.metadata.name.as_deref().unwrap_or_default();
        Fact::Pod(PodFact {
            labels: Labels::of(self.metadata.labels.as_ref()),
            owner: owner(&self.metadata),
            phase: Phase::of(self.status.phase.as_deref()),
            ready,
            ready_since: ready_since(self.status.conditions.as_deref()).filter(|_| ready).and_then(Moment::of),
            terminating: self.metadata.deletion_timestamp.is_some(),
            claims: self.spec.claims(name),
            placement: self.spec.placement(),
            security: self.spec.take_security(annotations.as_ref()),
            node: self.spec.node_name.filter(|node| !node.is_empty()),
        })
    }
}
