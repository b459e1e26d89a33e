//! Flux's HelmReleases and Kustomizations: who a person edits to change a workload.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;

use super::{Shape, custom_resource, meta, name, uid};
use crate::facts::{Fact, FluxObject, InventoryEntry};
use crate::{Kind, Text};

/// A HelmRelease.
#[derive(Clone, Debug, Deserialize)]
pub struct HelmRelease {
    #[serde(deserialize_with = "meta::slim")]
    metadata: ObjectMeta,
    #[serde(default)]
    spec: ReleaseSpec,
    #[serde(default)]
    status: ReleaseStatus,
}

custom_resource!(HelmRelease, Kind::HelmRelease, "helmreleases");

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ReleaseSpec {
    release_name: Option<String>,
    target_namespace: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct ReleaseStatus {
    inventory: Option<Inventory>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Inventory {
    entries: Option<Vec<Entry>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Entry {
    id: String,
}

/// A Kustomization of Flux; only that it is there.
#[derive(Clone, Debug, Deserialize)]
pub struct Kustomization {
    #[serde(deserialize_with = "meta::slim")]
    metadata: ObjectMeta,
}

custom_resource!(Kustomization, Kind::Kustomization, "kustomizations");

impl Shape for HelmRelease {
    const KIND: Kind = Kind::HelmRelease;

    fn fact(self) -> Fact {
        let entries = self.status.inventory.and_then(|inventory| inventory.entries).unwrap_or_default();
        let mut inventory: Vec<_> = entries.iter().filter_map(|entry| InventoryEntry::parse(&entry.id)).collect();
        inventory.sort();
        let target = self.spec.target_namespace.as_ref().or(self.metadata.namespace.as_ref());
        let release = release_name(&self.spec, &self.metadata);
        Fact::Flux(FluxObject {
            uid: uid(&self.metadata),
            release: Some((target.map(Text::from).unwrap_or_default(), release)),
            inventory: inventory.into(),
        })
    }
}

/// The name of the Helm release: `<targetNamespace>-<name>` where a target namespace is set
/// (`helm-controller/api/v2/helmrelease_types.go`, `GetReleaseName`).
fn release_name(spec: &ReleaseSpec, meta: &ObjectMeta) -> Text {
    match (&spec.release_name, &spec.target_namespace) {
        (Some(release), _) => release.into(),
        (None, Some(target)) => format!("{target}-{}", name(meta)).into(),
        (None, None) => name(meta),
    }
}

impl Shape for Kustomization {
    const KIND: Kind = Kind::Kustomization;

    fn fact(self) -> Fact {
        Fact::Flux(FluxObject { uid: uid(&self.metadata), release: None, inventory: [].into() })
    }
}
