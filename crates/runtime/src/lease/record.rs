//! What a Lease says, and what we write into it. Pure: no client, and every time is an argument.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::MicroTime,
};
use kube::api::ObjectMeta;
use tokio::time::Instant;

use super::{Candidacy, DURATION};

/// When the leader last evaluated, or had nothing to evaluate.
pub(super) const HEARTBEAT: &str = "holdfast.dev/heartbeat";

/// The one second that a leader which hands the Lease back asks for, as `client-go` does.
const RELEASED: Duration = Duration::from_secs(1);
/// No holder gets longer than this, whatever somebody wrote.
const LONGEST: Duration = Duration::from_secs(3600);

/// Whoever didn't look for longer can't say that nothing changed: the Lease may say again what it said before (an edit by
/// hand that was done twice), or be gone again, though its leader has renewed it in between.
const BLINK: Duration = Duration::from_secs(8);

/// Of so many writes the answers may be missing at once: each is given up before the next begins, but may arrive late.
const CLAIMS: usize = 4;

/// Whose a Lease is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    Ours,
    /// Released, or unchanged for as long as its holder asked for.
    Free,
    Held {
        until: Instant,
    },
}

/// Since when a Lease says what it says.
#[derive(Debug, Default)]
pub(super) struct Observer {
    last: Option<(LeaseSpec, Instant)>,
    looked_at: Option<Instant>,
    /// What we wrote last, the newest at the end; whether it arrived we may not know.
    claims: VecDeque<LeaseSpec>,
    seen: bool,
    absent_since: Option<Instant>,
}

impl Observer {
    /// Only the spec counts as a sign of life: an edit of metadata by somebody else isn't one.
    ///
    /// What a leader of ours wouldn't have written was written by hand, and the leader may not have seen it yet: so one
    /// that isn't `leading` waits until every leader must have stopped, also when the hand made it the holder.
    pub(super) fn judge(&mut self, lease: &Lease, identity: &str, leading: bool, now: Instant) -> Standing {
        self.seen = true;
        self.absent_since = None;
        let watched = self.look(now);
        let spec = lease.spec.clone().unwrap_or_default();
        let asked_for = match holder(&spec) {
            None if leading || is_released(&spec) => return Standing::Free,
            None => DURATION,
            // By a write of ours, and not because somebody else wrote our name.
            Some(holder) if holder == identity && (leading || self.claims.contains(&spec)) => return Standing::Ours,
            Some(holder) if holder == identity => DURATION,
            Some(_) => {
                self.claims.clear();
                duration(&spec).clamp(DURATION, LONGEST)
            }
        };
        let promoted = holder(&spec) == Some(identity);
        let since = match &self.last {
            Some((last, since)) if watched && *last == spec => *since,
            _ => now,
        };
        self.last = Some((spec, since));
        match held_until(since + asked_for, now) {
            Standing::Free if promoted => Standing::Ours,
            standing => standing,
        }
    }

    /// A Lease that was deleted may still have a leader, who makes it again or stops by itself; so only the leader and
    /// somebody who never saw it make it at once.
    pub(super) fn judge_absent(&mut self, leading: bool, now: Instant) -> Standing {
        let watched = self.look(now);
        if leading || !self.seen {
            return Standing::Free;
        }
        self.absent_since = self.absent_since.filter(|_| watched);
        held_until(*self.absent_since.get_or_insert(now) + DURATION, now)
    }

    /// Whether we have looked all the time until now.
    fn look(&mut self, now: Instant) -> bool {
        self.looked_at.replace(now).is_some_and(|before| now - before <= BLINK)
    }

    /// We are about to write that we hold it; whether the answer comes or not.
    pub(super) fn claim(&mut self, lease: &Lease) {
        if self.claims.len() == CLAIMS {
            self.claims.pop_front();
        }
        self.claims.extend(lease.spec.clone());
    }
}

fn held_until(until: Instant, now: Instant) -> Standing {
    if until <= now { Standing::Free } else { Standing::Held { until } }
}

/// Who holds it; an empty holder holds nothing.
pub(super) fn holder(spec: &LeaseSpec) -> Option<&str> {
    spec.holder_identity.as_deref().filter(|holder| !holder.is_empty())
}

/// Whether its leader gave it back, rather than somebody took the name out.
fn is_released(spec: &LeaseSpec) -> bool {
    holder(spec).is_none() && duration(spec) == RELEASED
}

fn duration(spec: &LeaseSpec) -> Duration {
    let seconds = spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
    seconds.map_or(DURATION, Duration::from_secs)
}

/// The present as precisely as a Lease holds it, so that what we wrote is known again when it is read.
pub(super) fn now() -> Timestamp {
    let micros = Timestamp::now().as_microsecond();
    Timestamp::from_microsecond(micros)
        .expect("invariant: the present lies between the years that a timestamp can hold")
}

/// A Lease that isn't there yet.
pub(super) fn first(candidacy: &Candidacy, duration: Duration, now: Timestamp, beat: bool) -> Lease {
    let metadata = ObjectMeta { name: Some(candidacy.name.clone()), ..ObjectMeta::default() };
    let lease = Lease { metadata, spec: None };
    next(lease, &candidacy.identity, duration, now, beat)
}

/// The Lease taken or renewed; everything else in it stays as it was.
pub(super) fn next(mut lease: Lease, identity: &str, duration: Duration, now: Timestamp, beat: bool) -> Lease {
    let mut spec = lease.spec.take().unwrap_or_default();
    if holder(&spec) != Some(identity) {
        spec.acquire_time = Some(MicroTime(now));
        spec.lease_transitions = Some(spec.lease_transitions.map_or(0, |number| number.saturating_add(1)));
        spec.holder_identity = Some(identity.to_owned());
    }
    spec.renew_time = Some(MicroTime(now));
    spec.lease_duration_seconds = Some(i32::try_from(duration.as_secs()).unwrap_or(i32::MAX));
    lease.spec = Some(spec);
    if beat {
        let annotations = lease.metadata.annotations.get_or_insert_default();
        annotations.insert(HEARTBEAT.to_owned(), now.to_string());
    }
    lease
}

/// The Lease without a holder, free for anybody at once.
pub(super) fn released(mut lease: Lease, now: Timestamp) -> Lease {
    let spec = lease.spec.get_or_insert_default();
    spec.holder_identity = Some(String::new());
    spec.lease_duration_seconds = i32::try_from(RELEASED.as_secs()).ok();
    spec.renew_time = Some(MicroTime(now));
    lease
}
