//! Nodes.

use k8s_openapi::api::core::v1 as api;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube_derive::Resource;
use serde::Deserialize;

use super::condition::{ConditionStatus, ready};
use super::placement::Amounts;
use super::{Shape, meta};
use crate::facts::{Fact, Node as NodeFact, Taint};
use crate::{Kind, Labels, Text};

/// A Node.
#[derive(Clone, Debug, Deserialize, Resource)]
#[resource(inherit = "api::Node", crates(kube_core = "::kube_core"))]
pub struct Node {
    #[serde(deserialize_with = "meta::slim")]
    metadata: ObjectMeta,
    #[serde(default)]
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Spec {
    unschedulable: bool,
    taints: Option<Vec<RawTaint>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct RawTaint {
    key: Text,
    value: Text,
    effect: Text,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Status {
    allocatable: Option<Amounts>,
    conditions: Option<Vec<super::condition::Condition>>,
}

impl RawTaint {
    fn fact(self) -> Option<Taint> {
        let evicts = match &*self.effect {
            "NoSchedule" => false,
            "NoExecute" => true,
            _ => return None,
        };
        Some(Taint { key: self.key, value: self.value, evicts })
    }
}

impl Shape for Node {
    const KIND: Kind = Kind::Node;

    fn fact(self) -> Fact {
        Fact::Node(NodeFact {
            labels: Labels::of(self.metadata.labels.as_ref()),
            cordoned: self.spec.unschedulable,
            taints: self.spec.taints.into_iter().flatten().filter_map(RawTaint::fact).collect(),
            ready: ready(self.status.conditions.as_deref()).map(|status| status == ConditionStatus::True),
            allocatable: self.status.allocatable.map(Amounts::room),
        })
    }
}
