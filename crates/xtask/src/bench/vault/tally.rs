//! Who was asked when, and how evenly.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// In so many parts an interval is divided to see how evenly requests are spread over it.
const PARTS: u32 = 10;

/// Requests as they came in. Clones are the same tally.
#[derive(Clone, Default)]
pub(super) struct Tally(Arc<Mutex<Vec<Hit>>>);

/// One request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hit {
    /// The number of the server.
    pub(super) server: usize,
    pub(super) at: Instant,
}

/// What came in between two moments.
pub(super) struct Hits {
    hits: Vec<Hit>,
    from: Instant,
    interval: Duration,
    intervals: u32,
}

impl Tally {
    pub(super) fn count(&self, server: usize) {
        let hit = Hit { server, at: Instant::now() };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(hit);
    }

    /// Of all whole intervals between two moments.
    pub(super) fn between(&self, from: Instant, to: Instant, interval: Duration) -> Hits {
        let hits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Hits::of(&hits, from, to, interval)
    }
}

impl Hits {
    fn of(hits: &[Hit], from: Instant, to: Instant, interval: Duration) -> Self {
        let intervals = (to - from).as_nanos() / interval.as_nanos();
        let intervals = u32::try_from(intervals).unwrap_or(u32::MAX);
        let end = from + interval * intervals;
        let hits = hits.iter().copied().filter(|hit| from <= hit.at && hit.at < end).collect();
        Self { hits, from, interval, intervals }
    }

    /// For each of so many askers in each interval.
    pub(super) fn for_each(&self, askers: usize) -> f64 {
        self.hits.len() as f64 / (f64::from(self.intervals) * askers as f64)
    }

    /// The most that one server was asked in any interval.
    pub(super) fn most(&self) -> usize {
        let mut counts = BTreeMap::<_, usize>::new();
        for hit in &self.hits {
            *counts.entry((hit.server, self.part(hit, self.interval))).or_default() += 1;
        }
        counts.into_values().max().unwrap_or_default()
    }

    /// Of each interval the share in percent that came in its fullest tenth, sorted. Ten is perfectly even.
    pub(super) fn fullest(&self) -> Vec<f64> {
        let mut counts = vec![0_usize; self.intervals as usize * PARTS as usize];
        for hit in &self.hits {
            if let Some(count) = counts.get_mut(self.part(hit, self.interval / PARTS)) {
                *count += 1;
            }
        }
        let mut shares: Vec<f64> = counts.chunks(PARTS as usize).filter_map(share).collect();
        shares.sort_by(f64::total_cmp);
        shares
    }

    fn part(&self, hit: &Hit, long: Duration) -> usize {
        let number = (hit.at - self.from).as_nanos() / long.as_nanos().max(1);
        usize::try_from(number).unwrap_or(usize::MAX)
    }
}

/// `None` when nobody asked anything.
fn share(tenths: &[usize]) -> Option<f64> {
    let (all, fullest) = (tenths.iter().sum::<usize>(), tenths.iter().max()?);
    (0 < all).then(|| 100.0 * *fullest as f64 / all as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(5);

    fn hits(of: &[(usize, u64)]) -> Hits {
        let from = Instant::now();
        let hits: Vec<Hit> =
            of.iter().map(|(server, ms)| Hit { server: *server, at: from + Duration::from_millis(*ms) }).collect();
        Hits::of(&hits, from, from + Duration::from_millis(10_900), INTERVAL)
    }

    #[test]
    fn only_whole_intervals_count() {
        let hits = hits(&[(0, 0), (1, 5_000), (0, 9_999), (0, 10_000)]);
        assert_eq!(hits.hits.len(), 3);
        assert_eq!(hits.for_each(2).to_string(), "0.75");
    }

    #[test]
    fn the_most_is_of_one_server_in_one_interval() {
        assert_eq!(hits(&[(0, 1), (1, 2), (0, 4_999), (0, 5_000), (1, 6_000)]).most(), 2);
        assert_eq!(hits(&[]).most(), 0);
    }

    #[test]
    fn an_interval_is_as_uneven_as_its_fullest_tenth() {
        let even: Vec<(usize, u64)> = (0..10).map(|tenth| (0, tenth * 500)).collect();
        assert_eq!(hits(&even).fullest(), [10.0]);
        assert_eq!(hits(&[(0, 0), (0, 499), (0, 600), (0, 700), (0, 9_000)]).fullest(), [50.0, 100.0]);
    }
}
