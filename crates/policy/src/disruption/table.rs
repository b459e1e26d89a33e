//! The decision table: the first row that applies to a workload decides which budget it gets.
//!
//! The rows stand in [`decide`] in the order of the documentation. Pure: facts in, decision out.

use holdfast_model::amount::Amount;
use holdfast_model::facts::{Limit, UnhealthyPods, Workload};
use holdfast_model::selector::{Selection, Selector};
use holdfast_model::{Labels, OwnerRef, PodOwner, Text};

use super::confined::{Confined, confined};
use super::quorum::is_quorum;
use super::wanted::Terms;
use super::{Bounds, Settings, operators};
use crate::Excepted;
use crate::survey::Survey;

/// What a workload gets, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// None: it is excepted from having one.
    Excepted(Excepted),
    /// None: no policy selects it.
    NotSelected,
    /// None: its operator makes its own.
    OperatorOwned(OwnerRef),
    /// None: it belongs to a custom resource whose controller may want its own.
    CustomOwned(OwnerRef),
    /// None: it has no selector, or one that can't be evaluated.
    SelectorInvalid(String),
    /// None: its selector covers pods of something else.
    SelectorShared(PodOwner),
    /// None: budgets that aren't ours cover its pods.
    Yielded(Vec<Text>),
    /// None: it has no replicas and won't get any.
    ScaledToZero,
    /// None: there is never more than one replica.
    Singleton,
    /// None: its pods can't come back on another node, so it would block the drain.
    Confined(Confined),
    /// None: two voters, neither of which may go.
    QuorumPair,
    /// As it is: something that must be known can't be read.
    Held(&'static str),
    /// This one.
    Budget(Terms),
}

/// What a decision about one workload reads.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// The namespace.
    pub survey: &'a Survey<'a>,
    /// The workload.
    pub workload: &'a Workload,
    /// Between how many replicas it may have.
    pub bounds: Bounds,
    /// The policy that decides for it.
    pub settings: Option<&'a Settings>,
    /// The exception from having a budget.
    pub excepted: Option<&'a Excepted>,
    /// Budgets that aren't ours and cover its pods.
    pub foreign: &'a [Text],
}

/// The table.
#[must_use]
pub fn decide(case: Case<'_>) -> Decision {
    let Case { survey, workload, bounds, settings, excepted, foreign } = case;
    let Some(settings) = settings else { return Decision::NotSelected };
    if let Some(excepted) = excepted {
        return Decision::Excepted(excepted.clone());
    }
    if let Some(owner) = operators::custom_owner(survey.view, workload) {
        return if operators::makes_its_own(&owner.group) {
            Decision::OperatorOwned(owner)
        } else {
            Decision::CustomOwned(owner)
        };
    }
    let selector = match &workload.selection {
        Selection::Absent => return Decision::SelectorInvalid("it has no selector".to_owned()),
        Selection::Invalid(error) => return Decision::SelectorInvalid(error.to_string()),
        Selection::Valid(selector) => selector,
    };
    if let Some(other) = shared_with(survey, workload, selector) {
        return Decision::SelectorShared(other);
    }
    if !foreign.is_empty() {
        return Decision::Yielded(foreign.to_vec());
    }
    match (bounds.floor, bounds.ceiling) {
        (_, 0) => Decision::ScaledToZero,
        (_, 1) => Decision::Singleton,
        _ => spread(case, settings),
    }
}

/// What several replicas get.
fn spread(case: Case<'_>, settings: &Settings) -> Decision {
    let Case { survey, workload, bounds, .. } = case;
    let votes = is_quorum(workload);
    if votes && bounds.asked == 2 {
        return Decision::QuorumPair;
    }
    let terms = match bounds.floor {
        _ if votes && 2 < bounds.asked => Terms { limit: one_may_go(), unhealthy_pods: UnhealthyPods::IfHealthyBudget },
        0 | 1 => Terms { limit: one_may_go(), unhealthy_pods: UnhealthyPods::AlwaysAllow },
        floor => Terms { limit: within(settings.max_unavailable, floor), unhealthy_pods: settings.unhealthy_pods },
    };
    confined(survey.view, workload, bounds, terms.limit).map_or(Decision::Budget(terms), Decision::Confined)
}

/// The first other maker of pods that the selector covers, now or as soon as it makes one.
fn shared_with(survey: &Survey<'_>, workload: &Workload, selector: &Selector) -> Option<PodOwner> {
    let others = survey.covered(selector).into_iter().filter_map(|group| match &group.maker {
        PodOwner::Workload(id) if *id == workload.id => None,
        PodOwner::Unknown(_) => other_claimant(survey, workload, group.labels),
        PodOwner::Workload(_) | PodOwner::Custom(_) | PodOwner::Node(_) | PodOwner::Nobody => Some(group.maker.clone()),
    });
    others.min()
}

/// An owner that isn't known yet doesn't count (the watches of pods and ReplicaSets are not in step), unless the pods
/// could be those of another workload as well.
fn other_claimant(survey: &Survey<'_>, workload: &Workload, labels: &Labels) -> Option<PodOwner> {
    let mut others = survey.view.workloads().filter(|other| other.id != workload.id);
    others.find(|other| other.selection.matches(labels)).map(|other| PodOwner::Workload(other.id.clone()))
}

/// What voters get whatever their number, and what never blocks while an autoscaler has scaled down to one.
fn one_may_go() -> Limit {
    Limit::MaxUnavailable(Amount::Pods(1))
}

/// What the policy asks for, unless it would let every pod go at the floor; then one pod less than the floor.
fn within(asked: Amount, floor: u32) -> Limit {
    let most = floor - 1;
    Limit::MaxUnavailable(if asked.of(floor) <= most { asked } else { Amount::Pods(most) })
}

impl Decision {
    /// Whether the workload is left to somebody else's budget.
    #[must_use]
    pub fn is_yielded(&self) -> bool {
        match self {
            Self::Yielded(_) | Self::OperatorOwned(_) => true,
            Self::Excepted(_)
            | Self::NotSelected
            | Self::CustomOwned(_)
            | Self::SelectorInvalid(_)
            | Self::SelectorShared(_)
            | Self::ScaledToZero
            | Self::Singleton
            | Self::Confined(_)
            | Self::QuorumPair
            | Self::Held(_)
            | Self::Budget(_) => false,
        }
    }
}
