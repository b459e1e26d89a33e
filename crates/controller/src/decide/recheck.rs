//! When a namespace has to be looked at again though nothing happened.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use holdfast_model::Text;
use tokio::time::Instant;

/// Nothing waits for longer than this without being looked at for a reason.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// The one queue of times, the earliest for each namespace.
#[derive(Debug, Default)]
pub(super) struct Recheck {
    by_namespace: BTreeMap<Text, Instant>,
    by_time: BTreeSet<(Instant, Text)>,
}

impl Recheck {
    /// Looks at a namespace again at this time, unless it is due earlier.
    pub(super) fn at(&mut self, namespace: Text, at: Instant) {
        if let Some(known) = self.by_namespace.get(&namespace) {
            if *known <= at {
                return;
            }
            self.by_time.remove(&(*known, namespace.clone()));
        }
        self.by_namespace.insert(namespace.clone(), at);
        self.by_time.insert((at, namespace));
    }

    /// A namespace is gone: there is nothing to look at.
    pub(super) fn forget(&mut self, namespace: &Text) {
        if let Some(at) = self.by_namespace.remove(namespace) {
            self.by_time.remove(&(at, namespace.clone()));
        }
    }

    /// When the next is due.
    pub(super) fn next(&self, now: Instant) -> Instant {
        self.by_time.first().map_or(now + LONGEST, |(at, _)| *at)
    }

    /// Takes out what is due.
    pub(super) fn take_due(&mut self, now: Instant) -> BTreeSet<Text> {
        let mut due = BTreeSet::new();
        while self.by_time.first().is_some_and(|(at, _)| *at <= now) {
            if let Some((_, namespace)) = self.by_time.pop_first() {
                self.by_namespace.remove(&namespace);
                due.insert(namespace);
            }
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(due: BTreeSet<Text>) -> Vec<String> {
        due.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_earliest_time_of_a_namespace_counts() {
        let (mut recheck, now) = (Recheck::default(), Instant::now());
        let second = Duration::from_secs(1);
        recheck.at("a".into(), now + 3 * second);
        recheck.at("b".into(), now + 2 * second);
        recheck.at("a".into(), now + second);
        recheck.at("b".into(), now + 5 * second);
        assert_eq!(recheck.next(now), now + second);
        assert_eq!(names(recheck.take_due(now)), [""; 0]);
        assert_eq!(names(recheck.take_due(now + second)), ["a"]);
        assert_eq!(names(recheck.take_due(now + 4 * second)), ["b"]);
        assert_eq!(names(recheck.take_due(now + 9 * second)), [""; 0], "each is taken once");
    }

    #[test]
    fn a_namespace_that_is_gone_is_not_looked_at() {
        let (mut recheck, now) = (Recheck::default(), Instant::now());
        recheck.at("gone".into(), now);
        recheck.at("stays".into(), now);
        recheck.forget(&"gone".into());
        recheck.forget(&"unknown".into());
        assert_eq!(names(recheck.take_due(now)), ["stays"]);
        assert_eq!(recheck.next(now), now + LONGEST);
    }
}
