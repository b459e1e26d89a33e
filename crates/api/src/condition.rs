//! Conditions in kstatus form, and the reasons of their life cycle.
//!
//! Flux and `kubectl wait` read them: `Ready` always there, `Reconciling` and `Stalled` only while true. A condition's
//! time moves only with its status, and conditions of other writers survive.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::Timestamp;

/// The conditions that are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ConditionType {
    /// Judged with a synced view; never the verdict.
    Ready,
    /// Still at work; absent otherwise.
    Reconciling,
    /// Waits for a person; absent otherwise.
    Stalled,
    /// Runs as Report, since the role of its concern isn't bound; absent otherwise.
    NotPermitted,
    /// Waits, since too much would be withdrawn at once without a reason that is seen; absent otherwise.
    BrakeEngaged,
    /// Waits for the end of an upgrade; absent otherwise.
    FreezeEngaged,
    /// Every node can be drained.
    Drainable,
    /// An upgrade doesn't move any more, and nothing waits for it any longer; absent otherwise.
    UpgradeStalled,
}

impl ConditionType {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 8] = [
        Self::Ready,
        Self::Reconciling,
        Self::Stalled,
        Self::NotPermitted,
        Self::BrakeEngaged,
        Self::FreezeEngaged,
        Self::Drainable,
        Self::UpgradeStalled,
    ];

    /// The API's spelling.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::Reconciling => "Reconciling",
            Self::Stalled => "Stalled",
            Self::NotPermitted => "NotPermitted",
            Self::BrakeEngaged => "BrakeEngaged",
            Self::FreezeEngaged => "FreezeEngaged",
            Self::Drainable => "Drainable",
            Self::UpgradeStalled => "UpgradeStalled",
        }
    }
}

/// Why a condition is as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lifecycle {
    /// Judged, and whatever should be written is.
    Succeeded,
    /// Something is still being written.
    Progressing,
    /// The view is not synced: nothing is decided.
    ViewStale,
    /// The spec can't be read or can't mean anything.
    InvalidSpec,
    /// A role isn't bound.
    NotPermitted,
    /// A mass withdrawal waits for a second look.
    MassWithdrawal,
    /// An upgrade of nodes is under way.
    UpgradeInProgress,
    /// Nothing has moved for too long.
    NoMovement,
    /// It has ended.
    Expired,
    /// Nobody stands in the way of a drain.
    NothingBlocks,
    /// Somebody stands in the way of a drain.
    Blocked,
    /// Nobody stands in the way of a drain any more, but not for long enough.
    Settling,
}

impl Lifecycle {
    /// The API's spelling.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "Succeeded",
            Self::Progressing => "Progressing",
            Self::ViewStale => "ViewStale",
            Self::InvalidSpec => "InvalidSpec",
            Self::NotPermitted => "NotPermitted",
            Self::MassWithdrawal => "MassWithdrawal",
            Self::UpgradeInProgress => "UpgradeInProgress",
            Self::NoMovement => "NoMovement",
            Self::Expired => "Expired",
            Self::NothingBlocks => "NothingBlocks",
            Self::Blocked => "Blocked",
            Self::Settling => "Settling",
        }
    }
}

/// A condition that should be there.
pub type Wanted = (ConditionType, bool, Lifecycle, String);

/// What merging wanted conditions into those observed came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing is different.
    Unchanged,
    /// A reason or message is different.
    Updated,
    /// A status is different.
    Transitioned,
}

/// The conditions as they should be written: those of ours that are not wanted go, times move only with a status, and
/// what isn't ours stays.
#[must_use]
pub fn merge_conditions(
    observed: &[Condition],
    wanted: &[Wanted],
    generation: Option<i64>,
    now: Timestamp,
) -> (Vec<Condition>, Change) {
    let drafts = wanted.iter().map(|(kind, holds, reason, message)| Draft {
        kind: kind.as_str(),
        status: if *holds { "True" } else { "False" },
        reason: reason.as_str(),
        message,
    });
    merge(observed, &ConditionType::ALL.map(ConditionType::as_str), drafts, generation, Time(now))
}

/// A condition as it should be, in the API's spelling.
pub(crate) struct Draft<'a> {
    pub(crate) kind: &'a str,
    pub(crate) status: &'a str,
    pub(crate) reason: &'a str,
    pub(crate) message: &'a str,
}

/// The same for conditions of any kind, of which these types are ours.
pub(crate) fn merge<'a>(
    observed: &[Condition],
    ours: &[&str],
    wanted: impl Iterator<Item = Draft<'a>>,
    generation: Option<i64>,
    now: Time,
) -> (Vec<Condition>, Change) {
    let foreign = observed.iter().filter(|known| !ours.contains(&known.type_.as_str()));
    let merged = wanted.map(|wanted| {
        let known = observed.iter().find(|known| known.type_ == wanted.kind);
        condition(&wanted, known, generation, &now)
    });
    let merged: Vec<Condition> = merged.chain(foreign.cloned()).collect();
    let change = compare(observed, &merged);
    (merged, change)
}

fn condition(wanted: &Draft<'_>, known: Option<&Condition>, generation: Option<i64>, now: &Time) -> Condition {
    let since = known.filter(|known| known.status == wanted.status).map(|known| known.last_transition_time.clone());
    Condition {
        type_: wanted.kind.to_owned(),
        status: wanted.status.to_owned(),
        reason: wanted.reason.to_owned(),
        message: wanted.message.to_owned(),
        observed_generation: generation,
        last_transition_time: since.unwrap_or_else(|| now.clone()),
    }
}

/// Whatever the order: another writer may prefer another one, and nobody should answer that with a write.
fn compare(before: &[Condition], after: &[Condition]) -> Change {
    let by_type = |conditions: &[Condition]| -> BTreeMap<String, Condition> {
        conditions.iter().map(|condition| (condition.type_.clone(), condition.clone())).collect()
    };
    let (before, after) = (by_type(before), by_type(after));
    let statuses = |conditions: &BTreeMap<String, Condition>| -> Vec<(String, String)> {
        conditions.values().map(|condition| (condition.type_.clone(), condition.status.clone())).collect()
    };
    if statuses(&before) != statuses(&after) {
        Change::Transitioned
    } else if before == after {
        Change::Unchanged
    } else {
        Change::Updated
    }
}

/// Conditions are a list keyed by type, so that several writers can share it.
pub(crate) fn schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
        "items": {
            "type": "object",
            "required": ["type", "status", "reason", "message", "lastTransitionTime"],
            "properties": {
                "type": { "type": "string", "maxLength": 316 },
                "status": { "type": "string", "enum": ["True", "False", "Unknown"] },
                "reason": { "type": "string", "maxLength": 1024 },
                "message": { "type": "string", "maxLength": 32768 },
                "observedGeneration": { "type": "integer", "format": "int64", "minimum": 0 },
                "lastTransitionTime": { "type": "string", "format": "date-time" },
            },
        },
    })
}

#[cfg(test)]
mod tests;
