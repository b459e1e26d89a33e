//! Metadata as far as it is read.
//!
//! The bindings' own type would be decoded with `managedFields`, a tree larger than all the rest of most objects, and with
//! annotations such as the whole of what `kubectl apply` was given last: memory that is asked for and given back thirty
//! thousand times while a cluster is listed, with facts in between that stay. Budgets alone need the managers of fields
//! (`managers`).

use std::collections::BTreeMap;
use std::fmt;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference, Time};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

/// With what the keys of the annotations begin that anything here reads.
const READ: [&str; 6] = [
    "holdfast.dev/",
    "meta.helm.sh/",
    "autoscaling.keda.sh/",
    "container.apparmor.security.beta.kubernetes.io/",
    "container.seccomp.security.alpha.kubernetes.io/",
    "seccomp.security.alpha.kubernetes.io/",
];

/// Reads metadata without what nobody reads.
pub(super) fn slim<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ObjectMeta, D::Error> {
    Slim::<IgnoredAny>::deserialize(deserializer).map(|slim| slim.split().0)
}

/// Metadata, with as much of `managedFields` as `M` reads.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "M: Deserialize<'de> + Default"))]
pub(super) struct Slim<M> {
    managed_fields: Option<M>,
    generation: Option<i64>,
    creation_timestamp: Option<Time>,
    name: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
    labels: Option<BTreeMap<String, String>>,
    annotations: Option<Annotations>,
    owner_references: Option<Vec<OwnerReference>>,
    deletion_timestamp: Option<Time>,
}

impl<M> Slim<M> {
    /// The metadata, and what was read of `managedFields`.
    pub(super) fn split(self) -> (ObjectMeta, Option<M>) {
        let metadata = ObjectMeta {
            name: self.name,
            namespace: self.namespace,
            uid: self.uid,
            resource_version: self.resource_version,
            generation: self.generation,
            creation_timestamp: self.creation_timestamp,
            labels: self.labels,
            annotations: self.annotations.map(|annotations| annotations.0),
            owner_references: self.owner_references,
            deletion_timestamp: self.deletion_timestamp,
            ..ObjectMeta::default()
        };
        (metadata, self.managed_fields)
    }
}

/// Those that are read.
#[derive(Clone, Debug, Default)]
pub(super) struct Annotations(BTreeMap<String, String>);

impl Annotations {
    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Those of an object whose metadata was read.
    pub(super) fn of(meta: &ObjectMeta) -> Option<Self> {
        meta.annotations.clone().map(Self)
    }
}

impl<'de> Deserialize<'de> for Annotations {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Annotations;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of annotations")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Annotations, A::Error> {
        let mut annotations = BTreeMap::new();
        while let Some(key) = map.next_key::<String>()? {
            if READ.iter().any(|prefix| key.starts_with(prefix)) {
                annotations.insert(key, map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Annotations(annotations))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(metadata: Value) -> Result<ObjectMeta, serde_json::Error> {
        slim(metadata)
    }

    #[test]
    fn what_is_read_is_read_as_the_bindings_do() {
        let metadata = json!({
            "name": "web", "namespace": "shop", "uid": "u", "resourceVersion": "7", "labels": { "app": "web" },
            "annotations": { "holdfast.dev/ignore": "*", "meta.helm.sh/release-name": "web", "autoscaling.keda.sh/paused-replicas": "3" },
            "ownerReferences": [{ "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-1", "uid": "v", "controller": true }],
            "deletionTimestamp": "2026-11-22T08:00:00Z", "creationTimestamp": "2026-11-20T08:00:00Z", "generation": 3,
        });
        assert_eq!(read(metadata.clone()).unwrap(), serde_json::from_value::<ObjectMeta>(metadata).unwrap());
    }

    #[test]
    fn what_nobody_reads_is_passed_over_whatever_it_is() {
        let read =
            read(json!({ "name": "web", "managedFields": [1, { "fieldsV1": {} }], "annotations": { "note": ["?"] } }));
        assert_eq!(
            read.unwrap(),
            ObjectMeta { name: Some("web".into()), annotations: Some(BTreeMap::new()), ..ObjectMeta::default() }
        );
    }

    #[test]
    fn null_is_nothing_and_a_wrong_type_an_error() {
        assert_eq!(read(json!({ "labels": null, "annotations": null })).unwrap(), ObjectMeta::default());
        assert!(read(json!({ "labels": ["app"] })).is_err());
        assert!(read(json!({ "annotations": { "holdfast.dev/ignore": 1 } })).is_err());
        assert!(read(json!("web")).is_err());
    }
}
