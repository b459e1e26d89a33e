//! PersistentVolumes and the claims bound to them.

use k8s_openapi::api::core::v1 as api;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube_derive::Resource;
use serde::Deserialize;

use super::placement::RawTerms;
use super::{Shape, meta};
use crate::facts::{Claim, Fact, Volume};
use crate::{Kind, ObjectKey, Text};

/// A PersistentVolume.
#[derive(Clone, Debug, Deserialize, Resource)]
#[resource(inherit = "api::PersistentVolume", crates(kube_core = "::kube_core"))]
pub struct PersistentVolume {
    #[serde(deserialize_with = "meta::slim")]
    metadata: ObjectMeta,
    #[serde(default)]
    spec: VolumeSpec,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct VolumeSpec {
    node_affinity: Option<VolumeAffinity>,
    claim_ref: Option<ClaimRef>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct ClaimRef {
    namespace: Text,
    name: Text,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct VolumeAffinity {
    required: Option<RawTerms>,
}

/// A PersistentVolumeClaim.
#[derive(Clone, Debug, Deserialize, Resource)]
#[resource(inherit = "api::PersistentVolumeClaim", crates(kube_core = "::kube_core"))]
pub struct PersistentVolumeClaim {
    #[serde(deserialize_with = "meta::slim")]
    metadata: ObjectMeta,
    #[serde(default)]
    spec: ClaimSpec,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ClaimSpec {
    volume_name: Option<Text>,
}

impl Shape for PersistentVolume {
    const KIND: Kind = Kind::PersistentVolume;

    fn fact(self) -> Fact {
        let required = self.spec.node_affinity.and_then(|affinity| affinity.required);
        let claim = self.spec.claim_ref.map(|claim| ObjectKey::new(claim.namespace, claim.name));
        Fact::Volume(Volume { nodes: required.map(|terms| terms.terms()).unwrap_or_default(), claim })
    }
}

impl Shape for PersistentVolumeClaim {
    const KIND: Kind = Kind::PersistentVolumeClaim;

    fn fact(self) -> Fact {
        Fact::Claim(Claim { volume: self.spec.volume_name.filter(|name| !name.is_empty()) })
    }
}
