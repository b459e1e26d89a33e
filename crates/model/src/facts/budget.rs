//! Disruption budgets.

use jiff::Timestamp;
use thiserror::Error;

use super::FluxHints;
use crate::amount::{Amount, AmountError, IntOrString};
use crate::selector::Selection;
use crate::shapes::{MANAGED_BY, POLICY};
use crate::{Labels, Text};

/// A PodDisruptionBudget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Its UID; empty in files.
    pub uid: Box<str>,
    /// Its resourceVersion; opaque.
    pub version: Box<str>,
    /// When it was created; absent in files.
    pub created: Option<Timestamp>,
    /// Its labels.
    pub labels: Labels,
    /// The workload that our annotation names, as `Kind/name`.
    pub workload: Option<Text>,
    /// The UIDs of its owners.
    pub owners: Box<[Text]>,
    /// Who wrote it.
    pub managers: Managers,
    /// Which pods it covers.
    pub selection: Selection,
    /// How many pods it keeps or lets go.
    pub limit: Result<Limit, LimitError>,
    /// What happens to pods that are not ready.
    pub unhealthy_pods: UnhealthyPods,
    /// What its labels and annotations say of a Flux owner.
    pub flux: FluxHints,
    /// What the disruption controller says.
    pub status: BudgetStatus,
}

/// Who wrote a budget.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Managers {
    /// Whether we applied it.
    pub ours: bool,
    /// Others that own a field of its spec, or a mark by which we know our own.
    pub others: Box<[Text]>,
}

/// Exactly one of the two bounds a budget can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// So much must stay.
    MinAvailable(Amount),
    /// So much may go.
    MaxUnavailable(Amount),
}

/// Why a budget has no usable bound.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LimitError {
    /// The API server rejects it; a file may hold it.
    #[error("minAvailable and maxUnavailable exclude each other")]
    Both,
    /// The API server accepts it: the disruption controller then allows nothing.
    #[error("neither minAvailable nor maxUnavailable is set")]
    Neither,
    /// The amount can't be read.
    #[error(transparent)]
    Amount(#[from] AmountError),
}

/// `spec.unhealthyPodEvictionPolicy`; an unknown value counts as the API's default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnhealthyPods {
    /// Only while the budget is otherwise kept: a crash-looping pod blocks a drain.
    #[default]
    IfHealthyBudget,
    /// Pods that aren't ready may always go.
    AlwaysAllow,
}

/// A budget's status, as the disruption controller wrote it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BudgetStatus {
    /// `metadata.generation`.
    pub generation: i64,
    /// `status.observedGeneration`; absent until the first sync that succeeds.
    pub observed: Option<i64>,
    /// Ready pods.
    pub healthy: i32,
    /// Ready pods that must stay.
    pub desired: i32,
    /// Pods that should be there.
    pub expected: i32,
    /// Evictions allowed now.
    pub allowed: i32,
    /// Evicted pods whose end the disruption controller hasn't seen yet.
    pub disrupted: u32,
    /// The message of a failed sync.
    pub sync_failed: Option<Text>,
}

impl Budget {
    /// Ours: our label **and** our field manager. The label alone is somebody's copy.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.managers.ours && self.labels.get(MANAGED_BY.0).is_some_and(|value| value == MANAGED_BY.1)
    }

    /// Ours, but somebody else owns a field that we write now: treated as theirs until that is gone.
    #[must_use]
    pub fn is_contested(&self) -> bool {
        self.is_ours() && !self.managers.others.is_empty()
    }

    /// Ours to write and delete.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.is_ours() && self.managers.others.is_empty()
    }

    /// The policy that our label names.
    #[must_use]
    pub fn policy(&self) -> Option<&Text> {
        self.labels.get(POLICY)
    }
}

impl Limit {
    /// The field path that gives it.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::MinAvailable(_) => "spec.minAvailable",
            Self::MaxUnavailable(_) => "spec.maxUnavailable",
        }
    }

    /// Reads the two fields, of which exactly one must be there.
    ///
    /// # Errors
    /// When both or none is there, or the amount can't be read.
    pub fn parse(keep: Option<&IntOrString>, out: Option<&IntOrString>) -> Result<Self, LimitError> {
        match (keep, out) {
            (Some(keep), None) => Ok(Self::MinAvailable(Amount::try_from(keep)?)),
            (None, Some(out)) => Ok(Self::MaxUnavailable(Amount::try_from(out)?)),
            (Some(_), Some(_)) => Err(LimitError::Both),
            (None, None) => Err(LimitError::Neither),
        }
    }

    /// How many of `pods` may go at once while all of them are ready. Both percentages round up, as the disruption
    /// controller does.
    #[must_use]
    pub fn evictable(self, pods: u32) -> u32 {
        match self {
            Self::MinAvailable(keep) => pods.saturating_sub(keep.of(pods)),
            Self::MaxUnavailable(out) => out.of(pods).min(pods),
        }
    }
}

impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::MinAvailable(keep) => write!(f, "minAvailable: {keep}"),
            Self::MaxUnavailable(out) => write!(f, "maxUnavailable: {out}"),
        }
    }
}

#[cfg(test)]
mod tests;
