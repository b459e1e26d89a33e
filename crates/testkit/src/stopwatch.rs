//! What a promise of time is held against on a machine that has other things to do.
//!
//! The kernel counts how long each thread was ready to go on and waited for a processor. What those who take part waited
//! for is the machine's doing, not theirs, so it is granted on top of the limit. On a machine with time to spare that is next to nothing,
//! and the limit is the promise; nowhere is more granted than twice the limit again, so whatever never comes is late everywhere.
//! Linux only: elsewhere asking is an error, not a zero.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};
use jiff::{SignedDuration, Timestamp};

/// Began at some moment.
#[derive(Debug, Clone)]
pub struct Stopwatch {
    began: Timestamp,
    /// Who takes part, and how long each had waited by then.
    waited: Vec<(u32, Duration)>,
}

impl Stopwatch {
    /// Begins now. Those who take part are processes of ours, by their numbers; one that ended counts for nothing.
    pub fn start(processes: impl IntoIterator<Item = u32>) -> Self {
        let waited = processes.into_iter().map(|process| (process, waited(process).unwrap_or_default())).collect();
        Self { began: Timestamp::now(), waited }
    }

    /// When it began.
    pub fn began(&self) -> Timestamp {
        self.began
    }

    /// How long ago that is.
    pub fn elapsed(&self) -> SignedDuration {
        Timestamp::now().duration_since(self.began)
    }

    /// The limit, and what the machine added until now.
    pub fn allows(&self, limit: SignedDuration) -> Result<SignedDuration> {
        let added = self.waited.iter().filter_map(|(process, before)| {
            // It ended, perhaps while it was looked at.
            let now = waited(*process).ok()?;
            Some(now.saturating_sub(*before))
        });
        let added = SignedDuration::try_from(added.sum::<Duration>()).context("a time beyond all limits")?;
        Ok(limit + added.min(limit * 2))
    }
}

/// How long the threads that a process has now waited for a processor, all their lives.
fn waited(process: u32) -> Result<Duration> {
    let threads = fs::read_dir(format!("/proc/{process}/task")).with_context(|| format!("the threads of {process}"))?;
    let mut sum = Duration::ZERO;
    for thread in threads {
        // A thread that has ended meanwhile waits no more.
        if let Ok(text) = fs::read_to_string(thread?.path().join("schedstat")) {
            sum += parse(&text)?;
        }
    }
    Ok(sum)
}

/// Nanoseconds on a processor, nanoseconds on the way to one, and how often.
fn parse(text: &str) -> Result<Duration> {
    let waited = text.split_whitespace().nth(1).with_context(|| format!("no second number in {text:?}"))?;
    Ok(Duration::from_nanos(waited.parse()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: SignedDuration = SignedDuration::from_secs(2);

    #[test]
    fn the_second_number_is_the_waiting() {
        assert_eq!(parse("3000 5000000000 7\n").unwrap(), Duration::from_secs(5));
        assert!(parse("3000").is_err());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn what_others_took_is_granted_and_never_more_than_twice_the_limit() {
        let us = std::process::id();
        let mut watch = Stopwatch::start([us]);
        assert!(LIMIT <= watch.allows(LIMIT).unwrap());
        // As if all the waiting of this process had come since then, and an hour more.
        watch.waited = vec![(us, Duration::ZERO)];
        let granted = watch.allows(LIMIT).unwrap() - LIMIT;
        assert!(
            granted <= SignedDuration::try_from(waited(us).unwrap()).unwrap() && granted <= LIMIT * 2,
            "{granted:#}"
        );
        assert_eq!(watch.allows(SignedDuration::ZERO).unwrap(), SignedDuration::ZERO);
    }

    #[test]
    fn nobody_is_waited_for_who_is_gone() {
        let watch = Stopwatch { began: Timestamp::now(), waited: vec![(u32::MAX, Duration::ZERO)] };
        assert_eq!(watch.allows(LIMIT).unwrap(), LIMIT);
    }
}
