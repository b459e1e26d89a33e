//! Leaves a server alone whose connections fail: after three in a row, one request in five seconds finds out.
//!
//! Nothing is remembered about the request that finds out, so one that is dropped half-way blocks nobody.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::Kind;

/// Failures in a row that open it.
const FAILURES: u32 = 3;
/// Between two requests while it is open.
const PAUSE: Duration = Duration::from_secs(5);

/// The breaker of one server.
pub(super) struct Breaker(Mutex<State>);

enum State {
    Closed { failures: u32 },
    Open { next: Instant, last: Kind },
}

impl Breaker {
    pub(super) fn new() -> Self {
        Self(Mutex::new(State::Closed { failures: 0 }))
    }

    /// Lets a request through, or says when the next one will be and how the last one failed.
    pub(super) fn admit(&self, now: Instant) -> Result<(), Kind> {
        match &mut *self.0.lock() {
            State::Closed { .. } => Ok(()),
            State::Open { next, .. } if *next <= now => {
                *next = now + PAUSE;
                Ok(())
            }
            State::Open { next, last } => {
                Err(Kind::BreakerOpen { retry_in: *next - now, last: Box::new(last.clone()) })
            }
        }
    }

    /// The connection of a request failed.
    pub(super) fn failed(&self, kind: &Kind, now: Instant) {
        let mut state = self.0.lock();
        *state = match &*state {
            State::Closed { failures } if failures + 1 < FAILURES => State::Closed { failures: failures + 1 },
            State::Closed { .. } | State::Open { .. } => State::Open { next: now + PAUSE, last: kind.clone() },
        };
    }

    /// Something answered, whatever it said.
    pub(super) fn answered(&self) {
        *self.0.lock() = State::Closed { failures: 0 };
    }

    pub(super) fn is_open(&self) -> bool {
        match &*self.0.lock() {
            State::Closed { .. } => false,
            State::Open { .. } => true,
        }
    }
}
