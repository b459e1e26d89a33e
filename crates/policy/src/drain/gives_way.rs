//! Operators that move what they run once its node is cordoned, so that a budget which refuses now gives way by itself.
//!
//! Each row says when: for CloudNativePG when another instance can be promoted, for Longhorn when another node has an instance
//! manager, for the others as soon as the operator runs. What
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
    /// What must be ready on another node as well.
    needs: Needs,
}

/// What must be ready on another node, so that there is somebody to give way to.
#[derive(Clone, Copy, Debug)]
enum Needs {
    /// Nothing that is known here.
    Nothing,
    /// Another pod of the same resource: an instance that can be promoted.
    SameOwner,
    /// A pod of another resource of the kind: every node has its own.
    SameKind,
}

const OPERATORS: [Operator; 5] = [
    Operator {
        group: "postgresql.cnpg.io",
        name: "CloudNativePG",
        pods: ("app.kubernetes.io/name", "cloudnative-pg"),
        needs: Needs::SameOwner,
    },
    Operator { group: "longhorn.io", name: "Longhorn", pods: ("app", "longhorn-manager"), needs: Needs::SameKind },
    Operator { group: "ceph.rook.io", name: "Rook", pods: ("app", "rook-ceph-operator"), needs: Needs::Nothing },
    Operator {
        group: "kubevirt.io",
        name: "KubeVirt",
        pods: ("kubevirt.io", "virt-controller"),
        needs: Needs::Nothing,
    },
    Operator {
        group: "core.strimzi.io",
        name: "Strimzi's drain cleaner",
        pods: ("app", "strimzi-drain-cleaner"),
        needs: Needs::Nothing,
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
    let has_another = || match OPERATORS[at].needs {
        Needs::Nothing => true,
        Needs::SameOwner => 1 < nodes_with_ready(home, |other| *other == owner).len(),
        Needs::SameKind => {
            let alike = |other: &OwnerRef| (&other.group, &other.kind) == (&owner.group, &owner.kind);
            1 < nodes_with_ready(home, alike).len()
        }
    };
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

/// The nodes on which pods of such owners are ready.
fn nodes_with_ready<'a>(home: &Home<'a>, such: impl Fn(&OwnerRef) -> bool) -> HashSet<&'a Text> {
    let groups = home.groups.iter().filter(|other| owner(home, other).is_some_and(|owner| such(&owner)));
    let pods = groups.flat_map(|group| &group.pods).map(|pod| home.pods[*pod].pod);
    pods.filter(|pod| pod.ready && !pod.terminating).filter_map(|pod| pod.node.as_ref()).collect()
}
