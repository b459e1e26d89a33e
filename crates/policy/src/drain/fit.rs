//! Whether a pod that went finds another node: room, labels, taints, volumes, distance from others.
//!
//! As the scheduler filters (`kubernetes/pkg/scheduler/framework/plugins`), and of the nodes that pass the one with most room:
//! which of them the scheduler would choose is its own affair.

use foldhash::{HashMap, HashSet};
use holdfast_model::Text;
use holdfast_model::facts::{NodeTerms, Pod, Room};

use super::class::Class;
use super::fleet::{Fleet, NodeEntry};

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

/// What has moved since the fleet was built.
#[derive(Clone, Debug, Default)]
pub(super) struct Moves {
    /// Room taken on nodes by pods that came.
    pub(super) taken: HashMap<usize, Room>,
    /// Where pods are now that went: on another node, or nowhere.
    pub(super) now: HashMap<usize, Option<usize>>,
}

/// The search for one pod's node.
pub(super) struct Search<'s, 'a> {
    pub(super) fleet: &'s Fleet<'a>,
    /// Nodes that are being drained.
    pub(super) drained: &'s [usize],
    pub(super) moves: &'s Moves,
}

impl<'a> Search<'_, 'a> {
    /// Where the pod comes back.
    pub(super) fn node_for(&self, at: usize) -> Fit {
        let entry = &self.fleet.pods[at];
        let pod: &'a Pod = entry.pod;
        let nodes = &self.fleet.nodes;
        let (number, class) = self.fleet.classes.of(&pod.placement, nodes);
        if let Some(obstacle) = self.closed(&class) {
            return if class.silent { Fit::Unknown } else { Fit::Nowhere(obstacle) };
        }
        let Some(volumes) = self.volumes(at) else { return Fit::Unknown };
        if pod.placement.near_others {
            return Fit::Unknown;
        }
        let apart = self.occupied(at);
        let crowded = self.crowded(at, number);
        let mut obstacle = Obstacle::Volume;
        let start = self.fleet.classes.first_fit(number, &class.open, pod.placement.requests, nodes);
        // What comes before the first fit has no room, whatever else; it is looked at only to tell why nothing fits.
        for (place, node) in class.open.iter().enumerate().filter(|(_, node)| !self.drained.contains(node)) {
            let step = if place < start { Some(Obstacle::Room) } else { None };
            let found = self.obstacle(pod, *node, &volumes, &apart, &crowded).or(step);
            match found {
                None => return Fit::Node(*node),
                Some(found) => obstacle = obstacle.max(found),
            }
        }
        if class.silent { Fit::Unknown } else { Fit::Nowhere(obstacle) }
    }

    fn closed(&self, class: &Class) -> Option<Obstacle> {
        let others = |nodes: &[usize]| nodes.iter().any(|node| !self.drained.contains(node));
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
        let entry = &self.fleet.nodes[node];
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
        entry.free().minus(self.moves.taken.get(&node).copied().unwrap_or_default())
    }

    /// From where each of its volumes can be reached; none when one isn't known. A claim that isn't bound yet gets its volume
    /// where the pod comes to be.
    fn volumes(&self, at: usize) -> Option<Vec<&'a NodeTerms>> {
        let entry = &self.fleet.pods[at];
        let view = self.fleet.groups[entry.group].view;
        let mut terms = Vec::new();
        for claim in &entry.pod.claims {
            let Some(volume) = &view.claim(claim)?.volume else { continue };
            terms.push(&view.volume(volume)?.nodes);
        }
        Some(terms)
    }

    /// Where pods are near which it must not run, as values of the label that says how near.
    fn occupied(&self, at: usize) -> Vec<(&'a Text, HashSet<&Text>)> {
        let entry = &self.fleet.pods[at];
        let survey = self.fleet.groups[entry.group].survey;
        let pod: &'a Pod = entry.pod;
        let apart = pod.placement.apart.iter();
        let known = apart.filter_map(|apart| Some((&apart.topology, apart.pods.as_ref()?)));
        known
            .map(|(topology, pods)| (topology, self.counted(survey, pods, topology, at).into_keys().collect()))
            .collect()
    }

    /// Where one more pod would be too many, as values of the label over which it is spread.
    fn crowded(&self, at: usize, class: usize) -> Vec<(&'a Text, HashSet<&Text>)> {
        let entry = &self.fleet.pods[at];
        let survey = self.fleet.groups[entry.group].survey;
        let pod: &'a Pod = entry.pod;
        let spread = pod.placement.spread.iter();
        let crowded = spread.map(|spread| {
            let domains = self.fleet.classes.domains(class, &spread.topology, spread.honors_taints, &self.fleet.nodes);
            let counts = self.counted(survey, &spread.pods, &spread.topology, at);
            let in_domains = counts.iter().filter(|(value, _)| domains.contains(**value));
            let (some, least) =
                in_domains.fold((0, u32::MAX), |(some, least), (_, count)| (some + 1, least.min(*count)));
            // The node that is drained counts: a cordon doesn't take it out unless taints are honoured.
            let least = if some < domains.len() { 0 } else { least };
            let most = least.saturating_add(spread.skew);
            let crowded = counts.into_iter().filter(|(_, count)| most <= *count).map(|(value, _)| value);
            (&spread.topology, crowded.collect())
        });
        crowded.collect()
    }

    /// Pods of a namespace that a selection covers, counted by the domain in which they are now; without the pod itself.
    fn counted(
        &self,
        survey: usize,
        pods: &holdfast_model::selector::Selection,
        topology: &Text,
        without: usize,
    ) -> HashMap<&Text, u32> {
        let mut counts: HashMap<&Text, u32> = HashMap::default();
        for pod in self.fleet.covered(survey, pods).flat_map(|group| &group.pods) {
            let entry = &self.fleet.pods[*pod];
            if *pod == without || entry.pod.phase.is_finished() {
                continue;
            }
            let node = self.moves.now.get(pod).copied().unwrap_or(entry.node);
            if let Some(value) = node.and_then(|node| self.fleet.nodes[node].domain(topology)) {
                *counts.entry(value).or_default() += 1;
            }
        }
        counts
    }
}
