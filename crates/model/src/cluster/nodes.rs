//! What belongs to no namespace: nodes, and the volumes that keep pods on some of them.

use std::collections::BTreeMap;

use crate::facts::{Node, Volume};
use crate::{Text, Touched};

/// All nodes and volumes, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Nodes {
    pub(super) nodes: BTreeMap<Text, Node>,
    pub(super) volumes: BTreeMap<Text, Volume>,
}

impl Nodes {
    /// What a node is like decides in any namespace how many nodes a workload may use; what state it is in doesn't.
    pub(super) fn insert_node(&mut self, name: Text, node: Node) -> Touched {
        let touched = match self.nodes.get(&name) {
            Some(before) if *before == node => Touched::Nothing,
            Some(before) if before.labels == node.labels && before.taints == node.taints => Touched::Nodes,
            Some(_) | None => Touched::All,
        };
        self.nodes.insert(name, node);
        touched
    }

    pub(super) fn remove_node(&mut self, name: &Text) -> Touched {
        if self.nodes.remove(name).is_some() { Touched::All } else { Touched::Nothing }
    }

    pub(super) fn insert_volume(&mut self, name: Text, volume: Volume) -> Touched {
        let before = self.volumes.get(&name);
        if before == Some(&volume) {
            return Touched::Nothing;
        }
        let mut touched = before.map(home).unwrap_or_default();
        touched.add(home(&volume));
        self.volumes.insert(name, volume);
        touched
    }

    pub(super) fn remove_volume(&mut self, name: &Text) -> Touched {
        self.volumes.remove(name).as_ref().map(home).unwrap_or_default()
    }
}

/// Whose pods a volume keeps on some nodes: those of the namespace of its claim.
fn home(volume: &Volume) -> Touched {
    volume.claim.as_ref().map_or(Touched::Nodes, |claim| Touched::namespace(claim.namespace.clone()))
}
