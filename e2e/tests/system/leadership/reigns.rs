//! Who wrote, from when to when, and that never two did: by the API server's audit log alone.

use anyhow::{Context as _, Result, ensure};
use holdfast_e2e::ServiceAccount;
use holdfast_testkit::{AuditEvent, AuditLog};
use jiff::Timestamp;

const LEASES: &str = "leases.coordination.k8s.io";

/// A time in which one controller wrote anything but the Lease, and no other did.
#[derive(Clone, Debug)]
pub(super) struct Reign {
    /// Whose.
    pub(super) credential: String,
    /// When its first write came in.
    pub(super) first: Timestamp,
    /// When the last of its writes was answered.
    pub(super) last: Timestamp,
    /// How many writes there were.
    pub(super) writes: usize,
}

/// One after the other; fails if one began while a write of another wasn't answered yet. Writes that were refused count too.
/// Who writes between two writes of another makes three of them.
pub(super) fn reigns(audit: &AuditLog) -> Result<Vec<Reign>> {
    let mut writes: Vec<AuditEvent> = written(audit)?.into_iter().filter(is_of_a_leader).collect();
    writes.sort_by_key(|event| event.at);
    let mut reigns: Vec<Reign> = Vec::new();
    for AuditEvent { credential, at, done, .. } in writes {
        match reigns.last_mut() {
            Some(reign) if reign.credential == credential => {
                (reign.last, reign.writes) = (reign.last.max(done), reign.writes + 1);
            }
            _ => reigns.push(Reign { credential, first: at, last: done, writes: 1 }),
        }
    }
    for pair in reigns.windows(2) {
        ensure!(pair[0].last < pair[1].first, "both wrote at once: {pair:#?}");
    }
    Ok(reigns)
}

/// What it lists anew after this moment: a standby that is warm has no need to.
pub(super) fn listed(audit: &AuditLog, credential: &str, since: Timestamp) -> Result<Vec<AuditEvent>> {
    // What isn't served is asked for again and again.
    let anew = |event: &AuditEvent| {
        event.succeeded() && (event.verb == "list" || event.uri.contains("sendInitialEvents=true"))
    };
    let events = audit.events()?.into_iter();
    Ok(events.filter(|event| event.credential == credential && since <= event.at && anew(event)).collect())
}

/// Its looks at the Lease, and its renewals, that came in after this moment.
pub(super) fn looks(audit: &AuditLog, credential: &str, since: Timestamp) -> Result<Vec<AuditEvent>> {
    let events = audit.events()?.into_iter();
    let looks = events.filter(|event| event.is_about(LEASES) && event.credential == credential && since <= event.at);
    Ok(looks.collect())
}

/// When it took or renewed the Lease, in this order.
pub(super) fn renewals(audit: &AuditLog, credential: &str) -> Result<Vec<AuditEvent>> {
    let looks = looks(audit, credential, Timestamp::MIN)?.into_iter();
    let mut renewals: Vec<AuditEvent> = looks.filter(|event| event.is_write() && event.succeeded()).collect();
    renewals.sort_by_key(|event| event.at);
    Ok(renewals)
}

/// The last thing that it wrote, the Lease included.
pub(super) fn last_of(audit: &AuditLog, credential: &str) -> Result<AuditEvent> {
    let written = written(audit)?.into_iter().filter(|event| event.credential == credential);
    written.max_by_key(|event| event.done).context("it wrote nothing")
}

/// A standby asks what it may do, says nothing and changes nothing.
fn is_of_a_leader(event: &AuditEvent) -> bool {
    event.is_about("poddisruptionbudgets.policy") || event.group == "holdfast.dev" || event.group == "events.k8s.io"
}

fn written(audit: &AuditLog) -> Result<Vec<AuditEvent>> {
    let events = audit.events()?.into_iter();
    let ours = events.filter(|event| event.user == ServiceAccount::USER && event.is_write());
    Ok(ours.collect())
}
