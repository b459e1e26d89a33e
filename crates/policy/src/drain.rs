//! What draining a node would do: who may go, who comes back where, and who stands in the way.
//!
//! A drain is played in waves. In each wave every pod that is left is asked of `eviction`; between two of them what went comes
//! back on another node, where one is fit for it (on the same one, where it bears even the cordon), and the budgets are
//! counted anew by the rules of the disruption controller. It ends when the node is empty or a wave lets nobody go. Taken for
//! granted: a replacement becomes Ready in time, as ready as the pod before it was. Not worked out, but told as
//! [`Why::PlacementUnknown`]: required affinity to other pods, and claims that aren't known. Left out: host ports, device
//! limits, preemption, pods of other namespaces that must not be near, and how the scheduler chooses among nodes that are
//! all fit. No clock, no client.

mod class;
mod fit;
mod fleet;
pub mod gate;
mod gives_way;
mod outcome;
mod remedy;
mod waves;

pub use fit::Obstacle;
pub use outcome::{Blocker, Cause, Forecast, Interruption, Lasting, NodeForecast, Verdict, Why};

use std::collections::BTreeMap;

use holdfast_model::facts::BudgetStatus;
use holdfast_model::{Cluster, ObjectKey, Text};

use fleet::Fleet;

/// How the drainer goes about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Drainer {
    /// Asks again until the node is empty, as kubectl and Talos do.
    #[default]
    Retry,
    /// Asks once and gives up at the first refusal, as tuppr's own drain does.
    OnePass,
}

/// What draining each node by itself would do now, by name of the node.
#[must_use]
pub fn forecast(cluster: &Cluster, drainer: Drainer) -> Forecast {
    if cluster.nodes().next().is_none() {
        return Forecast::default();
    }
    let fleet = Fleet::new(cluster);
    Forecast { nodes: (0..fleet.node_count()).map(|node| outcome::of_node(&fleet, node, drainer)).collect() }
}

/// What draining one node would do now; none when it isn't known.
#[must_use]
pub fn forecast_node(cluster: &Cluster, name: &Text, drainer: Drainer) -> Option<NodeForecast> {
    let fleet = Fleet::new(cluster);
    let node = fleet.node_index(name)?;
    Some(outcome::of_node(&fleet, node, drainer))
}

/// What draining all nodes one after the other would do, `parallelism` of them at a time, as an upgrade does it: each comes
/// back empty before the next. It stops where a drain is stuck; the nodes after that are left out.
#[must_use]
pub fn sequence(cluster: &Cluster, drainer: Drainer, parallelism: usize) -> Forecast {
    let mut fleet = Fleet::new(cluster);
    let mut nodes = Vec::with_capacity(fleet.node_count());
    let all: Vec<usize> = (0..fleet.node_count()).collect();
    for batch in all.chunks(parallelism.max(1)) {
        let forecasts = outcome::of_batch(&mut fleet, batch, drainer);
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
    let fleet = Fleet::new(cluster);
    let key = |entry: &fleet::BudgetEntry<'_>| ObjectKey::new(entry.namespace.clone(), entry.name.clone());
    fleet.budgets.iter().map(|entry| (key(entry), entry.computed.clone())).collect()
}

#[cfg(test)]
mod tests;
