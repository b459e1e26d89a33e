//! The labels of an object, interned: the replicas of a workload share one set, and share it with its template.
//!
//! What differs between replicas is kept apart. Where a pod is since 1.35 the API server writes to each (admission plugin
//! `PodTopologyLabels`); which of its Deployment's templates it is of the Deployment controller writes.

use std::hash::{Hash, Hasher};
use std::sync::LazyLock;

use crate::pool::Pool;
use crate::{Slice, Text};

static POOL: LazyLock<Pool<Pairs>> = LazyLock::new(Pool::default);

/// With what the keys begin that tell of a node's place.
const TOPOLOGY: &str = "topology.kubernetes.io/";

/// The label by which a Deployment tells the pods of its ReplicaSets apart (`DefaultDeploymentUniqueLabelKey` in
/// `k8s.io/api/apps/v1/types.go`).
static TEMPLATE_HASH: LazyLock<Text> = LazyLock::new(|| Text::from("pod-template-hash"));

type Pairs = Slice<(Text, Text)>;

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
    /// The value of `pod-template-hash`.
    template_hash: Option<Text>,
}

impl PartialEq for Labels {
    fn eq(&self, other: &Self) -> bool {
        self.own.is_same(&other.own)
            && self.topology.is_same(&other.topology)
            && self.template_hash == other.template_hash
    }
}

impl Eq for Labels {}

impl Hash for Labels {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.own.address(), self.topology.address(), &self.template_hash).hash(state);
    }
}

impl Labels {
    /// Interns the pairs. Of a key given twice the last value stays, as in a JSON object.
    pub fn new(pairs: impl IntoIterator<Item = (Text, Text)>) -> Self {
        let mut sorted: std::collections::BTreeMap<Text, Text> = pairs.into_iter().collect();
        let template_hash = sorted.remove(&*TEMPLATE_HASH);
        let (topology, own): (Vec<_>, Vec<_>) = sorted.into_iter().partition(|(key, _)| key.starts_with(TOPOLOGY));
        Self { own: POOL.intern(own.as_slice()), topology: POOL.intern(topology.as_slice()), template_hash }
    }

    /// Reads the map of an object's metadata.
    pub(crate) fn of(map: Option<&std::collections::BTreeMap<String, String>>) -> Self {
        Self::new(map.into_iter().flatten().map(|(key, value)| (key.into(), value.into())))
    }

    /// The value under `key`, when there is one.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Text> {
        if key == TEMPLATE_HASH.as_str() {
            return self.template_hash.as_ref();
        }
        let pairs = if key.starts_with(TOPOLOGY) { &self.topology } else { &self.own };
        let at = pairs.binary_search_by(|(known, _)| known.as_str().cmp(key)).ok()?;
        Some(&pairs[at].1)
    }

    /// As [`Labels::get`], for a key that is interned: compares addresses instead of bytes.
    #[must_use]
    pub fn value_of(&self, key: &Text) -> Option<&Text> {
        self.iter().find(|(known, _)| *known == key).map(|(_, value)| value)
    }

    /// All pairs, those that differ between replicas last.
    pub fn iter(&self) -> impl Iterator<Item = (&Text, &Text)> {
        let shared = self.own.iter().chain(self.topology.iter()).map(|(key, value)| (key, value));
        shared.chain(self.template_hash.iter().map(|value| (&*TEMPLATE_HASH, value)))
    }

    /// Whether there is no label at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.own.is_empty() && self.topology.is_empty() && self.template_hash.is_none()
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
        f.debug_map().entries(self.iter()).finish()
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
        assert!(one.own.is_same(&two.own));
        assert_ne!(one, two);
        assert_ne!(one, [("app", "web")].into_iter().collect());
        let pairs: Vec<_> = one.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(pairs, [("app", "web"), (zone, "1")]);
    }

    #[test]
    fn pods_share_the_labels_of_their_template() {
        let template: Labels = [("app", "web")].into_iter().collect();
        let [old, new]: [Labels; 2] =
            ["1", "2"].map(|hash| [("app", "web"), ("pod-template-hash", hash)].into_iter().collect());
        assert!(old.own.is_same(&template.own) && new.own.is_same(&template.own));
        assert!(old != new && old != template);
        assert_eq!(old.get("pod-template-hash").map(Text::as_str), Some("1"));
    }

    #[test]
    fn both_ways_of_looking_up_agree() {
        let zone = "topology.kubernetes.io/zone";
        let labels: Labels =
            [("b", "2"), (zone, "x"), ("a", "1"), ("pod-template-hash", "1"), ("z", "")].into_iter().collect();
        for key in ["a", "b", zone, "z", "pod-template-hash", "topology.kubernetes.io/region", "d", ""] {
            assert_eq!(labels.get(key), labels.value_of(&Text::from(key)), "{key}");
        }
        assert!(!labels.is_empty() && Labels::default().is_empty());
    }
}
