//! What all requests to one server share, whoever sends them: how fast they go, and whether they go at all.

use std::num::NonZeroU32;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::time::{Duration, sleep};

use super::breaker::Breaker;

/// Requests in a second: far above what a pass needs, far below what would hurt anybody.
const PACE: NonZeroU32 = NonZeroU32::new(20).expect("invariant: not zero");
/// Requests at once.
const BURST: NonZeroU32 = NonZeroU32::new(40).expect("invariant: not zero");
/// Waits are slept through in steps no shorter, whatever the clocks say.
const STEP: Duration = Duration::from_millis(1);

/// The gate before one server.
pub(super) struct Gate {
    pub(super) breaker: Breaker,
    pace: DefaultDirectRateLimiter,
}

impl Gate {
    pub(super) fn new() -> Self {
        let quota = Quota::per_second(PACE).allow_burst(BURST);
        Self { breaker: Breaker::new(), pace: RateLimiter::direct(quota) }
    }

    /// Waits until it is a request's turn. Whoever calls bounds the time.
    pub(super) async fn turn(&self) {
        while let Err(later) = self.pace.check() {
            sleep(later.wait_time_from(DefaultClock::default().now()).max(STEP)).await;
        }
    }
}
