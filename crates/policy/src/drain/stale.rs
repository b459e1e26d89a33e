//! Budgets whose status was left stale.
//!
//! While two budgets cover a pod, the disruption controller counts one of them anew when the pod changes, any
//! (`getPdbForPod` in `kubernetes/pkg/controller/disruption/disruption.go`). The other keeps what was counted before, also
//! when it is alone again, until one of its pods or itself changes: no time is too long. Told only where it is sure: the
//! status is that of the present spec and lets nobody go, no other budget covers any of its pods, and so many of them have
//! been ready for so long that one could go if they were counted. Where the scale of its pods isn't known here, nothing is
//! sure.

use holdfast_model::facts::BudgetStatus;
use jiff::{SignedDuration, Timestamp};

/// How long the disruption controller may take to count a pod that got ready: observed to be 20 ms, at worst half a second, and
/// more where thousands change at once.
const SETTLING: SignedDuration = SignedDuration::from_secs(30);

/// A budget that should have counted more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Missed {
    /// The ready pods that there are.
    pub(super) ready: i32,
    /// From when on it is sure that they won't be counted by themselves.
    pub(super) sure_at: Timestamp,
}

impl Missed {
    /// Whether it is sure.
    pub(super) fn is_sure(self, now: Timestamp) -> bool {
        self.sure_at <= now
    }
}

/// Whether the status may have been left behind: `counted` is what would be counted now.
pub(super) fn is_suspect(status: &BudgetStatus, counted: &BudgetStatus) -> bool {
    let is_settled = status.generation <= status.observed.unwrap_or(0) && status.sync_failed.is_none();
    // Those whose end isn't confirmed are left out on purpose.
    let refuses = status.allowed == 0 && status.disrupted == 0;
    is_settled && refuses && status.healthy < counted.healthy && 0 < counted.allowed
}

/// What was missed, of a suspect over pods that have been ready since these times; none where too few of them tell.
pub(super) fn missed(
    status: &BudgetStatus,
    counted: &BudgetStatus,
    since: impl Iterator<Item = Timestamp>,
) -> Option<Missed> {
    let mut since: Vec<Timestamp> = since.collect();
    since.sort_unstable();
    // With so many one more is there than the status knows, and one more than have to stay.
    let enough = usize::try_from(status.healthy.max(counted.desired)).ok()?;
    let last = since.get(enough)?;
    Some(Missed { ready: counted.healthy, sure_at: last.checked_add(SETTLING).unwrap_or(Timestamp::MAX) })
}
