//! Every request that arrived, and when: a storm is a number, not an impression.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::request::{Request, Verb, Which};

/// What arrived so far.
#[derive(Debug, Default)]
pub(super) struct Counter(Mutex<Vec<(Instant, Request)>>);

impl Counter {
    pub(super) fn note(&self, request: Request) {
        self.all().push((Instant::now(), request));
    }

    pub(super) fn since(&self, mark: Mark) -> Requests {
        Requests(self.all()[mark.0..].to_vec())
    }

    pub(super) fn mark(&self) -> Mark {
        Mark(self.all().len())
    }

    fn all(&self) -> MutexGuard<'_, Vec<(Instant, Request)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A moment; what arrives later comes after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark(usize);

impl Mark {
    /// Before the first request.
    pub const START: Self = Self(0);
}

/// Requests in the order in which they arrived.
#[derive(Debug, Clone, Default)]
pub struct Requests(Vec<(Instant, Request)>);

impl Requests {
    /// How many of these there were.
    pub fn count(&self, which: &Which) -> usize {
        self.of(which).count()
    }

    /// The most of these that arrived within one second, wherever that second begins.
    pub fn busiest_second(&self, which: &Which) -> usize {
        let times: Vec<Instant> = self.of(which).map(|(at, _)| *at).collect();
        let within = |first: usize| {
            times[first..].iter().take_while(|at| at.duration_since(times[first]) < Duration::from_secs(1)).count()
        };
        (0..times.len()).map(within).max().unwrap_or(0)
    }

    /// The times between two of these, one after the other.
    pub fn gaps(&self, which: &Which) -> Vec<Duration> {
        let times: Vec<Instant> = self.of(which).map(|(at, _)| *at).collect();
        times.windows(2).map(|pair| pair[1].duration_since(pair[0])).collect()
    }

    /// How many of each verb and resource, for messages.
    pub fn summary(&self) -> BTreeMap<(Verb, String), usize> {
        let mut counts = BTreeMap::new();
        for (_, request) in &self.0 {
            *counts.entry((request.verb, request.resource.clone())).or_default() += 1;
        }
        counts
    }

    fn of(&self, which: &Which) -> impl Iterator<Item = &(Instant, Request)> {
        self.0.iter().filter(|(_, request)| which.means(request))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrived(milliseconds: &[u64]) -> Requests {
        let (start, get) = (Instant::now(), http::Method::GET);
        let request = Request::parse(&get, &"/api/v1/pods".parse().unwrap());
        Requests(milliseconds.iter().map(|at| (start + Duration::from_millis(*at), request.clone())).collect())
    }

    #[test]
    fn the_busiest_second_may_begin_anywhere() {
        let requests = arrived(&[0, 900, 1000, 1100, 1899, 1900, 5000]);
        assert_eq!(requests.count(&Which::lists()), 7);
        assert_eq!(requests.busiest_second(&Which::any()), 4);
        assert_eq!(requests.busiest_second(&Which::writes()), 0);
        assert_eq!(requests.gaps(&Which::any()), [900, 100, 100, 799, 1, 3100].map(Duration::from_millis));
        assert_eq!(requests.summary().into_iter().collect::<Vec<_>>(), [((Verb::List, "pods".to_owned()), 7)]);
    }
}
