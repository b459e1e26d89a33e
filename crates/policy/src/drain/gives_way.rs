//! Operators that move what they run once its node is cordoned, so that a budget which refuses now gives way by itself.
//!
//! Each row says when: for CloudNativePG when another instance can be promoted, for the others as soon as the operator runs. What
//! only their own resources tell (whether a Longhorn volume has another replica) isn't known here.

use foldhash::HashSet;
use holdfast_model::{OwnerRef, PodOwner, Text};

use super::fleet::{Fleet, GroupEntry};
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

/// The name of the operator that gives way for this pod, when one does.
pub(super) fn gives_way(fleet: &Fleet<'_>, pod: usize) -> Option<&'static str> {
    let group = &fleet.groups[fleet.pods[pod].group];
    let owner = owner(fleet, group)?;
    let operator = OPERATORS.iter().find(|operator| operator.group == &*owner.group)?;
    let has_another = || !operator.needs_another || 1 < nodes_with_ready(fleet, group, &owner).len();
    (is_available(fleet, operator) && has_another()).then_some(operator.name)
}

/// The custom resource that it belongs to in the end.
fn owner(fleet: &Fleet<'_>, group: &GroupEntry<'_>) -> Option<OwnerRef> {
    let maker = &fleet.makers[group.maker];
    match (&maker.owner, maker.workload) {
        (PodOwner::Custom(owner), _) => Some(owner.clone()),
        (PodOwner::Workload(_), Some(workload)) => custom_owner(group.view, workload),
        (PodOwner::Workload(_) | PodOwner::Node(_) | PodOwner::Nobody | PodOwner::Unknown(_), _) => None,
    }
}

/// The nodes on which pods of the same owner are ready.
fn nodes_with_ready<'a>(fleet: &Fleet<'a>, group: &GroupEntry<'_>, of: &OwnerRef) -> HashSet<&'a Text> {
    let same = fleet.groups.iter().filter(|other| other.home == group.home && owner(fleet, other).as_ref() == Some(of));
    let pods = same.flat_map(|group| &group.pods).map(|pod| fleet.pods[*pod].pod);
    pods.filter(|pod| pod.ready && !pod.terminating).filter_map(|pod| pod.node.as_ref()).collect()
}

fn is_available(fleet: &Fleet<'_>, operator: &Operator) -> bool {
    let (key, value) = operator.pods;
    let own = fleet.groups.iter().filter(|group| {
        let first = group.pods.first().map(|pod| fleet.pods[*pod].pod);
        first.is_some_and(|pod| pod.labels.get(key).is_some_and(|found| *found == value))
    });
    own.flat_map(|group| &group.pods).any(|pod| fleet.pods[*pod].pod.ready)
}
