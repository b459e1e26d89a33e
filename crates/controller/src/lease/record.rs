//! What a Lease says, and what we write into it. Pure: no client, and every time is an argument.

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
    /// Whether it may be by a write of ours that we are the holder.
    claimed: bool,
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
        let spec = lease.spec.clone().unwrap_or_default();
        let asked_for = match holder(&spec) {
            None if leading || is_released(&spec) => return Standing::Free,
            None => DURATION,
            Some(holder) if holder == identity && (leading || self.claimed) => return Standing::Ours,
            Some(holder) if holder == identity => DURATION,
            Some(_) => {
                self.claimed = false;
                duration(&spec).clamp(DURATION, LONGEST)
            }
        };
        let promoted = holder(&spec) == Some(identity);
        let since = match &self.last {
            Some((last, since)) if *last == spec => *since,
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
        if leading || !self.seen {
            return Standing::Free;
        }
        held_until(*self.absent_since.get_or_insert(now) + DURATION, now)
    }

    /// We are about to write that we hold it; whether the answer comes or not.
    pub(super) fn claim(&mut self) {
        self.claimed = true;
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
