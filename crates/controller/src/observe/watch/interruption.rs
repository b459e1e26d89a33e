//! Why a watch isn't connected, and how long until it is tried again.
//!
//! A connection that lived is replaced at once; one that ends again and again is replaced ever more slowly, whatever the
//! reason. What somebody has to change (a role, a token) is asked for slowly from the start; but where it was permitted
//! before, a server that just came back may only not have read its roles yet, so it is asked twice soon. A version that
//! is too old is the answer of a server that is there: the list follows at once, however long it was away.

use std::time::Duration;

use holdfast_runtime::backoff::Exponential;
use holdfast_runtime::failure::{retry_after, said};
use kube::core::Status;

/// A connection that lived this long wasn't part of a row of failures.
const LIVED: Duration = Duration::from_secs(5);
const USUAL: Exponential = Exponential::new(Duration::from_millis(800), Duration::from_secs(30));
const SLOW: Exponential = Exponential::new(Duration::from_secs(10), Duration::from_secs(60));
/// How often what was permitted before is asked for soon.
const SOON: u32 = 2;
/// The server's own flow control says this in a header that the client doesn't pass on.
const THROTTLED: Duration = Duration::from_secs(1);

/// Why; also the label of `holdfast_watch_errors_total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Reason {
    /// The server ended it as agreed (`timeoutSeconds`); no error.
    Closed,
    /// A fresh list was asked for; no error.
    Relist,
    /// Neither event nor bookmark for too long.
    Idle,
    /// The request wasn't answered in time.
    TimedOut,
    /// The connection failed or was cut.
    Connection,
    /// 410: the version we know is too old; a list follows.
    Expired,
    /// 403.
    NotPermitted,
    /// 401.
    Unauthorized,
    /// 404: the server doesn't know the kind.
    Absent,
    /// 404, but the server has the kind in another version.
    OtherVersion,
    /// 429.
    Throttled,
    /// 400 or 422: the server can't do what we ask.
    Refused,
    /// 5xx, or another refusal.
    Server,
    /// An answer that is neither an event nor a list.
    Unreadable,
}

impl Reason {
    pub(crate) const ALL: [Self; 14] = [
        Self::Closed,
        Self::Relist,
        Self::Idle,
        Self::TimedOut,
        Self::Connection,
        Self::Expired,
        Self::NotPermitted,
        Self::Unauthorized,
        Self::Absent,
        Self::OtherVersion,
        Self::Throttled,
        Self::Refused,
        Self::Server,
        Self::Unreadable,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Relist => "relist",
            Self::Idle => "idle",
            Self::TimedOut => "timed-out",
            Self::Connection => "connection",
            Self::Expired => "expired",
            Self::NotPermitted => "not-permitted",
            Self::Unauthorized => "unauthorized",
            Self::Absent => "absent",
            Self::OtherVersion => "other-version",
            Self::Throttled => "throttled",
            Self::Refused => "refused",
            Self::Server => "server",
            Self::Unreadable => "unreadable",
        }
    }

    /// Whether the server has no objects of the kind, as far as we can see.
    pub(crate) fn is_without_objects(self) -> bool {
        matches!(self, Self::Absent | Self::OtherVersion)
    }

    /// Whether this is part of normal operation: no error to count or to log.
    pub(crate) fn is_routine(self) -> bool {
        match self {
            Self::Closed | Self::Relist => true,
            Self::Idle
            | Self::TimedOut
            | Self::Connection
            | Self::Expired
            | Self::NotPermitted
            | Self::Unauthorized
            | Self::Absent
            | Self::OtherVersion
            | Self::Throttled
            | Self::Refused
            | Self::Server
            | Self::Unreadable => false,
        }
    }
}

/// Why a watch isn't connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Interruption {
    pub(crate) reason: Reason,
    /// For logs and status.
    pub(crate) message: String,
    /// What the server asked us to wait.
    retry_after: Option<Duration>,
}

impl Interruption {
    pub(crate) fn new(reason: Reason, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { reason, message, retry_after: None }
    }

    /// The server took a streaming list for an ordinary watch.
    pub(super) fn ignored() -> Self {
        Self::new(Reason::Refused, "the server doesn't stream lists")
    }

    pub(super) fn of(error: &kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => Self::of_status(status),
            kube::Error::Auth(_) => Self::new(Reason::Unauthorized, said(error)),
            kube::Error::SerdeError(_) | kube::Error::FromUtf8(_) => Self::new(Reason::Unreadable, said(error)),
            other => Self::new(Reason::Connection, said(other)),
        }
    }

    pub(super) fn of_status(status: &Status) -> Self {
        let reason = match status.code {
            401 => Reason::Unauthorized,
            403 => Reason::NotPermitted,
            404 => Reason::Absent,
            410 => Reason::Expired,
            429 => Reason::Throttled,
            400 | 422 => Reason::Refused,
            _ if is_expired(status) => Reason::Expired,
            _ => Reason::Server,
        };
        let mut interruption = Self::new(reason, status.message.clone());
        interruption.retry_after = retry_after(status);
        interruption
    }
}

fn is_expired(status: &Status) -> bool {
    ["Expired", "Gone"].contains(&status.reason.as_str()) || status.message.contains("too old resource version")
}

/// When to try again.
#[derive(Debug, Default)]
pub(super) struct Pace {
    failures: u32,
    /// Refusals in a row by somebody who has to change something.
    refusals: u32,
    was_permitted: bool,
    last: Option<Reason>,
}

impl Pace {
    /// The wait after `interruption` of a connection that lived for `lived` (zero if it never came to be).
    pub(super) fn wait(&mut self, interruption: &Interruption, lived: Duration) -> Duration {
        let reason = interruption.reason;
        let last = self.last.replace(reason);
        // A kind that isn't installed is looked for ever more slowly. That is no row of failures of the kind that comes: the
        // server asks to wait for a second while it prepares the storage.
        let absent = Reason::is_without_objects;
        if LIVED <= lived || last.is_some_and(absent) != absent(reason) {
            self.failures = 0;
        }
        self.was_permitted |= !lived.is_zero();
        let failures = self.failures;
        self.failures = failures.saturating_add(1);
        let wait = match reason {
            Reason::NotPermitted | Reason::Unauthorized => self.refused(),
            Reason::Throttled => THROTTLED + USUAL.wait(failures),
            Reason::Closed | Reason::Idle | Reason::Connection if failures == 0 => Duration::ZERO,
            Reason::Expired if failures == 0 || last != Some(Reason::Expired) => Duration::ZERO,
            Reason::Relist => Duration::ZERO,
            Reason::Closed
            | Reason::Idle
            | Reason::Connection
            | Reason::Expired
            | Reason::TimedOut
            | Reason::Absent
            | Reason::OtherVersion
            | Reason::Refused
            | Reason::Server
            | Reason::Unreadable => USUAL.wait(failures),
        };
        if !matches!(reason, Reason::NotPermitted | Reason::Unauthorized) {
            self.refusals = 0;
        }
        wait.max(interruption.retry_after.unwrap_or_default())
    }

    fn refused(&mut self) -> Duration {
        let refusals = self.refusals;
        self.refusals = refusals.saturating_add(1);
        match refusals.checked_sub(SOON) {
            None if self.was_permitted => USUAL.wait(refusals + 1),
            Some(later) if self.was_permitted => SLOW.wait(later),
            None | Some(_) => SLOW.wait(refusals),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(pace: &mut Pace, reason: Reason) -> Duration {
        pace.wait(&Interruption::new(reason, "as told"), Duration::ZERO)
    }

    #[test]
    fn a_kind_that_comes_is_not_kept_waiting_for_the_time_in_which_it_was_absent() {
        let mut pace = Pace::default();
        let waits: Vec<Duration> = (0..8).map(|_| wait(&mut pace, Reason::Absent)).collect();
        assert!(waits[0] < Duration::from_secs(1) && Duration::from_secs(20) < waits[7], "{waits:?}");
        let first = wait(&mut pace, Reason::Throttled);
        assert!(first < Duration::from_secs(2), "{first:?}");
        let second = wait(&mut pace, Reason::Throttled);
        assert!(first < second, "{second:?}");
    }

    #[test]
    fn a_connection_that_lived_begins_a_new_row() {
        let mut pace = Pace::default();
        let waits: Vec<Duration> = (0..8).map(|_| wait(&mut pace, Reason::Connection)).collect();
        assert!(waits[0].is_zero() && Duration::from_secs(20) < waits[7], "{waits:?}");
        let after = pace.wait(&Interruption::new(Reason::Connection, "as told"), LIVED);
        assert_eq!(after, Duration::ZERO);
    }

    #[test]
    fn what_was_permitted_before_is_asked_for_soon_and_then_slowly() {
        let mut pace = Pace::default();
        pace.wait(&Interruption::new(Reason::Connection, "as told"), LIVED);
        let waits: Vec<u64> = (0..6).map(|_| wait(&mut pace, Reason::NotPermitted).as_millis() as u64).collect();
        let slow = [1_200..=1_600, 2_400..=3_200, 7_500..=10_000, 15_000..=20_000, 30_000..=40_000, 45_000..=60_000];
        assert!(waits.iter().zip(slow).all(|(wait, slow)| slow.contains(wait)), "{waits:?}");
    }

    #[test]
    fn an_outage_before_it_does_not_make_a_refusal_slower() {
        let mut pace = Pace::default();
        pace.wait(&Interruption::new(Reason::Connection, "as told"), LIVED);
        for _ in 0..6 {
            wait(&mut pace, Reason::Connection);
        }
        assert!(wait(&mut pace, Reason::NotPermitted) < Duration::from_secs(2));
    }

    #[test]
    fn the_list_after_an_outage_comes_at_once_but_not_again_and_again() {
        let mut pace = Pace::default();
        for _ in 0..6 {
            wait(&mut pace, Reason::Connection);
        }
        assert_eq!(wait(&mut pace, Reason::Expired), Duration::ZERO);
        assert!(Duration::from_secs(20) < wait(&mut pace, Reason::Expired));
    }
}
