//! Workloads that a budget would only block, since what a drain takes from one node can't come back on another.
//!
//! Judged by what stays: labels, volumes and taints that somebody gave, not by who is cordoned, rebooted or full now. Where no node is known, as in
//! files, nothing is said.

use std::collections::BTreeMap;

use holdfast_model::facts::{Limit, NodeTerms, Pod, Workload};
use holdfast_model::{NamespaceView, PodOwner, Text};

use super::Bounds;

/// Why a budget would block.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Confined {
    /// Its pods could run on fewer than two nodes: on this one, or on none.
    ToOneNode(Option<Text>),
    /// Volumes keep so many of its pods on this node, more than may go at once.
    ByVolumes {
        /// The node.
        node: Text,
        /// The pods.
        pods: u32,
    },
}

/// Why a budget with this limit would block, when it would.
#[must_use]
pub(super) fn confined(view: NamespaceView<'_>, workload: &Workload, bounds: Bounds, limit: Limit) -> Option<Confined> {
    // Where no node is known it isn't known either where pods could run.
    view.nodes().next()?;
    let usable = view.nodes().filter(|(name, node)| {
        workload.placement.wants(name, &node.labels) && workload.placement.repelled_by(node.lasting_taints()).is_none()
    });
    let mut first_two = usable.map(|(name, _)| name);
    let (first, second) = (first_two.next(), first_two.next());
    if second.is_none() {
        return Some(Confined::ToOneNode(first.cloned()));
    }
    by_volumes(view, workload, limit.evictable(bounds.floor.max(1)))
}

/// More pods than `may_go` on one node, whose volumes can be reached from there only.
fn by_volumes(view: NamespaceView<'_>, workload: &Workload, may_go: u32) -> Option<Confined> {
    if !workload.singleness.volume {
        return None;
    }
    let own = PodOwner::Workload(workload.id.clone());
    let mut kept: BTreeMap<&Text, u32> = BTreeMap::new();
    for (_, pod) in view.pods().filter(|(_, pod)| !pod.claims.is_empty() && view.owner_of(pod) == own) {
        if let Some(node) = only_node(view, pod) {
            *kept.entry(node).or_default() += 1;
        }
    }
    let (node, pods) = kept.into_iter().max_by_key(|(_, pods)| *pods)?;
    (may_go < pods).then(|| Confined::ByVolumes { node: node.clone(), pods })
}

/// The only node from which all of its volumes can be reached, when there is just one.
fn only_node<'a>(view: NamespaceView<'a>, pod: &Pod) -> Option<&'a Text> {
    let volumes = pod.claims.iter().filter_map(|claim| view.volume(view.claim(claim)?.volume.as_ref()?));
    let terms: Vec<&NodeTerms> = volumes.map(|volume| &volume.nodes).filter(|terms| !terms.0.is_empty()).collect();
    if terms.is_empty() {
        return None;
    }
    let mut reach = view.nodes().filter(|(name, node)| terms.iter().all(|terms| terms.match_node(name, &node.labels)));
    let first = reach.next()?;
    reach.next().is_none().then_some(first.0)
}
