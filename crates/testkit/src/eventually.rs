//! Waiting for a condition, never for a time.
//!
//! The probe answers `Ok` when the condition holds; an error means "not yet" and says what was seen instead. When the
//! deadline passes, the last such sight is the error. A probe that knows that waiting is pointless answers [`give_up`].

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Error, Result, anyhow};

/// The pause after the first look; each next one is half as long again, up to [`LONGEST_PAUSE`], and never shorter than two looks:
/// on a machine that has too much to do, looking must not be what it does most.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// Looks until `probe` answers `Ok`, and returns its answer; fails with what it saw last when `deadline` has passed.
pub async fn eventually<T>(what: &str, deadline: Duration, mut probe: impl AsyncFnMut() -> Result<T>) -> Result<T> {
    let started = Instant::now();
    let mut pause = FIRST_PAUSE;
    let mut seen = anyhow!("the first look never ended");
    loop {
        let looked = Instant::now();
        let left = deadline.saturating_sub(looked.duration_since(started));
        match tokio::time::timeout(left, probe()).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) if error.is::<GiveUp>() => return Err(error).with_context(|| format!("waiting for {what}")),
            Ok(Err(error)) => seen = error,
            Err(_) => {}
        }
        let left = deadline.saturating_sub(started.elapsed());
        if left.is_zero() {
            return Err(seen).with_context(|| format!("{what}: not within {deadline:?}; last seen"));
        }
        tokio::time::sleep(pause.max(looked.elapsed() * 2).min(left)).await;
        pause = (pause * 3 / 2).min(LONGEST_PAUSE);
    }
}

/// Makes an error that ends the waiting at once.
pub fn give_up(error: impl Into<Error>) -> Error {
    GiveUp(error.into()).into()
}

#[derive(Debug)]
struct GiveUp(Error);

impl fmt::Display for GiveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.0)
    }
}

impl std::error::Error for GiveUp {}

#[cfg(test)]
mod tests {
    use anyhow::ensure;

    use super::*;

    async fn count_to(target: u32, deadline: Duration) -> Result<u32> {
        let mut count = 0;
        eventually("the count", deadline, async || {
            count += 1;
            ensure!(count == target, "counted to {count}");
            Ok(count)
        })
        .await
    }

    #[tokio::test]
    async fn the_answer_is_returned_once_the_condition_holds() {
        assert_eq!(count_to(4, Duration::from_secs(30)).await.unwrap(), 4);
    }

    #[tokio::test]
    async fn the_deadline_shows_what_was_seen_last() {
        let error = count_to(u32::MAX, Duration::from_millis(30)).await.unwrap_err();
        assert!(format!("{error:#}").starts_with("the count: not within 30ms; last seen: counted to "), "{error:#}");
    }

    #[tokio::test]
    async fn a_probe_that_hangs_does_not_outlive_the_deadline() {
        let hanging = async || std::future::pending::<Result<()>>().await;
        let error = eventually("an end", Duration::from_millis(20), hanging).await.unwrap_err();
        assert!(format!("{error:#}").contains("the first look never ended"), "{error:#}");
    }

    #[tokio::test]
    async fn slow_looks_are_fewer() {
        let (mut looks, look) = (0, Duration::from_millis(100));
        let looking = async || {
            looks += 1;
            tokio::time::sleep(look).await;
            Err::<(), _>(anyhow!("not yet"))
        };
        eventually("nothing", look * 6, looking).await.unwrap_err();
        // Each takes three times as long with its pause; the deadline cuts the last.
        assert!((1..=3).contains(&looks), "{looks} looks");
    }

    #[tokio::test]
    async fn giving_up_ends_the_waiting() {
        let mut looks = 0;
        let error = eventually("a corpse to speak", Duration::from_secs(3600), async || {
            looks += 1;
            Err::<(), _>(give_up(anyhow!("it is dead")))
        })
        .await
        .unwrap_err();
        assert_eq!((looks, format!("{error:#}").as_str()), (1, "waiting for a corpse to speak: it is dead"));
    }
}
