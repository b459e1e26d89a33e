//! Servers that need each other: after everything was off none of them can start first.
//!
//! A target needs its transit server, and whatever that one needs. Who the transit server is is known by its cluster where it
//! is the target of another resource here; what it needs beside that only its people know (`spec.coldStart.dependsOn`).

use std::collections::{BTreeMap, BTreeSet};

use crate::conflict::Identity;

/// A resource, by namespace and name.
type Key = (String, String);

/// The way from a resource back to itself, each needing the next; `None` when it needs itself in no way that is known.
#[must_use]
pub fn circle(known: &BTreeMap<Key, Identity>, this: &Key) -> Option<Vec<Key>> {
    let mut ways = vec![vec![this.clone()]];
    let mut seen = BTreeSet::new();
    // Breadth first: the shortest is the one to tell.
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            for next in way.last().into_iter().flat_map(|last| needs(known, last)) {
                if next == *this {
                    return Some(way);
                }
                if seen.insert(next.clone()) {
                    longer.push([way.clone(), vec![next]].concat());
                }
            }
        }
        ways = longer;
    }
    None
}

/// The resources whose targets have to run before this one's can start.
fn needs(known: &BTreeMap<Key, Identity>, key: &Key) -> Vec<Key> {
    let Some(identity) = known.get(key) else { return Vec::new() };
    let of_a = |other: &Identity| identity.key.as_ref().is_some_and(|(a, ..)| other.cluster.as_ref() == Some(a));
    let seals = known.iter().filter(|(_, other)| of_a(other)).map(|(key, _)| key.clone());
    let declared = identity.depends_on.iter().filter(|named| known.contains_key(named)).cloned();
    seals.chain(declared).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        ("vault".to_owned(), name.to_owned())
    }

    /// A target of this name, sealed by a server of that cluster.
    fn sealed_by(a: &str, name: &str, depends_on: &[&str]) -> (Key, Identity) {
        let identity = Identity {
            cluster: Some(format!("cluster-of-{name}")),
            key: Some((format!("cluster-of-{a}"), "transit".to_owned(), name.to_owned())),
            depends_on: depends_on.iter().map(|name| key(name)).collect(),
            ..Identity::default()
        };
        (key(name), identity)
    }

    #[test]
    fn servers_that_seal_each_other_are_found_from_each_of_them() {
        let known =
            BTreeMap::from([sealed_by("two", "one", &[]), sealed_by("one", "two", &[]), sealed_by("one", "leaf", &[])]);
        assert_eq!(circle(&known, &key("one")), Some(vec![key("one"), key("two")]));
        assert_eq!(circle(&known, &key("two")), Some(vec![key("two"), key("one")]));
        // It waits for them, and nobody waits for it.
        assert_eq!(circle(&known, &key("leaf")), None);
    }

    #[test]
    fn what_is_declared_counts() {
        let known = BTreeMap::from([sealed_by("elsewhere", "one", &["two"]), sealed_by("one", "two", &[])]);
        assert_eq!(circle(&known, &key("one")), Some(vec![key("one"), key("two")]));
        let known = BTreeMap::from([sealed_by("elsewhere", "one", &["one"])]);
        assert_eq!(circle(&known, &key("one")), Some(vec![key("one")]));
        let known = BTreeMap::from([sealed_by("elsewhere", "one", &["gone"])]);
        assert_eq!(circle(&known, &key("one")), None);
    }

    #[test]
    fn a_server_that_seals_itself_needs_itself() {
        let known = BTreeMap::from([sealed_by("one", "one", &[])]);
        assert_eq!(circle(&known, &key("one")), Some(vec![key("one")]));
    }
}
