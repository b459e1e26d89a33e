//! What has to be written so that the budgets are as they should be: the difference between wanted and known.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use holdfast_model::facts::Budget;
use holdfast_model::{Kind, NamespaceView, ObjectKey, PodOwner, Text, WorkloadKind, WorkloadRef};

use super::wanted::{annotation, names, plain_name};
use super::{Decision, Outcome, Wanted};
use crate::Policies;
use crate::survey::{Named, Survey};

/// One write. Ordered so that a withdrawal that ends an overlap comes first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// Delete a budget of ours.
    Withdraw {
        /// Its namespace and name.
        key: ObjectKey,
        /// The workload it was for, when that is known.
        workload: Option<WorkloadRef>,
        /// The object as it is known: nothing else may be deleted.
        seen: Preconditions,
        /// Why.
        reason: Reason,
    },
    /// Create one, unless something has the name.
    Create(Wanted),
    /// Change one of ours.
    Update {
        /// What it should say.
        wanted: Wanted,
        /// The object as it is known: nothing else may be changed.
        seen: Preconditions,
    },
}

/// Which object exactly is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preconditions {
    /// Its UID.
    pub uid: Box<str>,
    /// Its resourceVersion.
    pub version: Box<str>,
}

/// Why a budget of ours is withdrawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// It covers pods that another budget covers too. Never waits.
    Overlap,
    /// It can't allow an eviction as things are. Never waits.
    Blocks,
    /// Its policy isn't there any more, or enforces no longer.
    NotEnforced,
    /// Its workload isn't there any more.
    WorkloadGone,
    /// No policy selects its workload any more.
    NotSelected,
    /// The workload should have none.
    NotWanted,
}

impl Reason {
    /// As it is written in events and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Overlap => "Overlap",
            Self::Blocks => "Blocks",
            Self::WorkloadGone => "WorkloadGone",
            Self::NotEnforced => "NotEnforced",
            Self::NotSelected => "NotSelected",
            Self::NotWanted => "NotWanted",
        }
    }

    /// As a person is told.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Overlap => "another budget covers the same pods",
            Self::Blocks => "it covers pods of a kind without a scale, so it would block every drain",
            Self::NotEnforced => "its policy is gone or in mode Report",
            Self::WorkloadGone => "its workload is gone",
            Self::NotSelected => "no policy selects its workload any more",
            Self::NotWanted => "its workload should have none",
        }
    }

    /// Whether the withdrawal waits for nothing: neither debounce nor brake nor upgrade.
    #[must_use]
    pub const fn is_urgent(self) -> bool {
        match self {
            Self::Overlap | Self::Blocks => true,
            Self::WorkloadGone | Self::NotEnforced | Self::NotSelected | Self::NotWanted => false,
        }
    }

    /// Whether the withdrawal waits while an upgrade is under way. One that a person asked for by taking the policy away
    /// doesn't: garbage collection wouldn't wait either.
    #[must_use]
    pub const fn is_frozen(self) -> bool {
        match self {
            Self::Overlap | Self::Blocks | Self::NotEnforced => false,
            Self::WorkloadGone | Self::NotSelected | Self::NotWanted => true,
        }
    }

    /// Whether many of these at once may come from a broken selector or a half-read cluster, rather than from a policy.
    #[must_use]
    pub const fn is_braked(self) -> bool {
        match self {
            Self::Overlap | Self::Blocks | Self::NotEnforced => false,
            Self::WorkloadGone | Self::NotSelected | Self::NotWanted => true,
        }
    }
}

impl Write {
    /// The object that is written.
    #[must_use]
    pub fn key(&self) -> &ObjectKey {
        match self {
            Self::Withdraw { key, .. } => key,
            Self::Create(wanted) | Self::Update { wanted, .. } => &wanted.key,
        }
    }

    /// Why a budget is withdrawn; none when it isn't.
    #[must_use]
    pub fn withdrawn_for(&self) -> Option<Reason> {
        match self {
            Self::Withdraw { reason, .. } => Some(*reason),
            Self::Create(_) | Self::Update { .. } => None,
        }
    }
}

/// The budget of ours that serves a workload, when there is one: by our annotation, else by its name. Of several the
/// first by name stays.
pub(super) fn serving<'a>(survey: &Survey<'a>, workload: &WorkloadRef) -> Option<Named<'a>> {
    let plain = plain_name(workload);
    let named = survey.naming(&annotation(workload)).min_by_key(|(name, _)| (name.as_str() != plain, *name));
    let nameless = |(_, budget): &Named<'a>| budget.is_held() && budget.workload.is_none();
    named.or_else(|| survey.view.named_budget(&Text::known(&plain)?).filter(nameless))
}

/// The name for a budget of this workload: that of the one that serves it, else the first one that nobody has.
pub(super) fn name(view: NamespaceView<'_>, workload: &WorkloadRef, serving: Option<Named<'_>>) -> Text {
    if let Some((name, _)) = serving {
        return name.clone();
    }
    let free = |name: &Text| view.budget(name).is_none() && !view.is_unreadable(Kind::PodDisruptionBudget, Some(name));
    names(workload).find(free).unwrap_or_else(|| plain_name(workload).into())
}

/// The writes that lead from what is known to what the outcomes want. None of them starts an overlap with anything
/// known, in whatever order they are carried out: what another budget of ours stands in the way of is written when that
/// one is seen to be gone.
pub(super) fn diff(survey: &Survey<'_>, outcomes: &[Outcome], policies: &Policies) -> Vec<Write> {
    let view = survey.view;
    // In a namespace that is going everything goes by itself, and nothing can be created.
    let writable = view.namespace().is_some_and(|namespace| !namespace.terminating);
    if !writable || view.is_unreadable(Kind::Namespace, None) {
        return Vec::new();
    }
    let wanted = outcomes.iter().filter_map(|outcome| outcome.wanted.as_ref());
    let wanted: BTreeMap<&Text, &Wanted> = wanted.map(|wanted| (&wanted.key.name, wanted)).collect();
    let pending: Vec<&Wanted> = wanted.values().copied().filter(|wanted| is_pending(view, wanted)).collect();
    let in_the_way: BTreeSet<&Text> = pending.iter().flat_map(|wanted| in_the_way(survey, wanted)).collect();
    let stays = Stays {
        wanted: wanted.keys().copied().filter(|name| !in_the_way.contains(name)).collect(),
        kept: outcomes.iter().filter_map(|outcome| outcome.keeps.as_ref()).collect(),
    };
    let ready = pending
        .into_iter()
        .filter(|wanted| !in_the_way.contains(&wanted.key.name) && self::in_the_way(survey, wanted).next().is_none());
    withdrawals(survey, outcomes, policies, &stays).into_iter().chain(ready.map(|wanted| write(view, wanted))).collect()
}

/// The budgets that are not withdrawn.
struct Stays<'a> {
    /// They are as they should be, or will be with one write.
    wanted: BTreeSet<&'a Text>,
    /// They are left as they are, since something that must be known can't be read.
    kept: BTreeSet<&'a Text>,
}

fn is_pending(view: NamespaceView<'_>, wanted: &Wanted) -> bool {
    view.budget(&wanted.key.name).is_none_or(|budget| !wanted.is(budget))
}

/// Other budgets that cover, as they are now, pods that the wanted one is to cover. Ours among them have to go first (a
/// workload has a new name, or took the labels of another): writing at once would start an overlap, however short.
fn in_the_way<'a>(survey: &Survey<'a>, wanted: &Wanted) -> impl Iterator<Item = &'a Text> {
    let others = survey.budgets_over(&wanted.selector).map(|(name, _)| name);
    others.filter(|name| **name != wanted.key.name)
}

fn write(view: NamespaceView<'_>, wanted: &Wanted) -> Write {
    match view.budget(&wanted.key.name) {
        None => Write::Create(wanted.clone()),
        Some(budget) => Write::Update { wanted: wanted.clone(), seen: seen(budget) },
    }
}

fn withdrawals(survey: &Survey<'_>, outcomes: &[Outcome], policies: &Policies, stays: &Stays<'_>) -> Vec<Write> {
    let ours = survey.view.budgets().filter(|(name, budget)| budget.is_held() && !stays.wanted.contains(name));
    let going = ours.filter(|(name, budget)| !is_left_alone(survey, policies, stays, name, budget));
    let outcomes: HashMap<String, &Outcome> =
        outcomes.iter().map(|outcome| (annotation(&outcome.workload), outcome)).collect();
    let mut found: Vec<(Reason, Write)> = going
        .map(|(name, budget)| {
            let outcome = budget.workload.as_deref().and_then(|workload| outcomes.get(workload).copied());
            let reason = why(survey, outcome, policies, name, budget);
            let key = ObjectKey::new(survey.view.name().clone(), name.clone());
            let workload = outcome.map(|outcome| outcome.workload.clone());
            (reason, Write::Withdraw { key, workload, seen: seen(budget), reason })
        })
        .collect();
    found.sort_by_key(|(reason, _)| *reason);
    found.into_iter().map(|(_, write)| write).collect()
}

/// Whether a budget of ours waits until something can be read. One that is part of an overlap waits for nothing, unless
/// the overlap ends with the other one.
fn is_left_alone(survey: &Survey<'_>, policies: &Policies, stays: &Stays<'_>, name: &Text, budget: &Budget) -> bool {
    if stays.kept.contains(name) {
        let lasting = |other: &Text, budget: &Budget| {
            !budget.is_held() || stays.wanted.contains(other) || stays.kept.contains(other)
        };
        return !overlapping(survey, name, budget).any(|(other, budget)| lasting(other, budget));
    }
    let of_unreadable = budget.policy().is_some_and(|policy| policies.is_unreadable(policy));
    (of_unreadable || for_unreadable(survey.view, budget)) && overlapping(survey, name, budget).next().is_none()
}

/// Whether the workload it is for is there, but can't be read.
fn for_unreadable(view: NamespaceView<'_>, budget: &Budget) -> bool {
    let mut unreadable = view.unreadable();
    unreadable.any(|(kind, name, _)| budget.workload.as_deref() == Some(&format!("{kind}/{name}")))
}

fn why(survey: &Survey<'_>, outcome: Option<&Outcome>, policies: &Policies, name: &Text, budget: &Budget) -> Reason {
    if overlapping(survey, name, budget).next().is_some() {
        return Reason::Overlap;
    }
    if blocks(survey, budget) {
        return Reason::Blocks;
    }
    if !budget.policy().is_some_and(|policy| policies.is_enforced(policy)) {
        return Reason::NotEnforced;
    }
    match outcome {
        None => Reason::WorkloadGone,
        Some(outcome) if outcome.decision == Decision::NotSelected => Reason::NotSelected,
        Some(_) => Reason::NotWanted,
    }
}

/// The other budgets over pods that this one covers.
fn overlapping<'a>(survey: &Survey<'a>, name: &Text, budget: &Budget) -> impl Iterator<Item = Named<'a>> {
    let selector = budget.selection.selector();
    let over = selector.map(|selector| survey.budgets_over(selector)).into_iter().flatten();
    over.filter(move |(other, _)| *other != name)
}

/// Whether the disruption controller can't compute it, so that it allows nothing for good.
fn blocks(survey: &Survey<'_>, budget: &Budget) -> bool {
    let Some(selector) = budget.selection.selector() else { return false };
    let scaleless = |maker: &PodOwner| match maker {
        PodOwner::Node(_) => true,
        PodOwner::Workload(id) => match id.kind {
            WorkloadKind::DaemonSet | WorkloadKind::Job | WorkloadKind::CronJob => true,
            WorkloadKind::Deployment | WorkloadKind::StatefulSet | WorkloadKind::ReplicaSet => false,
        },
        PodOwner::Custom(_) => true,
        PodOwner::Nobody | PodOwner::Unknown(_) => false,
    };
    survey.covered(selector).iter().any(|group| !group.pods.is_empty() && scaleless(&group.maker))
}

fn seen(budget: &Budget) -> Preconditions {
    Preconditions { uid: budget.uid.clone(), version: budget.version.clone() }
}
