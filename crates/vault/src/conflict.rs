//! Two resources for one server, or for one key: the older one wins, the younger does nothing.

use std::collections::BTreeMap;

use holdfast_api::VaultTransitUnseal;
use kube::ResourceExt as _;

use crate::settings::resource_of;

/// What tells one server or key from another; each as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// When the resource was made, and its UID: who is older.
    pub age: (i64, String),
    /// The StatefulSet that it names, by namespace and name: known before anybody has looked at it.
    pub set: (String, String),
    /// The cluster of B.
    pub cluster: Option<String>,
    /// The cluster of A, the mount and the key.
    pub key: Option<(String, String, String)>,
    /// The resources whose targets must run before A can, as its people declare.
    pub depends_on: Vec<(String, String)>,
}

impl Identity {
    /// What a resource says itself, before it was looked at.
    #[must_use]
    pub fn of(resource: &VaultTransitUnseal) -> Self {
        let namespace = resource.namespace().unwrap_or_default();
        let spec = &resource.spec;
        Self {
            age: (
                resource.metadata.creation_timestamp.as_ref().map_or(0, |time| time.0.as_second()),
                resource.uid().unwrap_or_default(),
            ),
            depends_on: spec.cold_start.depends_on.iter().map(|named| resource_of(named, &namespace)).collect(),
            set: (namespace, spec.target.stateful_set_ref.name.clone()),
            cluster: None,
            key: None,
        }
    }

    fn what_both_have(&self, other: &Self) -> Option<&'static str> {
        let same = |one: &Option<String>, two: &Option<String>| one.is_some() && one == two;
        if self.set == other.set {
            Some("the same StatefulSet")
        } else if same(&self.cluster, &other.cluster) {
            Some("the same cluster of servers")
        } else if self.key.is_some() && self.key == other.key {
            Some("the same transit key")
        } else {
            None
        }
    }
}

/// The oldest other resource that stands for the same, and what that is; `None` when this one may act.
#[must_use]
pub fn older_rival<K: Ord + Clone>(known: &BTreeMap<K, Identity>, this: &K) -> Option<(K, &'static str)> {
    let own = known.get(this)?;
    let older = known.iter().filter(|(key, other)| *key != this && other.age < own.age);
    let rivals = older.filter_map(|(key, other)| Some((key, other, own.what_both_have(other)?)));
    rivals.min_by_key(|(_, other, _)| &other.age).map(|(key, _, what)| (key.clone(), what))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(age: i64, set: &str, key: Option<&str>) -> Identity {
        let key = key.map(|key| ("a".to_owned(), "transit".to_owned(), key.to_owned()));
        Identity {
            age: (age, format!("uid-{age}")),
            set: ("vault".to_owned(), set.to_owned()),
            cluster: None,
            key,
            depends_on: Vec::new(),
        }
    }

    #[test]
    fn the_older_wins_and_strangers_do_not_matter() {
        let known = BTreeMap::from([
            ("old", identity(1, "b", None)),
            ("young", identity(2, "b", None)),
            ("other", identity(0, "c", None)),
        ]);
        assert_eq!(older_rival(&known, &"old"), None);
        assert_eq!(older_rival(&known, &"young"), Some(("old", "the same StatefulSet")));
        assert_eq!(older_rival(&known, &"other"), None);
    }

    #[test]
    fn a_key_is_shared_by_nobody() {
        let known = BTreeMap::from([
            ("one", identity(1, "b", Some("k"))),
            ("two", identity(2, "c", Some("k"))),
            ("three", identity(3, "d", Some("l"))),
        ]);
        assert_eq!(older_rival(&known, &"two"), Some(("one", "the same transit key")));
        assert_eq!(older_rival(&known, &"three"), None);
    }

    #[test]
    fn what_is_not_known_is_not_the_same() {
        let known = BTreeMap::from([("one", identity(1, "b", None)), ("two", identity(2, "c", None))]);
        assert_eq!(older_rival(&known, &"two"), None);
    }

    #[test]
    fn what_a_resource_names_is_known_before_anybody_looked() {
        let resource: VaultTransitUnseal = serde_json::from_value(serde_json::json!({
            "apiVersion": "holdfast.dev/v1alpha1", "kind": "VaultTransitUnseal",
            "metadata": { "name": "b", "namespace": "vault", "uid": "uid-1", "creationTimestamp": "1970-01-01T00:00:01Z" },
            "spec": {
                "target": { "statefulSetRef": { "name": "b" } },
                "seal": { "transit": { "address": "https://a.example.net", "key": "b" } },
                "token": { "secretRef": { "name": "seal", "key": "token" } },
            },
        }))
        .expect("a resource");
        assert_eq!(Identity::of(&resource), identity(1, "b", None));
    }
}
