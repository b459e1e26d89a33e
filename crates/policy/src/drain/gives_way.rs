//! Operators that move what they run once its node is cordoned, so that a budget which refuses now gives way by itself.
//!
//! Each row says when: for CloudNativePG when another instance can be promoted, for the others as soon as the operator runs. What
//! only their own resources tell (whether a Longhorn volume has another replica) isn't known here.

use std::cell::OnceCell;

use foldhash::HashSet;
use holdfast_model::{Cluster, OwnerRef, PodOwner, Text};

use super::home::{GroupEntry, Home};
use super::nodes::Nodes;
use crate::disruption::custom_owner;

/// An operator that gives way.
#[derive(Debug)]
struct Operator {
    /// The API group of what it runs.
    group: &'static str,
    /// Its name, for people.
    name: &'static str,
    /// A label of its own pods.
    pods: (&'static str, &'static str),
    /// Whether at least two of its pods must be ready, on different nodes.
    needs_another: bool,
}

const OPERATORS: [Operator; 5] = [
    Operator {
        group: "postgresql.cnpg.io",
        name: "CloudNativePG",
        pods: ("app.kubernetes.io/name", "cloudnative-pg"),
        needs_another: true,
    },
    Operator { group: "longhorn.io", name: "Longhorn", pods: ("app", "longhorn-manager"), needs_another: true },
    Operator { group: "ceph.rook.io", name: "Rook", pods: ("app", "rook-ceph-operator"), needs_another: false },
    Operator { group: "kubevirt.io", name: "KubeVirt", pods: ("kubevirt.io", "virt-controller"), needs_another: false },
    Operator {
        group: "core.strimzi.io",
        name: "Strimzi's drain cleaner",
        pods: ("app", "strimzi-drain-cleaner"),
        needs_another: false,
    },
];

/// Which of the operators run, found when first asked for.
#[derive(Debug, Default)]
pub(super) struct Operators([OnceCell<bool>; OPERATORS.len()]);

impl Operators {
    fn runs(&self, at: usize, cluster: &Cluster) -> bool {
        *self.0[at].get_or_init(|| {
            let (key, value) = OPERATORS[at].pods;
            let views = cluster.namespace_names().filter_map(|name| cluster.namespace(name));
            let mut pods = views.flat_map(|view| view.pods());
            pods.any(|(_, pod)| pod.ready && pod.labels.get(key).is_some_and(|found| *found == value))
        })
    }
}

/// The name of the operator that gives way for this pod, when one does.
pub(super) fn gives_way(nodes: &Nodes<'_>, home: &Home<'_>, pod: usize) -> Option<&'static str> {
    let owner = owner(home, &home.groups[home.pods[pod].group])?;
    let at = OPERATORS.iter().position(|operator| operator.group == &*owner.group)?;
    let has_another = || !OPERATORS[at].needs_another || 1 < nodes_with_ready(home, &owner).len();
    (nodes.operators.runs(at, nodes.cluster) && has_another()).then_some(OPERATORS[at].name)
}

/// The custom resource that it belongs to in the end.
fn owner(home: &Home<'_>, group: &GroupEntry) -> Option<OwnerRef> {
    let maker = &home.makers[group.maker];
    match (&maker.owner, maker.workload) {
        (PodOwner::Custom(owner), _) => Some(owner.clone()),
        (PodOwner::Workload(_), Some(workload)) => custom_owner(home.view, workload),
        (PodOwner::Workload(_) | PodOwner::Node(_) | PodOwner::Nobody | PodOwner::Unknown(_), _) => None,
    }
}

/// The nodes on which pods of the same owner are ready.
fn nodes_with_ready<'a>(home: &Home<'a>, of: &OwnerRef) -> HashSet<&'a Text> {
    let same = home.groups.iter().filter(|other| owner(home, other).as_ref() == Some(of));
    let pods = same.flat_map(|group| &group.pods).map(|pod| home.pods[*pod].pod);
    pods.filter(|pod| pod.ready && !pod.terminating).filter_map(|pod| pod.node.as_ref()).collect()
}
