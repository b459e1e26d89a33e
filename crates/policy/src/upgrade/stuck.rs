//! Drains that don't get on: a cordoned node with a pod that its budget doesn't let go.

use std::collections::BTreeMap;

use holdfast_model::facts::FluxOwner;
use holdfast_model::{ObjectKey, Text};
use jiff::{SignedDuration, Timestamp};

use super::Sight;
use crate::drain::{Blocker, Interruption, Lasting, NodeForecast, Why};

/// For how long a budget may refuse that will let go when more is ready: long enough for a quick replacement, and short
/// enough to be told within ten seconds of the first refusal.
const TRANSIENT: SignedDuration = SignedDuration::from_secs(8);

/// A drain that is stuck on a budget, or on several over the same pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StuckDrain {
    /// The node.
    pub node: Text,
    /// The namespace of pods and budgets.
    pub namespace: Text,
    /// The budgets that refuse.
    pub budgets: Vec<Text>,
    /// The HelmReleases and Kustomizations in which a person mends it.
    pub flux: Vec<FluxOwner>,
    /// What is wrong and what to do: a clause in lower case, without a full stop.
    pub message: String,
}

/// Since when which budgets refuse, by node, namespace and budgets.
#[derive(Clone, Debug, Default)]
pub(super) struct Standstill(BTreeMap<Obstacle, Timestamp>);

type Obstacle = (Text, Text, Vec<Text>);

impl Standstill {
    /// The drains that are stuck now.
    pub(super) fn look(
        &mut self,
        drains: &BTreeMap<&Text, &NodeForecast>,
        sight: Sight<'_>,
        now: Timestamp,
    ) -> Vec<StuckDrain> {
        let before = std::mem::take(&mut self.0);
        let mut stuck = Vec::new();
        for node in drains.values() {
            for ((namespace, budgets), blockers) in refusing(node, sight, now) {
                let obstacle = (node.node.clone(), namespace.clone(), budgets.to_vec());
                let since = before.get(&obstacle).copied().unwrap_or(now);
                let lasting = blockers.iter().any(|blocker| blocker.lasting == Lasting::Structural);
                if lasting || patience_ends(since) <= now {
                    stuck.extend(stuck_drain(node, &blockers));
                }
                self.0.insert(obstacle, since);
            }
        }
        stuck
    }

    /// When the next one has refused for long enough.
    pub(super) fn next(&self, now: Timestamp) -> Option<Timestamp> {
        self.0.values().map(|since| patience_ends(*since)).filter(|end| now < *end).min()
    }
}

/// What the drain of a node waits for now: a line for each budget, and for each pod that an operator is going to move.
pub(super) fn waits_for(node: &NodeForecast, sight: Sight<'_>, now: Timestamp) -> Vec<String> {
    let refusing = refusing(node, sight, now);
    let budgets = refusing.values().filter_map(|blockers| blockers.first()).map(|blocker| line(node, blocker));
    budgets.chain(node.interruptions.iter().filter_map(|felt| giving_way(node, felt))).collect()
}

/// Where the operator hasn't given way yet: as long as it does, nothing is stuck.
fn giving_way(node: &NodeForecast, felt: &Interruption) -> Option<String> {
    match felt.why {
        Why::OperatorGivesWay(operator) => Some(format!("{operator}, to move pod {} from {}", felt.pod, node.node)),
        Why::LastReady
        | Why::Bare
        | Why::Job
        | Why::PlacementUnknown
        | Why::NoPlace(_)
        | Why::WaitsForPredecessor
        | Why::StartUnknown(_) => None,
    }
}

/// Those that hold a drain up, without those that may, by namespace and budgets. Not those that nobody refuses to let go, such as a
/// Vault that would come back sealed: a drain that has begun gets past them. Nor those whose turn comes too late: it moves.
fn refusing<'a>(
    node: &'a NodeForecast,
    sight: Sight<'_>,
    now: Timestamp,
) -> BTreeMap<(&'a Text, &'a [Text]), Vec<&'a Blocker>> {
    let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
    let counts = |blocker: &&Blocker| sight.settings.accepts(sight.cluster, blocker, now).is_none();
    let holds = |blocker: &&Blocker| blocker.is_refused();
    for blocker in node.blockers.iter().filter(holds).filter(counts) {
        found.entry((&blocker.pod.namespace, blocker.budgets.as_slice())).or_default().push(blocker);
    }
    found
}

fn stuck_drain(node: &NodeForecast, blockers: &[&Blocker]) -> Option<StuckDrain> {
    let first = blockers.first()?;
    let mut flux: Vec<FluxOwner> = blockers.iter().filter_map(|blocker| blocker.flux.clone()).collect();
    flux.sort();
    flux.dedup();
    Some(StuckDrain {
        node: node.node.clone(),
        namespace: first.pod.namespace.clone(),
        budgets: first.budgets.clone(),
        flux,
        message: format!("the drain of {} waits for {}; {}", node.node, said(first), first.remedy),
    })
}

fn line(node: &NodeForecast, blocker: &Blocker) -> String {
    format!("{} on {}", said(blocker), node.node)
}

fn said(blocker: &Blocker) -> String {
    format!("pod {} ({}: {})", blocker.pod, blocker.by(), blocker.message())
}

fn patience_ends(since: Timestamp) -> Timestamp {
    since.checked_add(TRANSIENT).unwrap_or(Timestamp::MAX)
}

impl StuckDrain {
    /// The budgets, with their namespace.
    pub fn budget_keys(&self) -> impl Iterator<Item = ObjectKey> {
        self.budgets.iter().map(|budget| ObjectKey::new(self.namespace.clone(), budget.clone()))
    }
}
