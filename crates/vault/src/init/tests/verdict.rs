//! What people are told of an initialisation that doesn't go on.

use crate::cause::Cause;
use crate::claim::Phase;
use crate::diagnose::Diagnosis;
use crate::init::failed::Failed;
use crate::init::gate::Closed;
use crate::init::next::{Step, Stuck, Wait};
use crate::init::verdict::with_initialisation;

fn found(cause: Cause) -> Option<Diagnosis> {
    Some(Diagnosis { cause, message: "found with the server".to_owned() })
}

fn told(found: Option<Diagnosis>, step: &Step, phase: Option<&Phase>, failed: Option<&Failed>) -> Option<Cause> {
    with_initialisation(found, step, phase, failed).map(|diagnosis| diagnosis.cause)
}

#[test]
fn what_is_upstream_comes_first() {
    let closed = Step::Wait(Wait::Closed(Closed::StorageOlderThanResource("data-vault-0".to_owned(), "u".to_owned())));
    assert_eq!(told(found(Cause::NotInitialised), &closed, None, None), Some(Cause::StorageOlderThanResource));
    assert_eq!(told(found(Cause::TransitSealed), &closed, None, None), Some(Cause::TransitSealed));
    // A server that was initialised by somebody, and whose pods are down.
    let silent = Step::Wait(Wait::Closed(Closed::Silent("vault-0".to_owned())));
    assert_eq!(told(found(Cause::ServerCrashes), &silent, None, None), Some(Cause::ServerCrashes));
    assert_eq!(told(None, &silent, None, None), None);
    assert_eq!(told(found(Cause::KeyUnguarded), &Step::Rest, None, None), Some(Cause::KeyUnguarded));
    assert_eq!(told(None, &Step::Rest, None, None), None);
}

#[test]
fn a_message_names_what_a_person_looks_at() {
    let closed =
        Step::Wait(Wait::Closed(Closed::StorageOlderThanResource("data-vault-0".to_owned(), "u-1".to_owned())));
    let diagnosis = with_initialisation(found(Cause::NotInitialised), &closed, None, None).expect("a diagnosis");
    assert!(diagnosis.message.contains("data-vault-0") && diagnosis.message.contains("confirm-storage: u-1"));
    let waits = Step::Wait(Wait::Closed(Closed::PlainHttp));
    let diagnosis = with_initialisation(found(Cause::NotInitialised), &waits, None, None).expect("a diagnosis");
    assert_eq!(diagnosis.message, format!("its initialisation waits: {}", Closed::PlainHttp));
}

#[test]
fn a_failure_is_told_by_what_it_keeps_from_happening() {
    let phase = |stored| {
        let attempt = "a".to_owned();
        if stored { Phase::Stored { attempt } } else { Phase::Claimed { attempt, may_be_lost: false } }
    };
    let (person, retry) = (Failed::NotOurs("keys".to_owned()), Failed::NotYet);
    let at_work = Step::Wait(Wait::AtWork);
    for (step, stored, failed, expected) in [
        (&Step::Store, false, &person, Some(Cause::RecoveryKeysNotStored)),
        (&at_work, false, &person, Some(Cause::RecoveryKeysNotStored)),
        (&at_work, true, &person, Some(Cause::AdminNotProven)),
        (&Step::ProveAdmin, true, &person, Some(Cause::AdminNotProven)),
        (&Step::ProveAdmin, true, &retry, None),
        (&Step::Stuck(Stuck::Abandoned), false, &person, Some(Cause::InitAbandoned)),
    ] {
        assert_eq!(told(None, step, Some(&phase(stored)), Some(failed)), expected, "{step:?} {failed}");
    }
}
