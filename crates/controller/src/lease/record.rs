//! What a Lease says, and what we write into it. Pure: no client, and every time is an argument.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::MicroTime,
};
use kube::api::ObjectMeta;
use tokio::time::Instant;

use super::{Candidacy, DURATION, RENEW_DEADLINE};

/// When the leader last evaluated, or had nothing to evaluate.
pub(super) const HEARTBEAT: &str = "holdfast.dev/heartbeat";

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
    seen: bool,
    absent_since: Option<Instant>,
}

impl Observer {
    /// Only the spec counts as a sign of life: an edit of metadata by somebody else isn't one.
    pub(super) fn judge(&mut self, lease: &Lease, identity: &str, now: Instant) -> Standing {
        self.seen = true;
        self.absent_since = None;
        let spec = lease.spec.clone().unwrap_or_default();
        match holder(&spec) {
            None => return Standing::Free,
            Some(holder) if holder == identity => return Standing::Ours,
            Some(_) => {}
        }
        let asked_for = duration(&spec);
        let since = match &self.last {
            Some((last, since)) if *last == spec => *since,
            _ => now,
        };
        self.last = Some((spec, since));
        held_until(since + asked_for, now)
    }

    /// A Lease that was deleted may still have a leader, who makes it again or stops by itself; so only the leader and
    /// somebody who never saw it make it at once.
    pub(super) fn judge_absent(&mut self, leading: bool, now: Instant) -> Standing {
        if leading || !self.seen {
            return Standing::Free;
        }
        held_until(*self.absent_since.get_or_insert(now) + RENEW_DEADLINE, now)
    }
}

fn held_until(until: Instant, now: Instant) -> Standing {
    if until <= now { Standing::Free } else { Standing::Held { until } }
}

/// Who holds it; an empty holder has released it.
pub(super) fn holder(spec: &LeaseSpec) -> Option<&str> {
    spec.holder_identity.as_deref().filter(|holder| !holder.is_empty())
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
    spec.lease_duration_seconds = Some(1);
    spec.renew_time = Some(MicroTime(now));
    lease
}
