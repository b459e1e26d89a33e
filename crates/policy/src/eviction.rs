//! What the eviction subresource answers for a pod: who may go, and who stands in the way.
//!
//! The same steps in the same order as `kubernetes/pkg/registry/core/pod/storage/eviction.go`, from the pod and from spec and
//! status of the budgets of its namespace alone. [`Budget::status`](holdfast_model::facts::Budget) is what the disruption
//! controller wrote; [`expected`] works out what it is going to write. Absent: anything about what comes after an eviction,
//! which is `drain`.

pub mod expected;

use std::fmt;

use holdfast_model::facts::{Budget, BudgetStatus, Pod, UnhealthyPods};
use holdfast_model::{NamespaceView, Text};

/// A budget of which so many evictions aren't confirmed yet allows no more.
const MOST_DISRUPTED: u32 = 2_000;

/// What the eviction subresource answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer<'a> {
    /// The pod goes (201).
    Allowed(Grant<'a>),
    /// It doesn't.
    Refused(Refusal<'a>),
}

/// Why a pod may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant<'a> {
    /// It hasn't begun, has ended, or is going already: no budget is asked.
    Unguarded,
    /// No budget covers it.
    NoBudget,
    /// It isn't ready, and its budget lets such pods go without counting them.
    Unready(&'a Text),
    /// Its budget has one eviction less left.
    Spends(&'a Text),
}

/// Why a pod may not go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal<'a> {
    /// Several budgets cover it (500): nothing but a change of them helps.
    SeveralBudgets(Vec<&'a Text>),
    /// Its budget refuses.
    Budget(&'a Text, Objection),
}

/// Why a budget refuses.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Objection {
    /// The disruption controller has not seen it as it is now, or never could (429, with `Retry-After: 10`).
    NotObserved,
    /// The disruption controller can't count its pods, and why (429).
    SyncFailed(Text),
    /// It allows fewer than none (403).
    Negative,
    /// Too many evictions aren't confirmed yet (403).
    TooManyUnconfirmed,
    /// So many pods have to stay, and there are not more (429).
    NoneLeft {
        /// Ready pods that must stay.
        needs: i32,
        /// Ready pods.
        has: i32,
    },
    /// It counts no pod that it could let go (429).
    CountsNone,
}

/// What the eviction subresource would answer for a pod of this namespace now.
#[must_use]
pub fn answer<'a>(view: NamespaceView<'a>, pod: &Pod) -> Answer<'a> {
    if is_unguarded(pod) {
        return Answer::Allowed(Grant::Unguarded);
    }
    let covering: Vec<_> = view.budgets().filter(|(_, budget)| budget.selection.matches(&pod.labels)).collect();
    match covering.as_slice() {
        [] => Answer::Allowed(Grant::NoBudget),
        [(name, budget)] => match ask(budget, &budget.status, pod.ready) {
            Ok(Cost::Nothing) => Answer::Allowed(Grant::Unready(name)),
            Ok(Cost::One) => Answer::Allowed(Grant::Spends(name)),
            Err(objection) => Answer::Refused(Refusal::Budget(name, objection)),
        },
        several => Answer::Refused(Refusal::SeveralBudgets(several.iter().map(|(name, _)| *name).collect())),
    }
}

/// Whether the pod goes without a budget being asked (`canIgnorePDB`).
#[must_use]
pub fn is_unguarded(pod: &Pod) -> bool {
    pod.terminating || pod.phase.is_finished() || pod.phase.is_pending()
}

/// What an eviction costs a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// An unready pod that may go without being counted.
    Nothing,
    /// One of the evictions that it allows.
    One,
}

/// What the only budget over a pod says, when its status is this one.
///
/// # Errors
/// When it refuses.
pub fn ask(budget: &Budget, status: &BudgetStatus, ready: bool) -> Result<Cost, Objection> {
    if !ready {
        let free = match budget.unhealthy_pods {
            UnhealthyPods::AlwaysAllow => true,
            UnhealthyPods::IfHealthyBudget => false,
        };
        if free || (status.desired <= status.healthy && 0 < status.desired) {
            return Ok(Cost::Nothing);
        }
    }
    check(status).map(|()| Cost::One)
}

/// `checkAndDecrement`.
fn check(status: &BudgetStatus) -> Result<(), Objection> {
    if status.observed.unwrap_or(0) < status.generation {
        return Err(Objection::NotObserved);
    }
    if status.allowed < 0 {
        return Err(Objection::Negative);
    }
    if MOST_DISRUPTED < status.disrupted {
        return Err(Objection::TooManyUnconfirmed);
    }
    if 0 < status.allowed {
        return Ok(());
    }
    Err(match &status.sync_failed {
        Some(why) => Objection::SyncFailed(why.clone()),
        None if status.desired < status.healthy => Objection::CountsNone,
        None => Objection::NoneLeft { needs: status.desired, has: status.healthy },
    })
}

impl Answer<'_> {
    /// The HTTP status of the answer.
    #[must_use]
    pub fn code(&self) -> u16 {
        match self {
            Self::Allowed(_) => 201,
            Self::Refused(refusal) => refusal.code(),
        }
    }

    /// The reason in one word, for programs.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Allowed(grant) => grant.reason(),
            Self::Refused(Refusal::SeveralBudgets(_)) => "SeveralBudgets",
            Self::Refused(Refusal::Budget(_, objection)) => objection.reason(),
        }
    }

    /// The budgets that were asked.
    #[must_use]
    pub fn budgets(&self) -> Vec<&Text> {
        match self {
            Self::Allowed(Grant::Unguarded | Grant::NoBudget) => Vec::new(),
            Self::Allowed(Grant::Unready(budget) | Grant::Spends(budget)) => vec![budget],
            Self::Refused(Refusal::SeveralBudgets(budgets)) => budgets.clone(),
            Self::Refused(Refusal::Budget(budget, _)) => vec![budget],
        }
    }

    /// Whether the pod may go.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        match self {
            Self::Allowed(_) => true,
            Self::Refused(_) => false,
        }
    }
}

impl Refusal<'_> {
    /// The HTTP status of the answer.
    #[must_use]
    pub fn code(&self) -> u16 {
        match self {
            Self::SeveralBudgets(_) => 500,
            Self::Budget(_, objection) => objection.code(),
        }
    }
}

impl Objection {
    /// The HTTP status of the answer.
    #[must_use]
    pub fn code(&self) -> u16 {
        match self {
            Self::Negative | Self::TooManyUnconfirmed => 403,
            Self::NotObserved | Self::SyncFailed(_) | Self::NoneLeft { .. } | Self::CountsNone => 429,
        }
    }

    /// The reason in one word, for programs.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NotObserved => "NotObserved",
            Self::SyncFailed(_) => "SyncFailed",
            Self::Negative => "Negative",
            Self::TooManyUnconfirmed => "TooManyUnconfirmed",
            Self::NoneLeft { .. } => "NoneLeft",
            Self::CountsNone => "CountsNone",
        }
    }
}

impl Grant<'_> {
    /// The reason in one word, for programs.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Unguarded => "Unguarded",
            Self::NoBudget => "NoBudget",
            Self::Unready(_) => "UnreadyMayGo",
            Self::Spends(_) => "Spends",
        }
    }
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotObserved => f.write_str("the disruption controller has not counted its pods yet"),
            Self::SyncFailed(why) => write!(f, "the disruption controller can't count its pods: {why}"),
            Self::Negative => f.write_str("its status allows fewer evictions than none"),
            Self::TooManyUnconfirmed => f.write_str("more than 2,000 evictions are not confirmed yet"),
            Self::NoneLeft { needs, has } => {
                let pods = if *needs == 1 { "pod" } else { "pods" };
                write!(f, "it needs {needs} healthy {pods} and has {has}")
            }
            Self::CountsNone => f.write_str("it counts no pod that it could let go"),
        }
    }
}

#[cfg(test)]
mod tests;
