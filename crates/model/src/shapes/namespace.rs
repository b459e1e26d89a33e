//! Namespaces.

use k8s_openapi::api::core::v1 as api;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube_derive::Resource;
use serde::Deserialize;

use super::{Shape, meta};
use crate::facts::{Fact, Namespace as NamespaceFact, OptOut};
use crate::{Kind, Labels};

/// A Namespace.
#[derive(Clone, Debug, Deserialize, Resource)]
#[resource(inherit = "api::Namespace", crates(kube_core = "::kube_core"))]
pub struct Namespace {
    #[serde(deserialize_with = "meta::slim")]
    metadata: ObjectMeta,
}

impl Shape for Namespace {
    const KIND: Kind = Kind::Namespace;

    fn fact(self) -> Fact {
        Fact::Namespace(NamespaceFact {
            labels: Labels::of(self.metadata.labels.as_ref()),
            terminating: self.metadata.deletion_timestamp.is_some(),
            opt_out: OptOut::of(&self.metadata),
        })
    }
}
