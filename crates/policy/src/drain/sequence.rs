//! All nodes one after the other: what went from one is on others when the next is drained.

use holdfast_model::Cluster;
use jiff::Timestamp;

use super::Drainer;
use super::fit::{Fit, Moves, Search};
use super::home::Home;
use super::nodes::{Nodes, Taken};
use super::outcome::{NodeForecast, Part, Played};
use super::waves::Scene;

/// The whole cluster, as far as the drains have come.
pub(super) struct Sequence<'a> {
    pub(super) nodes: Nodes<'a>,
    homes: Vec<Home<'a>>,
}

impl<'a> Sequence<'a> {
    pub(super) fn new(cluster: &'a Cluster, now: Timestamp) -> Self {
        let mut nodes = Nodes::new(cluster, now);
        let views = || cluster.namespace_names().filter_map(|name| cluster.namespace(name));
        views().for_each(|view| nodes.load(view));
        let homes = views().map(|view| Home::new(&nodes, view)).collect();
        Self { nodes, homes }
    }

    /// What draining these nodes at the same time would do; what went is on other nodes from then on.
    pub(super) fn batch(&mut self, batch: &[usize], drainer: Drainer) -> Vec<NodeForecast> {
        let Self { nodes, homes } = self;
        let mut taken = Taken::default();
        let mut parts: Vec<Vec<Part>> = batch.iter().map(|_| Vec::new()).collect();
        let mut drained = Vec::new();
        for (at, home) in homes.iter().enumerate() {
            if batch.iter().all(|node| home.on(*node).next().is_none()) {
                continue;
            }
            let played = Played::new(Scene { nodes, home, drained: batch, taken: &taken, drainer });
            parts.iter_mut().zip(batch).for_each(|(parts, node)| parts.push(played.part(*node)));
            let now = played.now;
            taken.add_all(now.moves.taken.iter());
            drained.push((at, now));
        }
        for (at, now) in &drained {
            for (pod, node) in &now.moves.now {
                homes[*at].put(nodes, *pod, *node);
            }
        }
        nodes.classes.moved();
        // The nodes come back, and with them a place for what found none.
        for (at, now) in drained {
            for pod in now.lost {
                let (taken, moves) = (Taken::default(), Moves::default());
                let search = Search { nodes, home: &homes[at], drained: &[], taken: &taken, moves: &moves };
                if let Fit::Node(node) = search.node_for(pod) {
                    homes[at].put(nodes, pod, Some(node));
                }
            }
        }
        let told = |(node, parts): (&usize, Vec<Part>)| {
            let mut forecast = NodeForecast::empty(nodes.entries[*node].name.clone());
            let tallies: Vec<_> = parts.iter().map(|part| part.tally).collect();
            for part in parts {
                forecast.blockers.extend(part.blockers);
                forecast.interruptions.extend(part.interruptions);
            }
            forecast.conclude(tallies.into_iter());
            forecast
        };
        batch.iter().zip(parts).map(told).collect()
    }
}
