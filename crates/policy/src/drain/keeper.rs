//! A forecast that is kept: what changed is forecast anew, the rest is remembered.

use std::collections::{BTreeMap, BTreeSet};

use foldhash::HashMap;
use holdfast_model::facts::Room;
use holdfast_model::{Cluster, NamespaceView, Text};
use jiff::Timestamp;

use super::Drainer;
use super::home::Home;
use super::nodes::{Nodes, Taken};
use super::outcome::{Forecast, NodeForecast, Part, Played, Tally};
use super::waves::Scene;

/// A forecast, and of each node what each namespace contributed to it.
///
/// Whatever a namespace's own pods, budgets and workloads do to a drain is known at once. Whether its pods find room beside
/// those of other namespaces, and whether an operator that runs elsewhere gives way, is known as of the time when it was
/// forecast last: so make everything anew now and then.
#[derive(Debug, Default)]
pub struct Keeper {
    drainer: Drainer,
    forecast: Forecast,
    shares: Vec<Vec<Share>>,
    /// When a namespace would contribute something else though nothing changed.
    rechecks: BTreeMap<Text, Timestamp>,
}

/// What a namespace contributed to the forecast of a node, beside those who block and what is felt.
#[derive(Debug)]
struct Share {
    namespace: Text,
    tally: Tally,
    /// What its pods take there.
    used: Room,
    /// What they would take elsewhere.
    taken: Box<[(u32, Room)]>,
}

impl Keeper {
    /// A forecast of nothing yet.
    #[must_use]
    pub fn new(drainer: Drainer) -> Self {
        Self { drainer, ..Self::default() }
    }

    /// How the drainer goes about it.
    #[must_use]
    pub fn drainer(&self) -> Drainer {
        self.drainer
    }

    /// The forecast as it is.
    #[must_use]
    pub fn forecast(&self) -> &Forecast {
        &self.forecast
    }

    /// The forecast alone.
    #[must_use]
    pub fn into_forecast(self) -> Forecast {
        self.forecast
    }

    /// When a part of it would be different though nothing changed.
    #[must_use]
    pub fn recheck_at(&self) -> Option<Timestamp> {
        self.rechecks.values().min().copied()
    }

    /// The namespaces of which that is so by now.
    pub fn due(&self, now: Timestamp) -> impl Iterator<Item = &Text> {
        self.rechecks.iter().filter(move |(_, at)| **at <= now).map(|(namespace, _)| namespace)
    }

    /// Makes everything anew.
    pub fn make(&mut self, cluster: &Cluster, now: Timestamp) {
        self.forecast.nodes = cluster.nodes().map(|(name, _)| NodeForecast::empty(name.clone())).collect();
        self.shares.clear();
        self.rechecks.clear();
        self.shares.resize_with(self.forecast.nodes.len(), Vec::new);
        if !self.shares.is_empty() {
            let names: Vec<&Text> = cluster.namespace_names().collect();
            self.play(cluster, &names, now);
        }
        self.shares.iter_mut().for_each(Vec::shrink_to_fit);
    }

    /// Makes anew what these namespaces contribute; everything when a node came or went.
    pub fn update(&mut self, cluster: &Cluster, namespaces: &BTreeSet<Text>, now: Timestamp) {
        if !cluster.nodes().map(|(name, _)| name).eq(self.forecast.nodes.iter().map(|known| &known.node)) {
            self.make(cluster, now);
            return;
        }
        self.rechecks.retain(|namespace, _| !namespaces.contains(namespace));
        for (forecast, shares) in self.forecast.nodes.iter_mut().zip(&mut self.shares) {
            let known = shares.len();
            shares.retain(|share| !namespaces.contains(&share.namespace));
            if shares.len() < known {
                forecast.blockers.retain(|blocker| !namespaces.contains(&blocker.pod.namespace));
                forecast.interruptions.retain(|felt| !namespaces.contains(&felt.pod.namespace));
                forecast.conclude(shares.iter().map(|share| share.tally));
            }
        }
        self.play(cluster, &namespaces.iter().collect::<Vec<_>>(), now);
    }

    /// Forecasts what these namespaces contribute, of which nothing is there.
    fn play(&mut self, cluster: &Cluster, namespaces: &[&Text], now: Timestamp) {
        let views = || namespaces.iter().filter_map(|name| cluster.namespace(name));
        let mut nodes = Nodes::new(cluster, now);
        for (entry, shares) in nodes.entries.iter_mut().zip(&self.shares) {
            entry.used = shares.iter().fold(Room::default(), |used, share| used.plus(share.used));
        }
        views().for_each(|view| nodes.load(view));
        let mut taken: HashMap<usize, Taken> = HashMap::default();
        for view in views() {
            self.play_one(&nodes, view, &mut taken);
        }
        for node in taken.into_keys() {
            self.forecast.nodes[node].conclude(self.shares[node].iter().map(|share| share.tally));
        }
    }

    fn play_one<'a>(&mut self, nodes: &Nodes<'a>, view: NamespaceView<'a>, taken: &mut HashMap<usize, Taken>) {
        let home = Home::new(nodes, view);
        if let Some(at) = home.sure_at(nodes.now) {
            self.rechecks.insert(view.name().clone(), at);
        }
        for node in home.hosts() {
            let shares = &mut self.shares[node];
            let taken = taken.entry(node).or_insert_with(|| {
                let mut taken = Taken::default();
                shares.iter().for_each(|share| taken.add_all(share.taken.iter().copied()));
                taken
            });
            let scene = Scene { nodes, home: &home, drained: &[node], taken, drainer: self.drainer };
            let played = Played::new(scene);
            let Part { tally, blockers, interruptions } = played.part(node);
            let own = played.now.moves.taken;
            taken.add_all(own.iter());
            shares.push(Share { namespace: view.name().clone(), tally, used: home.used_on(node), taken: own.kept() });
            self.forecast.nodes[node].blockers.extend(blockers);
            self.forecast.nodes[node].interruptions.extend(interruptions);
        }
    }
}

#[cfg(test)]
mod tests;
