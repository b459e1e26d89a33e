//! How long to wait after a failure.
//!
//! `Exponential` is the curve, `Backoff` keeps one position on it per key. Every wait is jittered, so that what failed
//! together doesn't come back together. The map of keys is bounded: when it is full, the key that may try again soonest
//! is forgotten, as forgetting it costs least. No clock: `now` is an argument.

use std::{collections::HashMap, hash::Hash, time::Duration};

use tokio::time::Instant;

/// A curve of waits: doubles from `first` up to `last`.
#[derive(Debug, Clone, Copy)]
pub struct Exponential {
    first: Duration,
    last: Duration,
}

impl Exponential {
    /// From `first` to `last`, whatever came before.
    pub const fn new(first: Duration, last: Duration) -> Self {
        Self { first, last }
    }

    /// The wait after `failures` failures in a row that came before this one, jittered down by up to a quarter.
    pub fn wait(self, failures: u32) -> Duration {
        self.ceiling(failures).mul_f64(0.75 + 0.25 * fastrand::f64())
    }

    fn ceiling(self, failures: u32) -> Duration {
        let factor = 2_u32.checked_pow(failures).unwrap_or(u32::MAX);
        self.first.saturating_mul(factor).min(self.last)
    }
}

#[derive(Debug, Clone, Copy)]
struct Strike {
    failures: u32,
    ready_at: Instant,
}

/// Who failed how often, and when each may try again.
#[derive(Debug)]
pub struct Backoff<K> {
    curve: Exponential,
    capacity: usize,
    strikes: HashMap<K, Strike>,
}

impl<K: Hash + Eq + Clone> Backoff<K> {
    /// At most `capacity` keys (at least one) are remembered.
    pub fn new(curve: Exponential, capacity: usize) -> Self {
        Self { curve, capacity: capacity.max(1), strikes: HashMap::new() }
    }

    /// Notes a failure and returns how long `key` has to wait; at least `floor`, where the server named a time.
    pub fn failed(&mut self, key: &K, floor: Duration, now: Instant) -> Duration {
        let failures = self.strikes.get(key).map_or(0, |strike| strike.failures);
        let wait = self.curve.wait(failures).max(floor);
        if failures == 0 {
            self.make_room();
        }
        let strike = Strike { failures: failures.saturating_add(1), ready_at: now + wait };
        self.strikes.insert(key.clone(), strike);
        wait
    }

    /// Forgets what `key` did.
    pub fn succeeded(&mut self, key: &K) {
        self.strikes.remove(key);
    }

    /// Forgets every key of which this holds: what stands under it from now on failed at nothing yet.
    pub fn forget(&mut self, is_gone: impl Fn(&K) -> bool) {
        self.strikes.retain(|key, _| !is_gone(key));
    }

    /// When `key` may try again; `None` when it may do so now.
    pub fn ready_at(&self, key: &K, now: Instant) -> Option<Instant> {
        let ready_at = self.strikes.get(key)?.ready_at;
        (now < ready_at).then_some(ready_at)
    }

    /// How many keys are remembered.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.strikes.len()
    }

    fn make_room(&mut self) {
        if self.strikes.len() < self.capacity {
            return;
        }
        let soonest = self.strikes.iter().min_by_key(|(_, strike)| strike.ready_at);
        if let Some(key) = soonest.map(|(key, _)| key.clone()) {
            self.strikes.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CURVE: Exponential = Exponential::new(Duration::from_millis(100), Duration::from_secs(5));

    #[test]
    fn waits_double_up_to_the_last_and_are_jittered_down_by_a_quarter_at_most() {
        for (failures, most) in [(0, 100), (1, 200), (2, 400), (5, 3200), (6, 5000), (400, 5000)] {
            let most = Duration::from_millis(most);
            for _ in 0..50 {
                let wait = CURVE.wait(failures);
                assert!(most.mul_f64(0.75) <= wait && wait <= most, "{failures}: {wait:?}");
            }
        }
    }

    #[test]
    fn a_key_waits_alone_and_success_forgets_it() {
        let now = Instant::now();
        let mut backoff = Backoff::new(CURVE, 10);
        let first = backoff.failed(&"a", Duration::ZERO, now);
        let second = backoff.failed(&"a", Duration::ZERO, now);
        assert!(first < second);
        assert_eq!(backoff.ready_at(&"a", now), Some(now + second));
        assert_eq!(backoff.ready_at(&"a", now + second), None);
        assert_eq!(backoff.ready_at(&"b", now), None);
        backoff.succeeded(&"a");
        assert_eq!(backoff.ready_at(&"a", now), None);
        assert!(backoff.failed(&"a", Duration::ZERO, now) <= Duration::from_millis(100));
    }

    #[test]
    fn what_is_gone_is_forgotten_and_its_successor_does_not_wait() {
        let now = Instant::now();
        let mut backoff = Backoff::new(CURVE, 10);
        backoff.failed(&"gone", Duration::from_secs(60), now);
        backoff.failed(&"stays", Duration::from_secs(60), now);
        backoff.forget(|key| *key == "gone");
        assert_eq!(backoff.ready_at(&"gone", now), None);
        assert_eq!(backoff.ready_at(&"stays", now), Some(now + Duration::from_secs(60)));
        assert!(backoff.failed(&"gone", Duration::ZERO, now) <= Duration::from_millis(100), "its failures count");
    }

    #[test]
    fn what_the_server_asks_for_is_the_least_wait() {
        let mut backoff = Backoff::new(CURVE, 10);
        let asked = Duration::from_secs(10);
        assert_eq!(backoff.failed(&"a", asked, Instant::now()), asked);
    }

    #[test]
    fn a_full_map_forgets_who_may_try_again_soonest() {
        let now = Instant::now();
        let mut backoff = Backoff::new(CURVE, 2);
        backoff.failed(&"soon", Duration::ZERO, now);
        backoff.failed(&"late", Duration::from_secs(60), now);
        backoff.failed(&"new", Duration::from_secs(30), now);
        assert_eq!(backoff.len(), 2);
        assert_eq!(backoff.ready_at(&"soon", now), None);
        assert!(backoff.ready_at(&"late", now).is_some());
        assert!(backoff.ready_at(&"new", now).is_some());
    }
}
