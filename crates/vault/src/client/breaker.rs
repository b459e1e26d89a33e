//! A server that doesn't answer isn't asked by everybody at once, but by one, every few seconds.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::error::Kind;

/// After so many silences in a row nobody asks for a while.
const OPENS: u32 = 3;
/// For so long; then one asks, and the others go on waiting.
const HALF_OPEN: Duration = Duration::from_secs(4);

#[derive(Default)]
pub(super) struct Breaker {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    silences: u32,
    /// Until when nobody asks; only while it is open.
    until: Option<Instant>,
    /// What the last silence was.
    last: Option<Kind>,
}

/// A request that may be sent.
pub(super) struct Attempt<'a>(&'a Breaker);

impl Breaker {
    /// A request may be sent; or not for so long, because of this.
    pub(super) fn attempt(&self) -> Result<Attempt<'_>, (Duration, Kind)> {
        let (mut state, now) = (self.state.lock(), Instant::now());
        match state.until {
            Some(until) if now < until => Err((until - now, state.last.clone().unwrap_or(Kind::NeverAnswered))),
            Some(_) => {
                // This one finds out for all.
                state.until = Some(now + HALF_OPEN);
                Ok(Attempt(self))
            }
            None => Ok(Attempt(self)),
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.state.lock().until.is_some()
    }
}

impl Attempt<'_> {
    /// How it ended: with silence of this kind, or with an answer of whatever kind.
    pub(super) fn ended(self, silence: Option<&Kind>) {
        let mut state = self.0.state.lock();
        let Some(silence) = silence else {
            *state = State::default();
            return;
        };
        state.silences = state.silences.saturating_add(1);
        state.last = Some(silence.clone());
        if OPENS <= state.silences {
            state.until = Some(Instant::now() + HALF_OPEN);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn silence(breaker: &Breaker) {
        breaker.attempt().map(|attempt| attempt.ended(Some(&Kind::Refused))).unwrap_or_else(|_| panic!("it is open"));
    }

    #[tokio::test(start_paused = true)]
    async fn it_opens_after_three_silences_and_lets_one_through_after_a_while() {
        let breaker = Breaker::default();
        for _ in 0..OPENS {
            assert!(!breaker.is_open());
            silence(&breaker);
        }
        assert!(breaker.is_open());
        let why = breaker.attempt().err().map(|(_, why)| why);
        assert_eq!(why, Some(Kind::Refused));
        tokio::time::advance(HALF_OPEN).await;
        let one = breaker.attempt();
        assert!(one.is_ok());
        assert!(breaker.attempt().is_err(), "only one asks");
        one.map(|attempt| attempt.ended(None)).unwrap_or_else(|_| panic!("it is open"));
        assert!(!breaker.is_open());
        assert!(breaker.attempt().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_forgets_silences() {
        let breaker = Breaker::default();
        for _ in 0..5 {
            silence(&breaker);
            silence(&breaker);
            breaker.attempt().map(|attempt| attempt.ended(None)).unwrap_or_else(|_| panic!("it is open"));
        }
        assert!(!breaker.is_open());
    }
}
