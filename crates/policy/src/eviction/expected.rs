//! What the disruption controller is going to write into a budget's status.
//!
//! `kubernetes/pkg/controller/disruption/disruption.go`: `getExpectedPodCount`, `countHealthyPods`, `updatePdbStatus`. Used where
//! there is no status (files), for what comes after an eviction, and to tell what blocks at full health from what will pass.

use holdfast_model::amount::Amount;
use holdfast_model::facts::{Budget, BudgetStatus, Limit, LimitError};

/// The pods that a budget covers, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pods {
    /// All of them, finished ones too.
    pub all: u32,
    /// Those that are ready and stay.
    pub ready: u32,
    /// How many there should be by the scale of their controllers; none where one of them has no scale.
    pub scale: Option<u32>,
}

/// What its status comes to be; none where the disruption controller can't count its pods.
#[must_use]
pub fn status(budget: &Budget, pods: Pods) -> Option<BudgetStatus> {
    let (expected, desired) = demand(budget.limit.as_ref(), pods)?;
    let (healthy, desired, expected) = (signed(pods.ready), signed(desired), signed(expected));
    let allowed = if 0 < expected { healthy.saturating_sub(desired).max(0) } else { 0 };
    let generation = budget.status.generation;
    Some(BudgetStatus {
        generation,
        observed: Some(generation),
        healthy,
        desired,
        expected,
        allowed,
        disrupted: 0,
        sync_failed: None,
    })
}

/// Counts anew what may go, when other pods are healthy than before; a budget that can't be counted stays as it is.
pub fn recount(status: &mut BudgetStatus) {
    if status.sync_failed.is_none() && 0 < status.expected && 0 <= status.allowed {
        status.allowed = status.healthy.saturating_sub(status.desired).max(0);
    }
}

/// How many pods there should be, and how many of them have to stay ready.
fn demand(limit: Result<&Limit, &LimitError>, pods: Pods) -> Option<(u32, u32)> {
    match limit {
        Ok(Limit::MaxUnavailable(out)) => pods.scale.map(|scale| (scale, scale.saturating_sub(out.of(scale)))),
        Ok(Limit::MinAvailable(Amount::Pods(keep))) => Some((pods.all, *keep)),
        Ok(Limit::MinAvailable(keep @ Amount::Share(_))) => pods.scale.map(|scale| (scale, keep.of(scale))),
        // With neither the disruption controller counts to none; the other two the API server lets nobody write.
        Err(LimitError::Neither | LimitError::Both | LimitError::Amount(_)) => Some((0, 0)),
    }
}

fn signed(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
