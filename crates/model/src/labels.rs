//! The labels of an object, interned: the replicas of a workload share one set.
//!
//! What tells of a node's place is kept apart: since 1.35 the API server writes it to each pod (admission plugin
//! `PodTopologyLabels`), so that otherwise no two replicas in different zones would share anything.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};

use crate::Text;
use crate::pool::Pool;

static POOL: LazyLock<Pool<Pairs>> = LazyLock::new(Pool::default);

/// With what the keys begin that tell of a node's place.
const TOPOLOGY: &str = "topology.kubernetes.io/";

type Pairs = Arc<[(Text, Text)]>;

/// Drops the sets that nobody has.
#[cfg(test)]
pub(crate) fn sweep() {
    POOL.count(|_| true);
}

/// A set of labels. Two equal sets are the same allocations.
#[derive(Clone)]
pub struct Labels {
    /// Sorted by key.
    own: Pairs,
    /// Those that tell of a place, sorted by key.
    topology: Pairs,
}

impl PartialEq for Labels {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.own, &other.own) && Arc::ptr_eq(&self.topology, &other.topology)
    }
}

impl Eq for Labels {}

impl Hash for Labels {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.own.as_ptr().hash(state);
        self.topology.as_ptr().hash(state);
    }
}

impl Labels {
    /// Interns the pairs. Of a key given twice the last value stays, as in a JSON object.
    pub fn new(pairs: impl IntoIterator<Item = (Text, Text)>) -> Self {
        let sorted: std::collections::BTreeMap<Text, Text> = pairs.into_iter().collect();
        let (topology, own): (Vec<_>, Vec<_>) = sorted.into_iter().partition(|(key, _)| key.starts_with(TOPOLOGY));
        Self { own: POOL.intern(own.as_slice()), topology: POOL.intern(topology.as_slice()) }
    }

    /// Reads the map of an object's metadata.
    pub(crate) fn of(map: Option<&std::collections::BTreeMap<String, String>>) -> Self {
        Self::new(map.into_iter().flatten().map(|(key, value)| (key.into(), value.into())))
    }

    /// The value under `key`, when there is one.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Text> {
        let pairs = if key.starts_with(TOPOLOGY) { &self.topology } else { &self.own };
        let at = pairs.binary_search_by(|(known, _)| known.as_str().cmp(key)).ok()?;
        Some(&pairs[at].1)
    }

    /// As [`Labels::get`], for a key that is interned: compares addresses instead of bytes.
    #[must_use]
    pub fn value_of(&self, key: &Text) -> Option<&Text> {
        self.iter().find(|(known, _)| known == key).map(|(_, value)| value)
    }

    /// All pairs, those that tell of a place last.
    pub fn iter(&self) -> impl Iterator<Item = &(Text, Text)> {
        self.own.iter().chain(self.topology.iter())
    }

    /// Whether there is no label at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.own.is_empty() && self.topology.is_empty()
    }
}

impl Default for Labels {
    fn default() -> Self {
        Self::new([])
    }
}

impl<K: AsRef<str>, V: AsRef<str>> FromIterator<(K, V)> for Labels {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self::new(pairs.into_iter().map(|(key, value)| (Text::from(key.as_ref()), Text::from(value.as_ref()))))
    }
}

impl std::fmt::Debug for Labels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.iter().map(|(key, value)| (key, value))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::Labels;
    use crate::Text;

    #[test]
    fn two_equal_sets_are_equal_whatever_the_order() {
        let there: Labels = [("a", "1"), ("b", "2")].into_iter().collect();
        let back: Labels = [("b", "2"), ("a", "1")].into_iter().collect();
        assert_eq!(there, back);
        assert_ne!(there, Labels::default());
    }

    #[test]
    fn of_a_key_given_twice_the_last_value_stays() {
        let labels: Labels = [("a", "1"), ("a", "2")].into_iter().collect();
        assert_eq!(labels.get("a").map(Text::as_str), Some("2"));
        assert_eq!(labels.iter().count(), 1);
    }

    #[test]
    fn replicas_in_different_zones_share_what_is_theirs() {
        let zone = "topology.kubernetes.io/zone";
        let [one, two]: [Labels; 2] = ["1", "2"].map(|number| [("app", "web"), (zone, number)].into_iter().collect());
        assert!(std::sync::Arc::ptr_eq(&one.own, &two.own));
        assert_ne!(one, two);
        assert_ne!(one, [("app", "web")].into_iter().collect());
        let pairs: Vec<_> = one.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(pairs, [("app", "web"), (zone, "1")]);
    }

    #[test]
    fn both_ways_of_looking_up_agree() {
        let zone = "topology.kubernetes.io/zone";
        let labels: Labels = [("b", "2"), (zone, "x"), ("a", "1"), ("z", "")].into_iter().collect();
        for key in ["a", "b", zone, "z", "topology.kubernetes.io/region", "d", ""] {
            assert_eq!(labels.get(key), labels.value_of(&Text::from(key)), "{key}");
        }
        assert!(!labels.is_empty() && Labels::default().is_empty());
    }
}
