//! Whether a pod that went finds another node: room, labels, taints, volumes, distance from others.
//!
//! As the scheduler filters (`kubernetes/pkg/scheduler/framework/plugins`), and of the nodes that pass the one with most room:
//! which of them the scheduler would choose is its own affair.

use std::rc::Rc;

use foldhash::{HashMap, HashSet};
use holdfast_model::Text;
use holdfast_model::facts::{NodeTerms, Pod, Room};
use holdfast_model::selector::Selection;

use super::class::Class;
use super::home::Home;
use super::nodes::{NodeEntry, Nodes, Taken, taken_by};

/// What keeps a pod from coming back, in the order in which it is looked at: the last that left no node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Obstacle {
    /// No other node has the labels that it asks for.
    Labels,
    /// The others have taints that it doesn't bear.
    Taints,
    /// The others are cordoned or not ready.
    Closed,
    /// Its volume can't be reached from the others.
    Volume,
    /// The others run pods near which it must not run.
    Apart,
    /// It would be spread too unevenly.
    Spread,
    /// The others have no room.
    Room,
}

impl Obstacle {
    /// As a clause: "it finds no other node, since ...".
    #[must_use]
    pub const fn because(self) -> &'static str {
        match self {
            Self::Labels => "no other node has the labels that it asks for",
            Self::Taints => "the other nodes have taints that it doesn't bear",
            Self::Closed => "the other nodes are cordoned or not ready",
            Self::Volume => "its volume can't be reached from another node",
            Self::Apart => "the other nodes run pods near which it must not run",
            Self::Spread => "on the other nodes it would be spread too unevenly",
            Self::Room => "the other nodes have no room for it",
        }
    }
}

/// Where a pod comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// On this node.
    Node(usize),
    /// On some node, as far as can be told.
    Unknown,
    /// Nowhere.
    Nowhere(Obstacle),
}

/// What has moved in a namespace since the drain began.
#[derive(Clone, Debug, Default)]
pub(super) struct Moves {
    /// Room taken on nodes by pods that came.
    pub(super) taken: Taken,
    /// Where pods are now that went: on another node, or nowhere.
    pub(super) now: HashMap<usize, Option<usize>>,
}

/// The search for one pod's node.
pub(super) struct Search<'s, 'a> {
    pub(super) nodes: &'s Nodes<'a>,
    pub(super) home: &'s Home<'a>,
    /// Nodes that are being drained.
    pub(super) drained: &'s [usize],
    /// Room taken by pods of other namespaces that came.
    pub(super) taken: &'s Taken,
    pub(super) moves: &'s Moves,
}

impl<'a> Search<'_, 'a> {
    /// Where the pod comes back.
    pub(super) fn node_for(&self, at: usize) -> Fit {
        let entry = &self.home.pods[at];
        let pod: &'a Pod = entry.pod;
        let nodes = &self.nodes.entries;
        let (number, class) = self.nodes.classes.of(&pod.placement, nodes);
        if let Some(obstacle) = self.closed(&class) {
            return if class.silent { Fit::Unknown } else { Fit::Nowhere(obstacle) };
        }
        let Some(volumes) = self.volumes(at) else { return Fit::Unknown };
        if pod.placement.near_others {
            return Fit::Unknown;
        }
        let apart = self.occupied(at);
        let crowded = self.crowded(at, number, &class);
        let obstacle = |node: usize| self.obstacle(pod, node, &volumes, &apart, &crowded);
        let start = self.nodes.classes.first_fit(number, &class.open, pod.placement.requests, nodes);
        let is_drained = |node: &&usize| self.drained.contains(node);
        let (full, roomy) = class.open.split_at(start);
        // Where pods have gone from there is more room than there was.
        let others = roomy.iter().filter(|node| !is_drained(node));
        let drained = class.open.iter().filter(|node| class.bears_cordon && is_drained(node));
        if let Some(node) = others.clone().chain(drained.clone()).find(|node| obstacle(**node).is_none()) {
            return Fit::Node(*node);
        }
        if class.silent {
            return Fit::Unknown;
        }
        // Where nobody has room it needn't be asked node by node what else is in the way.
        let worst = others.chain(drained).filter_map(|node| obstacle(*node)).max();
        let worst = worst.max(full.iter().any(|node| !is_drained(&node)).then_some(Obstacle::Room));
        Fit::Nowhere(worst.unwrap_or(Obstacle::Closed))
    }

    fn closed(&self, class: &Class) -> Option<Obstacle> {
        let others = |nodes: &[usize]| nodes.iter().any(|node| class.bears_cordon || !self.drained.contains(node));
        if !others(&class.wanted) {
            Some(Obstacle::Labels)
        } else if !others(&class.borne) {
            Some(Obstacle::Taints)
        } else if !others(&class.open) {
            Some(Obstacle::Closed)
        } else {
            None
        }
    }

    fn obstacle(
        &self,
        pod: &Pod,
        node: usize,
        volumes: &[&NodeTerms],
        apart: &[(&Text, HashSet<&Text>)],
        crowded: &[(&Text, HashSet<&Text>)],
    ) -> Option<Obstacle> {
        let entry = &self.nodes.entries[node];
        let in_any = |domains: &[(&Text, HashSet<&Text>)], unlabelled: bool| {
            domains
                .iter()
                .any(|(topology, values)| entry.domain(topology).map_or(unlabelled, |value| values.contains(value)))
        };
        if !volumes.iter().all(|terms| terms.match_node(entry.name, &entry.node.labels)) {
            return Some(Obstacle::Volume);
        }
        if in_any(apart, false) {
            return Some(Obstacle::Apart);
        }
        // A node without the label is none over which anything is spread.
        if in_any(crowded, true) {
            return Some(Obstacle::Spread);
        }
        (!self.free(node, entry).holds(pod.placement.requests)).then_some(Obstacle::Room)
    }

    fn free(&self, node: usize, entry: &NodeEntry<'_>) -> Room {
        let mut free = entry.free();
        if self.drained.contains(&node) {
            // What others left doesn't matter: what comes back here left room enough for itself.
            let gone = self.home.on(node).filter(|pod| self.moves.now.contains_key(pod));
            free = gone.fold(free, |free, pod| free.plus(taken_by(self.home.pods[pod].pod)));
        }
        free.minus(self.taken.on(node)).minus(self.moves.taken.on(node))
    }

    /// From where each of its volumes can be reached; none when one isn't known. A claim that isn't bound yet gets its volume
    /// where the pod comes to be.
    fn volumes(&self, at: usize) -> Option<Vec<&'a NodeTerms>> {
        let entry = &self.home.pods[at];
        let view = self.home.view;
        let mut terms = Vec::new();
        for claim in entry.pod.claims.iter() {
            let Some(volume) = &view.claim(claim)?.volume else { continue };
            terms.push(&view.volume(volume)?.nodes);
        }
        Some(terms)
    }

    /// Where pods are near which it must not run, or that must not run near it, as values of the label that says how near.
    fn occupied(&self, at: usize) -> Vec<(&'a Text, HashSet<&Text>)> {
        let entry = &self.home.pods[at];
        let pod: &'a Pod = entry.pod;
        let apart = pod.placement.apart.iter();
        let known = apart.filter_map(|apart| Some((&apart.topology, apart.pods.as_ref()?)));
        let own =
            known.map(|(topology, pods)| (topology, self.counted(pods, topology, at, |_| true).into_keys().collect()));
        let wary = self.home.wary.iter();
        let of_others = wary.filter(|wary| wary.apart.pods.as_ref().is_some_and(|pods| pods.matches(&pod.labels)));
        let of_others = of_others.map(|wary| {
            let topology = &wary.apart.topology;
            let here = wary.pods.iter().filter(|other| **other != at && self.is_there(**other));
            let nodes = here.filter_map(|other| self.node_of(*other));
            (topology, nodes.filter_map(|node| self.nodes.entries[node].domain(topology)).collect())
        });
        own.chain(of_others).collect()
    }

    /// Where one more pod would be too many, as values of the label over which it is spread.
    fn crowded(&self, at: usize, number: usize, class: &Class) -> Vec<(&'a Text, HashSet<&Text>)> {
        let entry = &self.home.pods[at];
        let pod: &'a Pod = entry.pod;
        let nodes = &self.nodes.entries;
        // Taints that it doesn't bear take a node out of the count only where that is asked for, a cordon as well.
        let honored = |node: usize| {
            class.borne.binary_search(&node).is_ok()
                && (class.bears_cordon || !(nodes[node].node.cordoned || self.drained.contains(&node)))
        };
        let crowded = pod.placement.spread.iter().map(|spread| {
            let topology = &spread.topology;
            let counts = |node: usize| match spread.honors_taints {
                true => honored(node),
                false => class.wanted.binary_search(&node).is_ok(),
            };
            let domains = match spread.honors_taints {
                true => {
                    let honored = class.borne.iter().filter(|node| honored(**node));
                    Rc::new(honored.filter_map(|node| nodes[*node].domain(topology).cloned()).collect())
                }
                false => self.nodes.classes.domains(number, topology, nodes),
            };
            let counts = self.counted(&spread.pods, topology, at, counts);
            let (some, least) =
                counts.values().fold((0, u32::MAX), |(some, least), count| (some + 1, least.min(*count)));
            let least = if some < domains.len() { 0 } else { least };
            let most = least.saturating_add(spread.skew);
            (topology, counts.into_iter().filter(|(_, count)| most <= *count).map(|(value, _)| value).collect())
        });
        crowded.collect()
    }

    /// Pods that a selection covers, on nodes that count, by the domain in which they are now; without the pod
    /// itself.
    fn counted(
        &self,
        pods: &Selection,
        topology: &Text,
        without: usize,
        counts_on: impl Fn(usize) -> bool,
    ) -> HashMap<&Text, u32> {
        let mut counts: HashMap<&Text, u32> = HashMap::default();
        for pod in self.home.covered(pods).flat_map(|group| &group.pods) {
            if *pod == without || !self.is_there(*pod) {
                continue;
            }
            let node = self.node_of(*pod).filter(|node| counts_on(*node));
            if let Some(value) = node.and_then(|node| self.nodes.entries[node].domain(topology)) {
                *counts.entry(value).or_default() += 1;
            }
        }
        counts
    }

    fn is_there(&self, pod: usize) -> bool {
        !self.home.pods[pod].pod.phase.is_finished()
    }

    /// The node on which a pod is now.
    fn node_of(&self, pod: usize) -> Option<usize> {
        self.moves.now.get(&pod).copied().unwrap_or(self.home.pods[pod].node)
    }
}
