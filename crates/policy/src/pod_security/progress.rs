//! What is remembered of a namespace on its way to a stricter level.
//!
//! Time is counted as it is watched, never read from a clock: what was watched is added up, and what nobody watched doesn't
//! count, so that neither a clock that jumps nor a leader that was gone shortens a soak. What a status shows is rounded down
//! to steps, and that is what a restart begins with.

use std::collections::BTreeSet;
use std::time::Duration;

use holdfast_api::{NamespaceLevel, NamespaceState};
use holdfast_model::Text;
use holdfast_pod_security::Level;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};

use super::settings::level;
use crate::duration::{self, in_words};

/// A soak is told in at least so many steps, where it is long enough.
const STEPS: u32 = 50;
/// How long a step may be, in seconds: what a person reads without reckoning.
const STEP: [u64; 8] = [3600, 1800, 900, 300, 60, 15, 5, 1];
/// For how many days the worst is remembered.
const REMEMBERED: i64 = 30;
/// How long until a rehearsal that objected is tried again though nothing changed.
const AGAIN: Duration = Duration::from_secs(3600);
/// With what the labels begin.
const PREFIX: &str = "pod-security.kubernetes.io/";

/// What is remembered of a namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// For how long everything has met baseline, and restricted.
    soaked: [Duration; 2],
    /// What everything met when it was looked at last.
    level: Option<Level>,
    /// The worst that was seen, where it was worse than now, and the day.
    worst: Option<(Level, Date)>,
    /// The labels that we wrote.
    pub(super) wrote: BTreeSet<Text>,
    /// What the API server's rehearsal objected, and for how long that has been watched.
    refused: Option<(String, Duration)>,
    /// What was refused after we raised the label.
    pub(super) broken: Option<String>,
}

impl Progress {
    /// What a status remembers.
    #[must_use]
    pub fn restore(status: &NamespaceLevel) -> Self {
        let soaked = status.soaked.as_deref().and_then(duration::parse).unwrap_or_default();
        let towards = status.target.map(level);
        let of = |wanted: Level| if towards == Some(wanted) { soaked } else { Duration::ZERO };
        let seen = status.worst_seen.as_deref().and_then(|day| day.parse().ok());
        let message = || status.message.clone().unwrap_or_default();
        Self {
            // Whoever met restricted has met baseline as long.
            soaked: [of(Level::Baseline).max(of(Level::Restricted)), of(Level::Restricted)],
            level: status.level.map(level),
            worst: status.worst.map(level).zip(seen),
            wrote: status.wrote.iter().map(|label| Text::from(format!("{PREFIX}{label}"))).collect(),
            refused: (status.state == NamespaceState::Refused).then(|| (message(), Duration::ZERO)),
            broken: (status.state == NamespaceState::Broken).then(message),
        }
    }

    /// Nothing is to be raised: what was watched doesn't count.
    pub(super) fn rest(&mut self) {
        self.soaked = Default::default();
    }

    /// Takes in that everything met a level for as long as it was watched since it was looked at last, and meets this one now.
    pub(super) fn watch(&mut self, met: Level, watched: Duration, now: Timestamp) {
        let today = now.to_zoned(TimeZone::UTC).date();
        let before = self.level.replace(met).unwrap_or(met);
        for (soaked, wanted) in self.soaked.iter_mut().zip([Level::Baseline, Level::Restricted]) {
            // What was met at both ends was met in between: a change would have been looked at.
            *soaked = match (wanted <= met, wanted <= before) {
                (true, true) => soaked.saturating_add(watched),
                (true, false) | (false, _) => Duration::ZERO,
            };
        }
        if before < met && self.worst.is_none_or(|(worst, _)| before <= worst) {
            self.worst = Some((before, today));
        }
        let is_over = |day: Date| today.checked_sub(REMEMBERED.days()).is_ok_and(|end| day < end);
        self.worst = self.worst.filter(|(worst, day)| *worst < met && !is_over(*day));
        if let Some((_, waited)) = &mut self.refused {
            *waited = waited.saturating_add(watched);
        }
    }

    /// What the rehearsal objected, and how long until it is tried again.
    pub(super) fn objection(&self) -> Option<(&str, Duration)> {
        let (objection, waited) = self.refused.as_ref()?;
        (*waited < AGAIN).then(|| (objection.as_str(), AGAIN.saturating_sub(*waited)))
    }

    /// For how long a level has been met.
    #[must_use]
    pub fn soaked(&self, level: Level) -> Duration {
        match level {
            Level::Privileged => Duration::MAX,
            Level::Baseline => self.soaked[0],
            Level::Restricted => self.soaked[1],
        }
    }

    /// The same as a status tells it: in steps, never more than there is.
    #[must_use]
    pub fn told(&self, level: Level, soak: Duration) -> String {
        in_words(stepped(self.soaked(level).min(soak), soak))
    }

    /// How long until a status would tell more.
    #[must_use]
    pub fn until_told(&self, level: Level, soak: Duration) -> Duration {
        let soaked = self.soaked(level).min(soak);
        let left = soak.saturating_sub(soaked);
        let step = step(soak);
        left.min((stepped(soaked, soak) + step).saturating_sub(soaked)).max(Duration::from_millis(1))
    }

    /// The worst of the last 30 days, where that is worse than now, and the day.
    #[must_use]
    pub fn worst(&self) -> Option<(Level, Date)> {
        self.worst
    }

    /// The labels that we wrote, as a status names them.
    pub fn wrote(&self) -> impl Iterator<Item = &str> {
        self.wrote.iter().filter_map(|label| label.strip_prefix(PREFIX))
    }

    /// A label change came through.
    pub fn written(&mut self, labels: impl IntoIterator<Item = Text>) {
        self.wrote = labels.into_iter().collect();
        self.refused = None;
    }

    /// Labels were taken back; these are left.
    pub fn withdrawn(&mut self, left: impl IntoIterator<Item = Text>) {
        self.wrote = left.into_iter().collect();
        self.soaked = Default::default();
        self.broken = None;
    }

    /// The API server's rehearsal objected.
    pub fn refused(&mut self, objection: String) {
        self.refused = Some((objection, Duration::ZERO));
    }
}

fn step(soak: Duration) -> Duration {
    let longest = (soak / STEPS).as_secs();
    Duration::from_secs(STEP.into_iter().find(|step| *step <= longest).unwrap_or(1))
}

/// Rounded down to steps; a soak that is over is told as it is.
fn stepped(soaked: Duration, soak: Duration) -> Duration {
    if soak <= soaked {
        return soak;
    }
    let step = step(soak).as_secs();
    Duration::from_secs(soaked.as_secs() / step * step)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);
    const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);

    fn day(day: i8) -> Timestamp {
        jiff::civil::date(2026, 11, day).to_zoned(TimeZone::UTC).unwrap().timestamp()
    }

    #[test]
    fn only_what_was_met_all_the_time_is_soaked() {
        let mut progress = Progress::default();
        progress.watch(Level::Restricted, HOUR, day(1));
        assert_eq!((progress.soaked(Level::Baseline), progress.soaked(Level::Restricted)), (HOUR, HOUR));
        progress.watch(Level::Baseline, HOUR, day(1));
        assert_eq!((progress.soaked(Level::Baseline), progress.soaked(Level::Restricted)), (2 * HOUR, Duration::ZERO));
        progress.watch(Level::Restricted, HOUR, day(1));
        assert_eq!(progress.soaked(Level::Restricted), Duration::ZERO, "it was met at one end only");
        progress.watch(Level::Privileged, HOUR, day(1));
        assert_eq!(progress.soaked(Level::Baseline), Duration::ZERO);
    }

    #[test]
    fn a_clock_that_jumps_changes_nothing() {
        let mut progress = Progress::default();
        progress.watch(Level::Baseline, HOUR, day(1));
        progress.watch(Level::Baseline, Duration::ZERO, day(28));
        assert_eq!(progress.soaked(Level::Baseline), HOUR);
    }

    #[test]
    fn a_status_tells_steps_and_a_restart_begins_with_what_it_tells() {
        let mut progress = Progress::default();
        progress.watch(Level::Baseline, HOUR * 5 / 2, day(1));
        assert_eq!(progress.told(Level::Baseline, WEEK), "2h");
        assert_eq!(progress.until_told(Level::Baseline, WEEK), HOUR / 2);
        let status = NamespaceLevel {
            level: Some(holdfast_api::SecurityLevel::Baseline),
            target: Some(holdfast_api::SecurityLevel::Baseline),
            soaked: Some("2h".into()),
            wrote: vec!["warn".into()],
            ..NamespaceLevel::default()
        };
        let restored = Progress::restore(&status);
        assert_eq!(restored.soaked(Level::Baseline), 2 * HOUR);
        assert_eq!(restored.wrote().collect::<Vec<_>>(), ["warn"]);
        progress.watch(Level::Baseline, WEEK, day(8));
        assert_eq!(progress.told(Level::Baseline, WEEK), "7d");
    }

    #[test]
    fn the_worst_is_remembered_for_thirty_days() {
        let mut progress = Progress::default();
        progress.watch(Level::Privileged, HOUR, day(1));
        assert_eq!(progress.worst(), None, "it is as bad now");
        progress.watch(Level::Baseline, HOUR, day(2));
        let seen = Some((Level::Privileged, jiff::civil::date(2026, 11, 2)));
        assert_eq!(progress.worst(), seen);
        progress.watch(Level::Restricted, HOUR, day(20));
        assert_eq!(progress.worst(), seen, "the worst, not the last");
        let later = day(2).checked_add(jiff::SignedDuration::from_hours(31 * 24)).unwrap();
        progress.watch(Level::Restricted, HOUR, later);
        assert_eq!(progress.worst(), None);
    }
}
