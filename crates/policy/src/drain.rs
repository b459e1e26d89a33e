//! What draining a node would do: who may go, who comes back where, and who stands in the way.
//!
//! A drain is played in waves. In each wave every pod that is left is asked of `eviction`; between two of them what went comes
//! back on another node, where one is fit for it (on the same one, where it bears even the cordon), and the budgets are
//! counted anew by the rules of the disruption controller. It ends when the node is empty, when a wave lets nobody go, or when
//! the waits between waves are longer than the drainer's patience even if every replacement is Ready as soon as its probes let
//! it. Taken for granted: a replacement becomes Ready in time, as ready as the pod before it was. Not worked out, but told as
//! [`Why::PlacementUnknown`]: required affinity to other pods, and claims that aren't known. Left out: host ports, device
//! limits, preemption, pods of other namespaces that must not be near, and how the scheduler chooses among nodes that are
//! all fit. A Vault that would come back sealed stands in the way as well (`unseal`). No clock, no client.

mod blocker;
mod class;
mod fit;
pub mod gate;
mod gives_way;
mod home;
mod keeper;
mod nodes;
mod outcome;
pub mod outlook;
mod patience;
mod remedy;
mod sequence;
mod stale;
mod unseal;
mod waves;

pub use blocker::{Blocker, Cause, Lasting, StaysSealed};
pub use fit::Obstacle;
pub use keeper::Keeper;
pub use outcome::{Forecast, Interruption, NodeForecast, Verdict, Why};
pub use patience::Patience;
pub use unseal::Doubt;

use std::collections::BTreeMap;

use holdfast_model::facts::BudgetStatus;
use holdfast_model::{Cluster, ObjectKey, Text};
use jiff::Timestamp;

use home::Home;
use nodes::Nodes;
use sequence::Sequence;

/// How the drainer goes about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Drainer {
    /// Asks again until the node is empty, as kubectl and Talos do, or until its patience is over.
    Retry(Patience),
    /// Asks once and gives up at the first refusal, as tuppr's own drain does.
    OnePass,
}

impl Default for Drainer {
    /// Asks again for five minutes.
    fn default() -> Self {
        Self::Retry(Patience::default())
    }
}

impl Drainer {
    /// Its patience, where that is over before so many seconds have passed.
    fn gives_up_before(self, seconds: u32) -> Option<Patience> {
        match self {
            Self::Retry(patience) => patience.ends_before(seconds).then_some(patience),
            // It never waits.
            Self::OnePass => None,
        }
    }
}

/// What draining each node by itself would do now, by name of the node.
#[must_use]
pub fn forecast(cluster: &Cluster, drainer: Drainer, now: Timestamp) -> Forecast {
    let mut keeper = Keeper::new(drainer);
    keeper.make(cluster, now);
    keeper.into_forecast()
}

/// An upgrade of nodes, one batch after the other.
#[derive(Clone, Copy, Debug)]
pub struct Rolling<'a> {
    /// How the drainer goes about it.
    pub drainer: Drainer,
    /// How many nodes are drained at a time.
    pub parallelism: usize,
    /// The nodes in their order, of which those that aren't known are left out; none: all of them by name.
    pub nodes: Option<&'a [Text]>,
}

impl Rolling<'_> {
    /// All nodes by name.
    #[must_use]
    pub const fn all(drainer: Drainer, parallelism: usize) -> Self {
        Self { drainer, parallelism, nodes: None }
    }
}

/// What draining nodes one after the other would do, as an upgrade does it: each comes back empty before the next. It stops where
/// a drain is stuck; the nodes after that are left out.
#[must_use]
pub fn sequence(cluster: &Cluster, rolling: Rolling<'_>, now: Timestamp) -> Forecast {
    let mut sequence = Sequence::new(cluster, now);
    let order: Vec<usize> = match rolling.nodes {
        Some(names) => names.iter().filter_map(|name| sequence.nodes.number(name)).collect(),
        None => (0..sequence.nodes.entries.len()).collect(),
    };
    let mut nodes = Vec::with_capacity(order.len());
    for batch in order.chunks(rolling.parallelism.max(1)) {
        let forecasts = sequence.batch(batch, rolling.drainer);
        let stuck = forecasts.iter().any(|forecast| forecast.verdict == Verdict::Blocks);
        nodes.extend(forecasts);
        if stuck {
            break;
        }
    }
    Forecast { nodes }
}

/// What the disruption controller makes of every budget, as a forecast counts: from pods and workloads alone. None where that
/// can't be told from here, since a pod's owner has no scale or an unknown one.
#[must_use]
pub fn counted(cluster: &Cluster) -> BTreeMap<ObjectKey, Option<BudgetStatus>> {
    // Only what waits for a time is told by it.
    let nodes = Nodes::new(cluster, Timestamp::MIN);
    let mut counted = BTreeMap::new();
    for view in cluster.namespace_names().filter_map(|name| cluster.namespace(name)) {
        for entry in Home::new(&nodes, view).budgets {
            counted.insert(ObjectKey::new(view.name().clone(), entry.name.clone()), entry.computed);
        }
    }
    counted
}

#[cfg(test)]
mod tests;
