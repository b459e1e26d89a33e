//! Upgrades of nodes: which is under way, what it waits for, and what of ours waits for it.
//!
//! An upgrade is what tuppr, system-upgrade-controller or Cluster API say is one, and a cordoned node that is being emptied. One
//! that can't be read counts as one: it may be. While one moves, nothing is done that would get in its way ([`Freeze`]); one
//! that hasn't moved for six hours keeps nothing waiting any longer, and a node cordoned for so long is only a cordoned node.
//! A drain that is stuck is seen in the forecast of the cordoned node, never by evicting. Pure: what has to be remembered is in
//! [`Watch`], `now` is given, and [`Look::recheck_at`] says when to look again though nothing changed.

mod freeze;
mod memory;
mod stuck;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use foldhash::HashSet;
use holdfast_model::facts::{Progress, Upgrade};
use holdfast_model::{Cluster, Kind, ObjectKey, Text};
use jiff::Timestamp;

pub use freeze::Freeze;
use memory::{Form, Memory};
use stuck::Standstill;
pub use stuck::StuckDrain;

use crate::drain::NodeForecast;
use crate::drain::gate::Settings;

/// What upgrades nodes: an object of a kind that does, or the cordoned node itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Upgrader {
    /// Its kind; `Node` for a node that somebody empties.
    pub kind: Kind,
    /// Namespace and name; an empty name for all of a kind that can't be watched.
    pub key: ObjectKey,
}

/// The upgrade that is told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Who carries it out.
    pub upgrader: Upgrader,
    /// How far it is, in its own words.
    pub phase: Text,
    /// Why it isn't known how far it is, when it isn't.
    pub unknown: Option<&'static str>,
    /// The nodes that are being done.
    pub nodes: Vec<Text>,
    /// Since when these nodes are being done.
    pub since: Timestamp,
    /// What it waits for, as far as budgets are what it waits for.
    pub waits_for: Vec<String>,
    /// Whether writes of ours wait for it.
    pub frozen: bool,
}

/// What looking comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// The upgrade under way; of several the first that moves.
    pub upgrade: Option<Shown>,
    /// The drains that are stuck, by node and budgets.
    pub stuck: Vec<StuckDrain>,
    /// When it would come to something else though nothing changed.
    pub recheck_at: Option<Timestamp>,
    /// Whether that there is no upgrade means that there is none.
    pub settled: bool,
}

/// What there is to look at.
#[derive(Clone, Copy, Debug)]
pub struct Sight<'a> {
    /// The facts.
    pub cluster: &'a Cluster,
    /// What draining each node would do.
    pub forecast: &'a [NodeForecast],
    /// What may stand in the way.
    pub settings: &'a Settings,
    /// The kinds of upgrades that can't be watched.
    pub unseen: &'a [Kind],
    /// Whether all other kinds have been listed: until then one that is under way may not be known yet.
    pub settled: bool,
}

/// What has been seen of upgrades so far.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    known: BTreeMap<Upgrader, Memory>,
    standstill: Standstill,
    blocking: BTreeSet<ObjectKey>,
    left: Option<Left>,
}

/// An upgrade that didn't move any more when somebody looked before us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// Its kind, as the API spells it.
    pub kind: String,
    /// Its name, with the namespace where it has one.
    pub name: String,
    /// Its phase.
    pub phase: String,
    /// The nodes that were being done.
    pub nodes: Vec<String>,
}

impl fmt::Display for Upgrader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.key.name.is_empty() {
            return write!(f, "any {}", self.kind);
        }
        write!(f, "{} {}", self.kind, self.key)
    }
}

impl Upgrader {
    fn node(name: &Text) -> Self {
        Self { kind: Kind::Node, key: ObjectKey::new("", name.clone()) }
    }

    /// What carries an upgrade out says more about it than the node that it empties.
    fn rank(&self) -> usize {
        Kind::UPGRADES.iter().position(|kind| *kind == self.kind).unwrap_or(Kind::UPGRADES.len())
    }
}

impl Watch {
    /// A watch that begins where another ended that had waited long enough for this upgrade.
    #[must_use]
    pub fn left(left: Option<Left>) -> Self {
        Self { left, ..Self::default() }
    }

    /// Looks at everything.
    pub fn look(&mut self, sight: Sight<'_>, now: Timestamp) -> Look {
        let drains = drains(sight);
        self.remember(sight.cluster, sight.unseen, Some(&drains), now);
        self.resume(sight.settled, now);
        // Only asked for while something waits: of a large cluster it is much.
        self.blocking = if self.known.is_empty() { BTreeSet::new() } else { blocking(sight.forecast) };
        let stuck = self.standstill.look(&drains, sight, now);
        let stalls = self.known.values().filter_map(|memory| memory.stalls_at(now));
        let recheck_at = stalls.chain(self.standstill.next(now)).min();
        Look { upgrade: self.shown(&drains, sight, now), stuck, recheck_at, settled: sight.settled }
    }

    /// What has to wait now. Knows what has changed since the last look, but not yet how many pods are left.
    pub fn freeze(&mut self, cluster: &Cluster, unseen: &[Kind], now: Timestamp) -> Freeze<'_> {
        self.remember(cluster, unseen, None, now);
        let holding = self.known.iter().filter(|(_, memory)| memory.is_under_way(now));
        let first = holding.map(|(upgrader, _)| upgrader).min_by_key(|upgrader| upgrader.rank());
        Freeze { upgrader: first.cloned(), blocking: &self.blocking }
    }

    fn remember(
        &mut self,
        cluster: &Cluster,
        unseen: &[Kind],
        drains: Option<&BTreeMap<&Text, &NodeForecast>>,
        now: Timestamp,
    ) {
        let mut before = std::mem::take(&mut self.known);
        for (upgrader, upgrade) in seen(cluster, unseen) {
            let known = before.remove(&upgrader);
            let left = match drains {
                Some(drains) => left(&upgrader, upgrade.as_ref(), drains),
                None => known.as_ref().and_then(|known| known.form.left),
            };
            let form = Form { upgrade, left, is_node: upgrader.kind == Kind::Node };
            self.known.insert(upgrader, Memory::of(form, known, now));
        }
    }

    /// What was left as not moving is so still, unless it is another by now. Nothing else is known of how long it stood.
    fn resume(&mut self, settled: bool, now: Timestamp) {
        let Some(left) = &self.left else { return };
        let is_left = |upgrader: &Upgrader, memory: &Memory| {
            upgrader.kind.as_str() == left.kind
                && upgrader.key.to_string() == left.name
                && memory.phase().as_str() == left.phase
                // Where it names none, those that were emptied meanwhile were told.
                && memory.nodes().iter().zip(&left.nodes).all(|(node, left)| node.as_str() == left)
        };
        if let Some((_, memory)) = self.known.iter_mut().find(|(upgrader, memory)| is_left(upgrader, memory)) {
            memory.stall(now);
            self.left = None;
        } else if settled {
            self.left = None;
        }
    }

    fn shown(&self, drains: &BTreeMap<&Text, &NodeForecast>, sight: Sight<'_>, now: Timestamp) -> Option<Shown> {
        let told = self.known.iter().filter(|(_, memory)| memory.is_told(now));
        let (upgrader, memory) = told.min_by_key(|(upgrader, memory)| (!memory.moves(now), upgrader.rank()))?;
        let emptied = || {
            let nodes =
                self.known.iter().filter(|(upgrader, memory)| upgrader.kind == Kind::Node && memory.is_told(now));
            nodes.map(|(upgrader, _)| upgrader.key.name.clone())
        };
        let nodes: Vec<Text> = match memory.nodes() {
            [] => emptied().collect(),
            nodes => nodes.to_vec(),
        };
        let waits_for =
            nodes.iter().filter_map(|node| drains.get(node)).flat_map(|node| stuck::waits_for(node, sight, now));
        Some(Shown {
            upgrader: upgrader.clone(),
            phase: memory.phase(),
            unknown: memory.unknown(upgrader),
            waits_for: waits_for.collect(),
            nodes,
            since: memory.since,
            frozen: memory.moves(now),
        })
    }
}

/// Pods still to be evicted from the nodes that are being done; none where that isn't known.
fn left(upgrader: &Upgrader, upgrade: Option<&Upgrade>, drains: &BTreeMap<&Text, &NodeForecast>) -> Option<usize> {
    if upgrader.kind == Kind::Node {
        return drains.get(&upgrader.key.name).map(|node| node.pods);
    }
    let nodes = upgrade.iter().flat_map(|upgrade| &upgrade.nodes);
    Some(nodes.filter_map(|node| drains.get(node)).map(|node| node.pods).sum())
}

/// What is under way or may be: with what it says, where it can be read.
fn seen(cluster: &Cluster, unseen: &[Kind]) -> Vec<(Upgrader, Option<Upgrade>)> {
    let told = cluster.upgrades().filter(|(_, _, upgrade)| match upgrade.progress {
        Progress::Idle => false,
        Progress::Active | Progress::Unknown => true,
    });
    let told = told.map(|(kind, key, upgrade)| (Upgrader { kind, key: key.clone() }, Some(upgrade.clone())));
    let unreadable = Kind::UPGRADES
        .into_iter()
        .flat_map(|kind| cluster.unreadable(kind).map(move |key| (Upgrader { kind, key }, None)));
    let unseen = unseen.iter().map(|kind| (Upgrader { kind: *kind, key: ObjectKey::new("", "") }, None));
    let cordoned = cluster.nodes().filter(|(_, node)| node.cordoned).map(|(name, _)| (Upgrader::node(name), None));
    told.chain(unreadable).chain(unseen).chain(cordoned).collect()
}

/// What draining each cordoned node would do.
fn drains<'a>(sight: Sight<'a>) -> BTreeMap<&'a Text, &'a NodeForecast> {
    let cordoned: HashSet<&Text> =
        sight.cluster.nodes().filter(|(_, node)| node.cordoned).map(|(name, _)| name).collect();
    if cordoned.is_empty() {
        return BTreeMap::new();
    }
    sight.forecast.iter().filter(|node| cordoned.contains(&node.node)).map(|node| (&node.node, node)).collect()
}

/// The budgets that stand in the way of any drain.
fn blocking(forecast: &[NodeForecast]) -> BTreeSet<ObjectKey> {
    let blockers = forecast.iter().flat_map(|node| &node.blockers);
    blockers
        .flat_map(|blocker| {
            blocker.budgets.iter().map(|budget| ObjectKey::new(blocker.pod.namespace.clone(), budget.clone()))
        })
        .collect()
}

#[cfg(test)]
mod tests;
