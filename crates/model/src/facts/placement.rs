//! Where a pod may run: what its spec says, interned as a whole, since the replicas of a workload say the same.

use std::sync::LazyLock;

use super::{Room, Taint};
use crate::pool::Pool;
use crate::selector::{Requirement, Selection};
use crate::{Labels, Slice, Text};

/// The label of a node that holds its name.
pub const HOSTNAME: &str = "kubernetes.io/hostname";

static POOL: LazyLock<Pool<Slice<Constraints>>> = LazyLock::new(Pool::default);

/// Drops the constraints that nobody has.
#[cfg(test)]
pub(crate) fn sweep() {
    POOL.count(|_| true);
}

/// Where a pod may run, and how soon. Two equal ones are the same allocation; none at all is the most common of them.
#[derive(Clone)]
pub struct Placement(Slice<Constraints>);

/// What a pod's spec says about where it may run, and how soon it can be Ready there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Constraints {
    /// Labels that the node must have (`nodeSelector`).
    pub selector: Labels,
    /// What else the node must be like (`requiredDuringSchedulingIgnoredDuringExecution`).
    pub nodes: NodeTerms,
    /// Taints that it bears.
    pub tolerations: Box<[Toleration]>,
    /// Pods near which it must not run (required `podAntiAffinity`).
    pub apart: Box<[Apart]>,
    /// How evenly it must be spread (`topologySpreadConstraints` that say `DoNotSchedule`).
    pub spread: Box<[Spread]>,
    /// Whether it must run near others (required `podAffinity`), which isn't worked out here.
    pub near_others: bool,
    /// What it asks for.
    pub requests: Room,
    /// Whether it keeps data in a volume that goes with it (`emptyDir`).
    pub empty_dir: bool,
    /// How many seconds after its start it is Ready at the earliest, by what its probes wait for.
    pub ready_after: u32,
}

/// Terms of which one must hold; none at all asks for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct NodeTerms(pub Box<[NodeTerm]>);

/// Requirements that must all hold. One without any requirement matches no node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct NodeTerm {
    /// About the node's labels.
    pub labels: Box<[NodeRequirement]>,
    /// About the node's name (`matchFields`).
    pub names: Box<[NodeRequirement]>,
}

/// A requirement about a node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum NodeRequirement {
    /// As in a label selector.
    Label(Requirement),
    /// The value is a number above this one.
    Above(Text, i64),
    /// The value is a number below this one.
    Below(Text, i64),
    /// Not to be understood: no node is like that.
    Unknown,
}

/// A taint that a pod bears.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Toleration {
    /// The taint's key; none bears all.
    pub key: Option<Text>,
    /// The taint's value; none bears any.
    pub value: Option<Text>,
    /// Which effects it bears.
    pub effect: Effect,
}

/// The effects that a toleration is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// All of them.
    Any,
    /// Keeping new pods away.
    NoSchedule,
    /// Driving pods away as well.
    NoExecute,
    /// Discouraging only, or one that isn't known: none that keeps a pod away.
    Other,
}

/// Pods near which a pod must not run.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Apart {
    /// How near: nodes with the same value of this label.
    pub topology: Text,
    /// Which pods of its own namespace; none where other namespaces are meant, which isn't worked out here.
    pub pods: Option<Selection>,
}

/// How evenly pods must be spread.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Spread {
    /// Over nodes with different values of this label.
    pub topology: Text,
    /// By how many pods two of them may differ.
    pub skew: u32,
    /// Which pods of its own namespace count.
    pub pods: Selection,
    /// Whether nodes with taints that the pod doesn't bear are left out.
    pub honors_taints: bool,
}

impl Placement {
    /// The pool's copy of these.
    #[must_use]
    pub fn new(constraints: Constraints) -> Self {
        Self(POOL.intern([constraints].as_slice()))
    }
}

impl std::ops::Deref for Placement {
    type Target = Constraints;

    fn deref(&self) -> &Constraints {
        &self.0[0]
    }
}

impl PartialEq for Placement {
    fn eq(&self, other: &Self) -> bool {
        self.0.is_same(&other.0)
    }
}

impl Eq for Placement {}

impl std::hash::Hash for Placement {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.address().hash(state);
    }
}

impl Default for Placement {
    fn default() -> Self {
        Self::new(Constraints::default())
    }
}

impl std::fmt::Debug for Placement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        (**self).fmt(f)
    }
}

impl Constraints {
    /// Whether a node with these labels and this name is one that its selector and affinity ask for.
    #[must_use]
    pub fn wants(&self, name: &Text, labels: &Labels) -> bool {
        self.selector.iter().all(|(key, value)| labels.value_of(key) == Some(value))
            && self.nodes.match_node(name, labels)
    }

    /// The only node that it asks for by name, or by the label that holds the name; none where it may run on another too.
    #[must_use]
    pub fn only_host(&self) -> Option<&Text> {
        let chosen = self.selector.get(HOSTNAME);
        chosen.or_else(|| {
            let mut hosts = self.nodes.0.iter().map(NodeTerm::only_host);
            let first = hosts.next()??;
            hosts.all(|host| host == Some(first)).then_some(first)
        })
    }

    /// The first of these taints that it doesn't bear.
    #[must_use]
    pub fn repelled_by<'a>(&self, taints: impl IntoIterator<Item = &'a Taint>) -> Option<&'a Taint> {
        taints.into_iter().find(|taint| !self.tolerations.iter().any(|toleration| toleration.bears(taint)))
    }
}

impl NodeTerms {
    /// Whether one of them holds for a node, or there is none.
    #[must_use]
    pub fn match_node(&self, name: &Text, labels: &Labels) -> bool {
        self.0.is_empty() || self.0.iter().any(|term| term.matches(name, labels))
    }
}

impl NodeTerm {
    fn only_host(&self) -> Option<&Text> {
        let named = self.names.iter().filter_map(NodeRequirement::demanded);
        let labelled = self.labels.iter().filter_map(NodeRequirement::demanded);
        let labelled = labelled.filter(|(key, _)| *key == HOSTNAME);
        named.chain(labelled).find_map(|(_, hosts)| if let [only] = hosts { Some(only) } else { None })
    }

    /// `k8s.io/component-helpers/scheduling/corev1/nodeaffinity`: an empty term matches nothing.
    fn matches(&self, name: &Text, labels: &Labels) -> bool {
        let empty = self.labels.is_empty() && self.names.is_empty();
        let is_named = || {
            // The only field there is.
            let fields: Labels = [("metadata.name", name.as_str())].into_iter().collect();
            self.names.iter().all(|requirement| requirement.holds(&fields))
        };
        !empty
            && self.labels.iter().all(|requirement| requirement.holds(labels))
            && (self.names.is_empty() || is_named())
    }
}

impl NodeRequirement {
    fn demanded(&self) -> Option<(&Text, &[Text])> {
        match self {
            Self::Label(requirement) => requirement.demanded(),
            Self::Above(..) | Self::Below(..) | Self::Unknown => None,
        }
    }

    fn holds(&self, labels: &Labels) -> bool {
        let number = |key: &Text| labels.value_of(key).and_then(|value| value.parse::<i64>().ok());
        match self {
            Self::Label(requirement) => requirement.holds(labels),
            Self::Above(key, bound) => number(key).is_some_and(|value| *bound < value),
            Self::Below(key, bound) => number(key).is_some_and(|value| value < *bound),
            Self::Unknown => false,
        }
    }
}

impl Toleration {
    /// `k8s.io/api/core/v1/toleration.go`, `ToleratesTaint`.
    fn bears(&self, taint: &Taint) -> bool {
        let effect = match self.effect {
            Effect::Any => true,
            Effect::NoSchedule => !taint.evicts,
            Effect::NoExecute => taint.evicts,
            Effect::Other => false,
        };
        let key = self.key.as_ref().is_none_or(|key| *key == taint.key);
        effect && key && self.value.as_ref().is_none_or(|value| *value == taint.value)
    }
}
