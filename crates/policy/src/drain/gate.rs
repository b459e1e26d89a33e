//! The gate that upgrades wait at: when it closes, and when it opens again.
//!
//! It closes at once for what blocks for good, after half a minute for what may pass, and opens after ten seconds in which
//! nothing blocked. While every pod that blocks belongs to a workload that is being rolled out it waits as long as a rollout
//! may take: a healthy one never closes it, and one that doesn't come to its end does. Pure: `now` is given, and
//! [`Judgement::recheck_at`] says when to ask again though nothing changed.

use holdfast_api as api;
use holdfast_model::selector::{Selector, SelectorError};
use holdfast_model::{Cluster, Kind, Labels, ObjectKey, PodOwner, Text};
use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

use super::{Blocker, Drainer, Forecast, Lasting, NodeForecast, Patience, Verdict};
use crate::duration;
use crate::policies::raw_selector;

/// How long something may block that may pass.
const TRANSIENT: SignedDuration = SignedDuration::from_secs(30);
/// How long a rollout may take: the API's default of `progressDeadlineSeconds`.
const ROLLOUT: SignedDuration = SignedDuration::from_secs(600);
/// For how long nothing must block.
const CALM: SignedDuration = SignedDuration::from_secs(10);

/// What a DrainReadiness asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// How the drainer goes about it.
    pub drainer: Drainer,
    nodes: Selector,
    accepted: Vec<Accepted>,
}

/// Why a DrainReadiness can't mean anything.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SettingsError {
    /// The selector of nodes can't be evaluated.
    #[error("spec.nodeSelector: {0}")]
    Nodes(#[source] SelectorError),
    /// The wait is no duration.
    #[error("spec.waitPerNode: {0:?} is no duration: write hours, minutes and seconds, such as 5m or 1h30m")]
    Wait(String),
    /// A selector of pods can't be evaluated.
    #[error("spec.accept[{0}].selector: {1}")]
    Accepted(usize, #[source] SelectorError),
}

/// What may stand in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Accepted {
    namespace: Text,
    whom: Whom,
    reason: String,
    expires_at: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Whom {
    Named(Text),
    Selected(Selector),
}

/// The forecast as the gate sees it: the nodes that count, and what stands in their way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The nodes, the worst first; verdicts without what is accepted.
    pub nodes: Vec<(Text, Verdict)>,
    /// What stands in the way, what blocks for good first.
    pub blockers: Vec<Standing>,
    /// What is felt, by node.
    pub felt: Vec<(Text, String)>,
    /// Objects that can't be read and might stand in the way.
    pub unreadable: Vec<String>,
    /// When something accepted ends.
    pub recheck_at: Option<Timestamp>,
}

/// Somebody who stands in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The node.
    pub node: Text,
    /// Who, and why.
    pub blocker: Blocker,
    /// Why the gate doesn't wait for it.
    pub accepted: Option<String>,
}

/// What the gate has seen so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gate {
    open: bool,
    calm_since: Option<Timestamp>,
    transient_since: Option<Timestamp>,
}

/// What the gate comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// Whether an upgrade may begin.
    pub drainable: bool,
    /// Whether nothing blocks any more, but not for long enough.
    pub settling: bool,
    /// When it would be judged otherwise though nothing changed.
    pub recheck_at: Option<Timestamp>,
}

impl TryFrom<&api::DrainReadinessSpec> for Settings {
    type Error = SettingsError;

    fn try_from(raw: &api::DrainReadinessSpec) -> Result<Self, SettingsError> {
        let nodes = raw.node_selector.as_ref().map(|selector| Selector::try_from(&raw_selector(selector)));
        let accepted = raw
            .accept
            .iter()
            .enumerate()
            .map(|(at, accepted)| Accepted::try_from(accepted).map_err(|error| SettingsError::Accepted(at, error)));
        Ok(Self {
            drainer: match raw.drainer {
                api::Drainer::Retry => Drainer::Retry(patience(&raw.wait_per_node)?),
                api::Drainer::OnePass => Drainer::OnePass,
            },
            nodes: nodes.transpose().map_err(SettingsError::Nodes)?.unwrap_or_default(),
            accepted: accepted.collect::<Result<_, _>>()?,
        })
    }
}

fn patience(raw: &str) -> Result<Patience, SettingsError> {
    duration::parse(raw).map(Patience::of).ok_or_else(|| SettingsError::Wait(raw.to_owned()))
}

impl TryFrom<&api::Accepted> for Accepted {
    type Error = SelectorError;

    fn try_from(raw: &api::Accepted) -> Result<Self, SelectorError> {
        let whom = match (&raw.name, &raw.selector) {
            (Some(name), _) => Whom::Named(Text::from(name)),
            (None, Some(selector)) => Whom::Selected(Selector::try_from(&raw_selector(selector))?),
            // The API server refuses it; it accepts nobody.
            (None, None) => Whom::Named(Text::default()),
        };
        Ok(Self {
            namespace: Text::from(&raw.namespace),
            whom,
            reason: raw.reason.clone(),
            expires_at: raw.expires_at.as_ref().map(|time| time.0),
        })
    }
}

impl Accepted {
    fn covers(&self, blocker: &Blocker, labels: Option<&Labels>) -> bool {
        let named = |name: &Text| {
            let owner = match &blocker.owner {
                PodOwner::Workload(id) => Some(&id.name),
                PodOwner::Custom(owner) | PodOwner::Unknown(owner) => Some(&owner.name),
                PodOwner::Node(_) | PodOwner::Nobody => None,
            };
            owner == Some(name) || blocker.budgets.contains(name) || blocker.unseal() == Some(name)
        };
        self.namespace == blocker.pod.namespace
            && match &self.whom {
                Whom::Named(name) => named(name),
                Whom::Selected(selector) => labels.is_some_and(|labels| selector.matches(labels)),
            }
    }

    fn is_over(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }
}

impl Reading {
    /// What a forecast means for these settings.
    #[must_use]
    pub fn new(cluster: &Cluster, forecast: &Forecast, settings: &Settings, now: Timestamp) -> Self {
        let mut reading =
            Self { recheck_at: settings.next_end(now), unreadable: unreadable(cluster), ..Self::default() };
        let counts =
            |node: &&NodeForecast| cluster.node(&node.node).is_some_and(|facts| settings.nodes.matches(&facts.labels));
        for node in forecast.nodes.iter().filter(counts) {
            reading.add(cluster, node, settings, now);
        }
        reading.nodes.sort_by(|(a, worse), (b, better)| (better, a).cmp(&(worse, b)));
        let order = |standing: &Standing| {
            (standing.accepted.is_some(), standing.blocker.lasting, standing.node.clone(), standing.blocker.pod.clone())
        };
        reading.blockers.sort_by_cached_key(order);
        reading
    }

    fn add(&mut self, cluster: &Cluster, node: &NodeForecast, settings: &Settings, now: Timestamp) {
        let mut blocks = false;
        for blocker in &node.blockers {
            let accepted = settings.accepts(cluster, blocker, now);
            blocks |= accepted.is_none();
            self.blockers.push(Standing { node: node.node.clone(), blocker: blocker.clone(), accepted });
        }
        let verdict = match (blocks, node.verdict) {
            (true, _) => Verdict::Blocks,
            (false, Verdict::Blocks) => Verdict::Interrupts,
            (false, verdict) => verdict,
        };
        if let Some(felt) = felt(node) {
            self.felt.push((node.node.clone(), felt));
        }
        self.nodes.push((node.node.clone(), verdict));
    }

    /// How many nodes have this verdict.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        self.nodes.iter().filter(|(_, known)| *known == verdict).count()
    }

    /// Those for whom the gate waits.
    pub fn waits_for(&self) -> impl Iterator<Item = &Standing> {
        self.blockers.iter().filter(|standing| standing.accepted.is_none())
    }
}

/// What can't be read and might stand in the way. Not a VaultTransitUnseal: of one that can't be read it isn't known whether its
/// server would start, which stands in nobody's way (`unseal`).
fn unreadable(cluster: &Cluster) -> Vec<String> {
    let views = cluster.namespace_names().filter_map(|name| cluster.namespace(name));
    let objects = views.flat_map(|view| view.unreadable().map(move |(kind, name, _)| (kind, view.name(), name)));
    let matters = |kind: Kind| matches!(kind, Kind::Node | Kind::Pod | Kind::PodDisruptionBudget);
    let told = |(kind, namespace, name): (Kind, &Text, &Text)| {
        format!("{kind} {}", ObjectKey::new(namespace.clone(), name.clone()))
    };
    objects.filter(|(kind, _, _)| matters(*kind)).map(told).collect()
}

/// What is felt of a node's drain, without counting: numbers change with every pod.
fn felt(node: &NodeForecast) -> Option<String> {
    let mut whys: Vec<&'static str> = node.interruptions.iter().map(|felt| felt.why.as_str()).collect();
    whys.sort_unstable();
    whys.dedup();
    (!whys.is_empty()).then(|| whys.join(", "))
}

impl Settings {
    /// Why a blocker doesn't count, when it doesn't.
    pub(crate) fn accepts(&self, cluster: &Cluster, blocker: &Blocker, now: Timestamp) -> Option<String> {
        let view = cluster.namespace(&blocker.pod.namespace)?;
        let labels = view.pod(&blocker.pod.name).map(|pod| &pod.labels);
        let mut accepted = self.accepted.iter().filter(|accepted| !accepted.is_over(now));
        accepted.find(|accepted| accepted.covers(blocker, labels)).map(|accepted| accepted.reason.clone())
    }

    fn next_end(&self, now: Timestamp) -> Option<Timestamp> {
        self.accepted.iter().filter_map(|accepted| accepted.expires_at).filter(|end| now < *end).min()
    }
}

impl Gate {
    /// A gate that was left open, or closed, by whoever judged before.
    #[must_use]
    pub fn left(open: bool) -> Self {
        Self { open, ..Self::default() }
    }

    /// Judges a reading.
    pub fn judge(&mut self, reading: &Reading, now: Timestamp) -> Judgement {
        // What isn't known is no reason to begin.
        let mut structural = reading.nodes.is_empty() || !reading.unreadable.is_empty();
        let mut rolling = true;
        let mut any = false;
        for standing in reading.waits_for() {
            any = true;
            structural |= standing.blocker.lasting == Lasting::Structural;
            rolling &= standing.blocker.rolls_out;
        }
        let own = if structural {
            *self = Self::default();
            None
        } else if any {
            self.transient(if rolling { ROLLOUT } else { TRANSIENT }, now)
        } else {
            self.calm(now)
        };
        let recheck_at = [own, reading.recheck_at].into_iter().flatten().min();
        Judgement { drainable: self.open, settling: !self.open && !any && !structural, recheck_at }
    }

    fn transient(&mut self, patience: SignedDuration, now: Timestamp) -> Option<Timestamp> {
        self.calm_since = None;
        let end = later(*self.transient_since.get_or_insert(now), patience);
        self.open &= now < end;
        self.open.then_some(end)
    }

    fn calm(&mut self, now: Timestamp) -> Option<Timestamp> {
        self.transient_since = None;
        let end = later(*self.calm_since.get_or_insert(now), CALM);
        self.open |= end <= now;
        (!self.open).then_some(end)
    }
}

fn later(since: Timestamp, wait: SignedDuration) -> Timestamp {
    since.checked_add(wait).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
