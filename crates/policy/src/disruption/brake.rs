//! The mass-change brake: many withdrawals that no policy change explains wait for a second look.
//!
//! A selector that somebody broke, or a cluster of which only half was read, looks like a reason to withdraw everything.
//! When at least [`LEAST`] and more than a fifth of what is owned would go within [`WINDOW`], the rest waits for a delay,
//! and goes on only if a fresh list still says the same. That frees as many as were pending when the list was there:
//! what comes on top of them is counted anew. A policy that changed explains whatever follows it.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

/// Fewer withdrawals than this never wait.
const LEAST: usize = 20;
/// One in this many of what is owned may go without waiting.
const SHARE: usize = 5;
/// Withdrawals within this time belong together.
const WINDOW: SignedDuration = SignedDuration::from_secs(60);

/// Counts withdrawals, and says when they have to wait.
#[derive(Clone, Debug)]
pub struct Brake {
    delay: SignedDuration,
    recent: VecDeque<(Timestamp, usize)>,
    explained_until: Option<Timestamp>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Off,
    Waiting {
        until: Timestamp,
    },
    /// A fresh list has been asked for.
    Looking,
    /// The fresh list is there.
    Looked,
    /// The fresh list said the same of so many that are still to go.
    Released {
        left: usize,
    },
}

/// What to do about the withdrawals that are pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Braking {
    /// Withdraw them.
    Go,
    /// Wait; ask again at this time.
    Hold(Timestamp),
    /// Ask for a fresh list, and tell the brake with [`Brake::looked`] when it is there.
    Look,
    /// Wait for the fresh list.
    Looking,
}

impl Brake {
    /// A brake that waits for `delay` before the second look.
    #[must_use]
    pub fn new(delay: SignedDuration) -> Self {
        Self { delay, recent: VecDeque::new(), explained_until: None, state: State::Off }
    }

    /// A policy changed: what is withdrawn from now on, for a while, is because of it.
    pub fn explain(&mut self, now: Timestamp) {
        self.explained_until = now.checked_add(WINDOW).ok();
        self.state = State::Off;
        self.recent.clear();
    }

    /// The fresh list is there.
    pub fn looked(&mut self) {
        if self.state == State::Looking {
            self.state = State::Looked;
        }
    }

    /// So many were withdrawn.
    pub fn withdrew(&mut self, count: usize, now: Timestamp) {
        let unlooked = match &mut self.state {
            State::Released { left } => {
                let looked = count.min(*left);
                *left -= looked;
                count - looked
            }
            State::Off | State::Waiting { .. } | State::Looking | State::Looked => count,
        };
        self.recent.push_back((now, unlooked));
    }

    /// Whether withdrawals are waiting.
    #[must_use]
    pub fn is_engaged(&self) -> bool {
        match self.state {
            State::Off | State::Released { .. } => false,
            State::Waiting { .. } | State::Looking | State::Looked => true,
        }
    }

    /// What to do with `pending` withdrawals while `owned` budgets are there, those pending among them.
    pub fn judge(&mut self, pending: usize, owned: usize, now: Timestamp) -> Braking {
        while self.recent.front().is_some_and(|(at, _)| *at < now.saturating_sub(WINDOW).unwrap_or(*at)) {
            self.recent.pop_front();
        }
        let explained = self.explained_until.is_some_and(|until| now < until);
        if pending == 0 || explained {
            // What was looked at twice is no sign of what comes after it.
            match self.state {
                State::Released { .. } => self.recent.clear(),
                State::Off | State::Waiting { .. } | State::Looking | State::Looked => {}
            }
            self.state = State::Off;
            return Braking::Go;
        }
        match self.state {
            State::Off => self.begin(pending, owned, now),
            State::Waiting { until } if now < until => Braking::Hold(until),
            State::Waiting { .. } => {
                self.state = State::Looking;
                Braking::Look
            }
            State::Looking => Braking::Looking,
            State::Looked => {
                self.state = State::Released { left: pending };
                Braking::Go
            }
            State::Released { left } => self.begin(pending.saturating_sub(left), owned, now),
        }
    }

    fn begin(&mut self, pending: usize, owned: usize, now: Timestamp) -> Braking {
        let gone: usize = self.recent.iter().map(|(_, count)| count).sum();
        let going = gone + pending;
        if going < LEAST || going * SHARE <= owned + gone {
            return Braking::Go;
        }
        let until = now.saturating_add(self.delay).unwrap_or(now);
        self.state = State::Waiting { until };
        Braking::Hold(until)
    }
}
