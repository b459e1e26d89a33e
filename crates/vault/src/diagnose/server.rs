//! What can be wrong with B itself, once A and the token are in order.

use std::time::Duration;

use jiff::Timestamp;

use super::{Diagnosis, Limits};
use crate::cause::Cause;
use crate::claim::Phase;
use crate::rehearsal::Outcome;
use crate::view::{Answer, Container, Pod, Server, Serving, Unknown, View, between};

/// A container that has run for so long without listening hangs: a start takes less than ten seconds, whatever A does.
const HUNG: Duration = Duration::from_secs(30);
/// A sealed server tries again every five seconds; after three of these it would have unsealed.
const RETRIES: Duration = Duration::from_secs(15);

pub(super) fn missing(view: &View, _: &Limits) -> Option<Diagnosis> {
    match view.target.set.as_ref().err()? {
        Unknown::Missing(what) => Some(Diagnosis::new(Cause::TargetMissing, what.clone())),
        Unknown::Refused(said) => {
            Some(Diagnosis::new(Cause::NotPermitted, format!("the StatefulSet may not be read: {said}")))
        }
        Unknown::Unseen => None,
    }
}

pub(super) fn init_outcome_unknown(view: &View, _: &Limits) -> Option<Diagnosis> {
    let Some(Phase::Claimed { attempt, may_be_lost: true }) = &view.birth.claim else { return None };
    (view.target.state() == Server::Initialised).then(|| {
        let claims = claims(view).join(", ");
        let storage = if claims.is_empty() { "no PersistentVolumeClaims" } else { &claims };
        let message = format!(
            "attempt {attempt} was begun, the server is initialised, and its answer isn't stored; its storage: {storage}"
        );
        Diagnosis::new(Cause::InitOutcomeUnknown, message)
    })
}

/// The PersistentVolumeClaims of the pods that are initialised.
fn claims(view: &View) -> Vec<String> {
    let Ok(set) = &view.target.set else { return Vec::new() };
    let initialised = view.target.pods.iter().filter(|pod| pod.is_initialised());
    initialised.flat_map(|pod| set.volumes.iter().map(|volume| format!("{volume}-{}", pod.name))).collect()
}

pub(super) fn storage_lost(view: &View, _: &Limits) -> Option<Diagnosis> {
    match &view.birth.claim {
        Some(Phase::Stored { .. } | Phase::AdminProven { .. } | Phase::Complete { .. })
            if view.target.state() == Server::Blank =>
        {
            Some(Diagnosis::new(
                Cause::StorageLost,
                "it was initialised, its recovery keys are stored, and no pod knows of it any more",
            ))
        }
        Some(_) | None => None,
    }
}

pub(super) fn not_initialised(view: &View, _: &Limits) -> Option<Diagnosis> {
    (view.birth.claim.is_none() && view.target.state() == Server::Blank)
        .then(|| Diagnosis::new(Cause::NotInitialised, "no pod is initialised, and nobody has claimed to do so"))
}

pub(super) fn migration(view: &View, _: &Limits) -> Option<Diagnosis> {
    let pods = &view.target.pods;
    let standby: Vec<&Pod> = pods.iter().filter(|pod| pod.answer == Answer::MigratedStandby).collect();
    if !standby.is_empty() {
        let names = names(&standby);
        return Some(Diagnosis::new(
            Cause::MigratedStandby,
            format!("{names}: migrated to the new seal, the leader not yet"),
        ));
    }
    let pending: Vec<&Pod> =
        pods.iter().filter(|pod| pod.is_sealed() && pod.answer.facts().is_some_and(|facts| facts.migration)).collect();
    (!pending.is_empty()).then(|| {
        Diagnosis::new(
            Cause::MigrationPending,
            format!("{}: a migration of the seal waits for shares", names(&pending)),
        )
    })
}

/// Runs, and listens to nobody: it hung at A, which answers again.
pub(super) fn hung(view: &View, _: &Limits) -> Option<Diagnosis> {
    let hung: Vec<&Pod> = view.target.pods.iter().filter(|pod| is_hung(pod, view.now)).collect();
    (!hung.is_empty()).then(|| {
        let rehearsed = match view.rehearsal {
            Outcome::Passed => "though the rehearsal passes",
            Outcome::Failed(..) | Outcome::Unknown(_) => "though the transit server answers",
        };
        let message = format!("{}: runs for more than 30 s and listens to nobody, {rehearsed}", names(&hung));
        Diagnosis::new(Cause::ServerHung, message)
    })
}

/// Whether a container runs and its server doesn't listen.
pub(crate) fn is_hung(pod: &Pod, now: Timestamp) -> bool {
    let silent = matches!(pod.answer, Answer::Refused | Answer::Hangs);
    silent && runs_for(pod, now).is_some_and(|time| HUNG <= time)
}

/// How long its container has run; `None` for one that doesn't.
fn runs_for(pod: &Pod, now: Timestamp) -> Option<Duration> {
    match &pod.container {
        Container::Running { since, .. } => Some(between(*since, now)),
        Container::Waiting(_) | Container::Ended(_) => None,
    }
}

pub(super) fn crashes(view: &View, _: &Limits) -> Option<Diagnosis> {
    let ended: Vec<&Pod> = view.target.pods.iter().filter(|pod| matches!(pod.container, Container::Ended(_))).collect();
    if ended.is_empty() {
        return None;
    }
    let codes: Vec<String> = ended.iter().filter_map(|pod| code(pod)).collect();
    let why = if ended.iter().all(|pod| waits_only(pod, view)) {
        "before what its start needs worked again; it waits for its next start"
    } else {
        "though the transit server answers"
    };
    let message = format!("{} ended ({}) {why}", names(&ended), codes.join(", "));
    Some(Diagnosis::new(Cause::ServerCrashes, message))
}

/// Whether it ended before the rehearsal began to pass: for what is mended now.
pub(crate) fn waits_only(pod: &Pod, view: &View) -> bool {
    match &pod.container {
        Container::Ended(ended) => ended.at.zip(view.passing_since).is_some_and(|(at, since)| at < since),
        Container::Running { .. } | Container::Waiting(_) => false,
    }
}

fn code(pod: &Pod) -> Option<String> {
    match &pod.container {
        Container::Ended(ended) => Some(format!("exit code {}", ended.code)),
        Container::Running { .. } | Container::Waiting(_) => None,
    }
}

/// It may be well: nobody can say from here.
pub(super) fn unreachable(view: &View, limits: &Limits) -> Option<Diagnosis> {
    let booted = |pod: &&Pod| runs_for(pod, view.now).is_some_and(|time| limits.boot_grace <= time);
    let found = view.target.pods.iter().filter(booted).find_map(|pod| match &pod.answer {
        Answer::Garbled(why) | Answer::Unseen(why) => Some((pod, why)),
        Answer::Told(..) | Answer::MigratedStandby | Answer::Refused | Answer::Hangs => None,
    });
    found.map(|(pod, why)| Diagnosis::new(Cause::ServerUnreachable, format!("{}: {why}", pod.name)))
}

/// Some are initialised, and these aren't.
pub(super) fn not_joined(view: &View, limits: &Limits) -> Option<Diagnosis> {
    let some_are = view.target.state() == Server::Initialised;
    let booted = |pod: &&Pod| runs_for(pod, view.now).is_some_and(|time| limits.boot_grace <= time);
    let alone: Vec<&Pod> = view.target.pods.iter().filter(|pod| pod.is_uninitialised()).filter(booted).collect();
    (some_are && !alone.is_empty())
        .then(|| Diagnosis::new(Cause::NotJoined, format!("{}: hasn't joined the others", names(&alone))))
}

pub(super) fn sealed(view: &View, _: &Limits) -> Option<Diagnosis> {
    let late = |pod: &&Pod| runs_for(pod, view.now).is_some_and(|time| RETRIES <= time);
    let by_person: Vec<&Pod> = view.target.pods.iter().filter(|pod| pod.is_sealed() && pod.was_unsealed).collect();
    if !by_person.is_empty() {
        let message = format!("{}: sealed in the midst of its life, which only the API does", names(&by_person));
        return Some(Diagnosis::new(Cause::SealedByPerson, message));
    }
    let sealed: Vec<&Pod> = view.target.pods.iter().filter(|pod| pod.is_sealed()).filter(late).collect();
    if sealed.is_empty() {
        return None;
    }
    let rehearsed_for = view.passing_since.map(|since| between(since, view.now));
    Some(match rehearsed_for {
        Some(time) if RETRIES <= time => {
            let message =
                format!("{}: sealed, though all that unsealing needs was done with its own token", names(&sealed));
            Diagnosis::new(Cause::SealedByPerson, message)
        }
        // It may unseal at its next try.
        Some(_) => return None,
        None => {
            let message =
                format!("{}: stays sealed, though the transit server answers and takes the token", names(&sealed));
            Diagnosis::new(Cause::SealedUnexplained, message)
        }
    })
}

pub(super) fn leaderless(view: &View, _: &Limits) -> Option<Diagnosis> {
    let pods = &view.target.pods;
    let serving = |pod: &Pod| match &pod.answer {
        Answer::Told(_, serving) => Some(*serving),
        Answer::MigratedStandby | Answer::Refused | Answer::Hangs | Answer::Garbled(_) | Answer::Unseen(_) => None,
    };
    let led = pods.iter().any(|pod| matches!(serving(pod), Some(Serving::Active | Serving::Standby)));
    let leaderless: Vec<&Pod> = pods.iter().filter(|pod| serving(pod) == Some(Serving::Leaderless)).collect();
    (!led && !leaderless.is_empty())
        .then(|| Diagnosis::new(Cause::QuorumLost, format!("{}: unsealed, and nobody leads", names(&leaderless))))
}

fn names(pods: &[&Pod]) -> String {
    let names: Vec<&str> = pods.iter().map(|pod| pod.name.as_str()).collect();
    names.join(", ")
}
