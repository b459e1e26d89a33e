//! What an initialisation that doesn't go on means, in the causes that people know. Pure.

use super::failed::{Class, Failed};
use super::gate::Closed;
use super::next::{Step, Stuck, Wait};
use super::order::CONFIRM;
use crate::cause::Cause;
use crate::claim::Phase;
use crate::diagnose::Diagnosis;

/// What is wrong with a server that is to be initialised, or was: the more upstream of what was found with it and what its
/// initialisation stumbles over.
#[must_use]
pub fn with_initialisation(
    found: Option<Diagnosis>,
    step: &Step,
    phase: Option<&Phase>,
    failed: Option<&Failed>,
) -> Option<Diagnosis> {
    if let Step::Wait(Wait::Closed(closed)) = step {
        // Whether it may begin matters only where every pod says that it never was.
        return found.map(|found| if found.cause == Cause::NotInitialised { of_closed(closed) } else { found });
    }
    let ours = of_step(step).or_else(|| of_failure(step, phase, failed?));
    [found, ours].into_iter().flatten().reduce(|one, other| if other.cause <= one.cause { other } else { one })
}

fn of_step(step: &Step) -> Option<Diagnosis> {
    let (cause, message) = match step {
        Step::Stuck(stuck) => of_stuck(stuck)?,
        Step::Rest
        | Step::Claim(_)
        | Step::Send
        | Step::Store
        | Step::ProveAdmin
        | Step::RevokeRoot(_)
        | Step::Wipe
        | Step::Discard
        | Step::Wait(_) => return None,
    };
    Some(Diagnosis { cause, message })
}

fn of_stuck(stuck: &Stuck) -> Option<(Cause, String)> {
    Some(match stuck {
        Stuck::ClaimUnreadable(why) => {
            (Cause::ClaimBroken, format!("the claim of an initialisation is there, and {why}"))
        }
        Stuck::ClaimGone => {
            (Cause::ClaimBroken, "the answer of an initialisation is held here, and its claim was deleted".to_owned())
        }
        Stuck::Abandoned => {
            let message =
                "an initialisation was claimed, its request may have been sent, and the server isn't initialised";
            (Cause::InitAbandoned, message.to_owned())
        }
        Stuck::AdminNotProven => {
            let message = "the recovery keys are stored, the root token is lost, and nobody was seen to log in";
            (Cause::AdminNotProven, message.to_owned())
        }
        // The diagnosis of the server says these already, with more.
        Stuck::OutcomeUnknown | Stuck::StorageLost => return None,
    })
}

fn of_closed(closed: &Closed) -> Diagnosis {
    let (cause, message) = match closed {
        Closed::StorageOlderThanResource(_, uid) | Closed::StorageOfNoPod(_, uid) => (
            Cause::StorageOlderThanResource,
            format!("{closed}; looked at and empty, it is confirmed by {CONFIRM}: {uid}"),
        ),
        Closed::NotAsked
        | Closed::Plan(_)
        | Closed::PlainHttp
        | Closed::NoTarget
        | Closed::Pods(_)
        | Closed::Silent(_)
        | Closed::Initialised(_)
        | Closed::OtherSeal(..)
        | Closed::StorageUnseen
        | Closed::Rehearsal(_)
        | Closed::Preparation(_) => (Cause::NotInitialised, format!("its initialisation waits: {closed}")),
    };
    Diagnosis { cause, message }
}

/// A failure that the next try won't mend.
fn of_failure(step: &Step, phase: Option<&Phase>, failed: &Failed) -> Option<Diagnosis> {
    if failed.class() == Class::Retry {
        return None;
    }
    let cause = match (step, phase) {
        (Step::Claim(_) | Step::Send, _) => Cause::NotInitialised,
        (Step::Store, _) | (Step::Wait(Wait::AtWork), Some(Phase::Claimed { .. })) => Cause::RecoveryKeysNotStored,
        (Step::ProveAdmin | Step::RevokeRoot(_), _)
        | (Step::Wait(Wait::AtWork), Some(Phase::Stored { .. } | Phase::AdminProven { .. })) => Cause::AdminNotProven,
        (Step::Wait(_) | Step::Rest | Step::Wipe | Step::Discard | Step::Stuck(_), _) => return None,
    };
    Some(Diagnosis { cause, message: failed.to_string() })
}
