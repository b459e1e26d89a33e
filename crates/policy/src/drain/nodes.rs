//! The nodes as a drain sees them: what room each has, and which of them a pod may come back on.

use std::collections::BTreeMap;

use foldhash::HashMap;
use holdfast_model::facts::{Node, Pod, Room};
use holdfast_model::{Cluster, NamespaceView, Text};
use jiff::Timestamp;

use super::class::Classes;
use super::gives_way::Operators;

/// All nodes. One of which only pods are known is none of them: nobody can drain it.
pub(super) struct Nodes<'a> {
    pub(super) cluster: &'a Cluster,
    /// When it is looked at.
    pub(super) now: Timestamp,
    pub(super) entries: Vec<NodeEntry<'a>>,
    pub(super) classes: Classes<'a>,
    pub(super) operators: Operators,
    by_name: HashMap<&'a Text, usize>,
}

/// A node.
pub(super) struct NodeEntry<'a> {
    pub(super) name: &'a Text,
    pub(super) node: &'a Node,
    /// What its pods take.
    pub(super) used: Room,
}

/// Room on nodes that pods have taken which a drain moved there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Taken(BTreeMap<u32, Room>);

impl<'a> Nodes<'a> {
    /// The nodes by name, without pods.
    pub(super) fn new(cluster: &'a Cluster, now: Timestamp) -> Self {
        let entries: Vec<NodeEntry<'a>> =
            cluster.nodes().map(|(name, node)| NodeEntry { name, node, used: Room::default() }).collect();
        let by_name = entries.iter().enumerate().map(|(at, node)| (node.name, at)).collect();
        Self { cluster, now, entries, classes: Classes::default(), operators: Operators::default(), by_name }
    }

    /// Counts the room that the pods of a namespace take.
    pub(super) fn load(&mut self, view: NamespaceView<'_>) {
        for (_, pod) in view.pods() {
            if let Some(node) = self.hosting(pod) {
                let entry = &mut self.entries[node];
                entry.used = entry.used.plus(taken_by(pod));
            }
        }
    }

    /// The node of a pod, when it is known.
    pub(super) fn hosting(&self, pod: &Pod) -> Option<usize> {
        pod.node.as_ref().and_then(|node| self.number(node))
    }

    /// The number of the node with this name.
    pub(super) fn number(&self, name: &Text) -> Option<usize> {
        self.by_name.get(name).copied()
    }
}

impl NodeEntry<'_> {
    /// What is left of its room.
    pub(super) fn free(&self) -> Room {
        self.node.allocatable.unwrap_or_default().minus(self.used)
    }

    /// The value of a label by which nodes are told apart.
    pub(super) fn domain(&self, topology: &Text) -> Option<&Text> {
        self.node.labels.value_of(topology)
    }
}

/// The room that a pod takes where it is.
pub(super) fn taken_by(pod: &Pod) -> Room {
    if pod.phase.is_finished() { Room::default() } else { pod.placement.requests }
}

impl Taken {
    pub(super) fn add(&mut self, node: usize, room: Room) {
        self.add_all([(number(node), room)]);
    }

    pub(super) fn add_all(&mut self, others: impl IntoIterator<Item = (u32, Room)>) {
        for (node, room) in others {
            let taken = self.0.entry(node).or_default();
            *taken = taken.plus(room);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, Room)> {
        self.0.iter().map(|(node, room)| (*node, *room))
    }

    pub(super) fn on(&self, node: usize) -> Room {
        self.0.get(&number(node)).copied().unwrap_or_default()
    }

    /// To keep: the least that says the same.
    pub(super) fn kept(self) -> Box<[(u32, Room)]> {
        self.0.into_iter().collect()
    }
}

fn number(node: usize) -> u32 {
    // A cluster of four thousand million nodes has other sorrows.
    u32::try_from(node).unwrap_or(u32::MAX)
}
