//! How fast requests go to one server, for each resource that asks: many may share a transit server, and one that asks too
//! much must not silence the others.

use std::num::NonZeroU32;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::time::{Duration, sleep};

/// Requests in a second: far above what a pass needs, far below what would hurt anybody.
const PER_SECOND: NonZeroU32 = NonZeroU32::new(20).expect("invariant: not zero");
/// Requests at once.
const BURST: NonZeroU32 = NonZeroU32::new(40).expect("invariant: not zero");
/// Waits are slept through in steps no shorter, whatever the clocks say.
const STEP: Duration = Duration::from_millis(1);

/// The pace of one asker towards one server.
pub(super) struct Pace(DefaultDirectRateLimiter);

impl Pace {
    pub(super) fn new() -> Self {
        Self(RateLimiter::direct(Quota::per_second(PER_SECOND).allow_burst(BURST)))
    }

    /// Waits until it is a request's turn. Whoever calls bounds the time.
    pub(super) async fn turn(&self) {
        while let Err(later) = self.0.check() {
            sleep(later.wait_time_from(DefaultClock::default().now()).max(STEP)).await;
        }
    }
}
