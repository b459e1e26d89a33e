//! What is told of a view, and that nothing is told twice.

use holdfast_api::vault_transit_unseal::{PodState, RehearsalResult};
use holdfast_api::{VaultTransitUnseal, VaultTransitUnsealStatus};
use serde_json::json;

use super::*;
use crate::builders::{NOW, at, pod, view};
use crate::cause::Cause;
use crate::claim::{Birth, Keys, Phase};
use crate::diagnose::diagnose;
use crate::init::kept::Kept;
use crate::next_step::{Wait, next_step};
use crate::rehearsal::{Canary, ContainerId, Ignorance, Outcome};
use crate::view::{Answer, Lookup, Reach};

fn settings() -> Settings {
    let resource: VaultTransitUnseal = serde_json::from_value(json!({
        "apiVersion": "holdfast.dev/v1alpha1", "kind": "VaultTransitUnseal",
        "metadata": { "name": "b", "namespace": "vault", "uid": "u", "generation": 3 },
        "spec": {
            "target": { "statefulSetRef": { "name": "vault" } },
            "seal": { "transit": { "address": "https://a.example.net:8200", "key": "b" } },
            "token": { "secretRef": { "name": "seal", "key": "token" } },
        },
    }))
    .expect("a resource");
    Settings::try_from(&resource).expect("settings")
}

fn ledger() -> Ledger {
    let running = vec![ContainerId { uid: "uid-0".to_owned(), restarts: 0 }];
    let canary = Canary { version: 2, ciphertext: "vault:v2:x".to_owned(), running };
    Ledger { canaries: vec![canary], proven: Some(2), since: Some(at(5)) }
}

fn told(view: &View, before: &VaultTransitUnsealStatus, memory: &Memory) -> VaultTransitUnsealStatus {
    let settings = settings();
    let diagnosis = diagnose(view, &settings.allowed.limits);
    let step = next_step(view, diagnosis.as_ref().map(|found| found.cause), &settings.allowed, memory);
    let transit_seal = before.transit.as_ref().and_then(|transit| transit.seal_type.as_deref());
    let pass = Pass {
        settings: &settings,
        view,
        diagnosis: diagnosis.as_ref(),
        step: &step,
        init: None,
        circle: None,
        ledger: &ledger(),
        memory,
        transit_seal,
        requested_at: None,
    };
    status(&pass, before)
}

fn first(view: &View) -> VaultTransitUnsealStatus {
    told(view, &VaultTransitUnsealStatus::default(), &Memory::default())
}

#[track_caller]
fn check(view: &View, kind: &str, expected: (&str, &str)) {
    let status = first(view);
    let found = status.conditions.iter().find(|condition| condition.type_ == kind).expect("a condition");
    assert_eq!((found.status.as_str(), found.reason.as_str()), expected, "{}", found.message);
}

fn down() -> View {
    let reach = Reach::Unreachable("connection refused".to_owned());
    let outcome = Outcome::Failed(Cause::TransitUnreachable, reach.message());
    view().reaching(reach).rehearsed(outcome).looked_up(Lookup::Unseen)
}

#[test]
fn a_healthy_server() {
    check(&view(), "Ready", ("True", "Serving"));
    check(&view(), "Unsealed", ("True", "Unsealed"));
    check(&view(), "Initialized", ("True", "Initialised"));
    check(&view(), "WouldStart", ("True", "Rehearsed"));
    check(&view(), "TokenHealthy", ("True", "Alive"));
    check(&view(), "ColdStart", ("False", "TransitNeedsPeople"));
    let status = first(&view());
    assert_eq!(status.diagnosis, None);
    assert_eq!(status.rehearsal.map(|rehearsal| rehearsal.result), Some(RehearsalResult::Passed));
    assert_eq!(status.pods.first().map(|pod| pod.state), Some(PodState::Active));
}

#[test]
fn a_server_that_serves_and_would_not_start_is_not_ready() {
    check(&down(), "Unsealed", ("True", "Unsealed"));
    check(&down(), "WouldStart", ("False", "TransitUnreachable"));
    check(&down(), "Ready", ("False", "TransitUnreachable"));
    check(&down(), "TokenHealthy", ("Unknown", "NotAsked"));
}

#[test]
fn what_is_not_known_is_told_as_such_and_does_not_unmake_readiness() {
    let adopted = view().rehearsed(Outcome::Unknown(Ignorance::NoEvidence));
    check(&adopted, "WouldStart", ("Unknown", "NoEvidence"));
    check(&adopted, "Ready", ("True", "Serving"));
    let alone = view().with_pods(vec![pod(0).uninitialised()]);
    check(&alone, "Initialized", ("False", "NotInitialised"));
    check(&alone, "Ready", ("False", "NotInitialised"));
}

#[test]
fn what_a_said_of_its_seal_holds_while_it_is_silent() {
    let before = first(&view());
    let mut silent = down();
    silent.transit.facts = None;
    let status = told(&silent, &before, &Memory::default());
    let cold = status.conditions.iter().find(|condition| condition.type_ == "ColdStart").expect("a condition");
    assert_eq!(cold.reason, "TransitNeedsPeople");
    assert_eq!(status.transit, before.transit);
    assert_eq!(status.token, before.token, "what was known of the token stays");
}

#[test]
fn nothing_is_told_twice() {
    for view in [view(), down(), view().with_pods(vec![pod(0).sealed()])] {
        let before = first(&view);
        let mut later = view.clone();
        later.now = at(NOW + 30);
        assert_eq!(told(&later, &before, &Memory::default()), before);
    }
}

#[test]
fn a_diagnosis_keeps_its_time_as_long_as_its_cause() {
    let before = first(&down());
    let mut later = down();
    later.now = at(NOW + 30);
    later.transit.reach = Reach::Unreachable("no such host".to_owned());
    let status = told(&later, &before, &Memory::default());
    let since = |status: &VaultTransitUnsealStatus| status.diagnosis.as_ref().and_then(|found| found.since.clone());
    assert_eq!(since(&status), since(&before));
    assert_ne!(status.diagnosis, before.diagnosis, "the message is another");
}

/// A process that begins anew knows what the one before it knew.
#[test]
fn a_status_is_a_memory() {
    let memory = Memory { deleted: [("vault-1".to_owned(), at(900))].into(), ..Memory::default() };
    let status = told(&view(), &VaultTransitUnsealStatus::default(), &memory);
    assert_eq!(super::ledger(&status), ledger());
    assert_eq!(deleted(&status), memory.deleted, "also of a pod that isn't back yet");
    assert!(unsealed(&status).contains(&ContainerId { uid: "uid-0".to_owned(), restarts: 0 }));
}

#[test]
fn a_spec_that_makes_no_sense_keeps_what_was_known() {
    let before = first(&view());
    let status = invalid(&Invalid::NoToken, Some(4), &before, at(NOW));
    let of = |kind: &str| status.conditions.iter().find(|condition| condition.type_ == kind).cloned();
    assert_eq!(of("Stalled").map(|condition| condition.reason), Some("InvalidSpec".to_owned()));
    assert_eq!(of("WouldStart").map(|condition| condition.status), Some("Unknown".to_owned()));
    assert_eq!(status.rehearsal, before.rehearsal);
}

#[test]
fn who_is_to_act_is_told_with_the_step() {
    let step = Step::Wait(Wait::ForTransit);
    assert_eq!((step.action(), step.reason()), ("Wait", "TransitDown"));
    assert_eq!(first(&down()).next_step.map(|step| step.reason), Some("TransitDown".to_owned()));
}

fn phased(phase: Phase, kept: Option<Kept>) -> View {
    let keys = kept.map(|kept| Keys { secret: "recovery".to_owned(), count: 3, kept: Some(kept) });
    View { birth: Birth { claim: Some(phase), keys, untouched: false }, ..view() }
}

#[test]
fn nothing_is_ready_before_its_initialisation_is_complete() {
    let attempt = || "a1".to_owned();
    let claimed = phased(Phase::Claimed { attempt: attempt(), may_be_lost: false }, None);
    check(&claimed, "Ready", ("False", "InitIncomplete"));
    check(&claimed, "RecoveryKeysStored", ("False", "NotStored"));
    let stored = phased(Phase::Stored { attempt: attempt() }, Some(Kept::Stored));
    check(&stored, "Ready", ("False", "InitIncomplete"));
    check(&stored, "RecoveryKeysStored", ("True", "Stored"));
    let complete = phased(Phase::Complete { attempt: attempt() }, Some(Kept::Stored));
    check(&complete, "Ready", ("True", "Serving"));
    let known = first(&complete).initialization.expect("an initialisation");
    assert_eq!((known.attempt.as_deref(), known.secret_name.as_deref()), (Some("a1"), Some("recovery")));
}

#[test]
fn keys_that_are_not_as_they_were_stored_are_told() {
    let complete = |kept| phased(Phase::Complete { attempt: "a1".to_owned() }, Some(kept));
    for (kept, reason) in [(Kept::Lost, "Lost"), (Kept::Changed, "Changed"), (Kept::NoneExist, "NoneExist")] {
        check(&complete(kept), "RecoveryKeysStored", ("False", reason));
    }
    let mut rekeyed = complete(Kept::Stored);
    for pod in &mut rekeyed.target.pods {
        if let Answer::Told(facts, _) = &mut pod.answer {
            facts.shares = 5;
        }
    }
    check(&rekeyed, "RecoveryKeysStored", ("False", "Changed"));
    let unread = phased(Phase::Unreadable { why: "edited".to_owned() }, None);
    check(&unread, "RecoveryKeysStored", ("Unknown", "ClaimUnreadable"));
    check(&unread, "Ready", ("False", "InitIncomplete"));
}

#[test]
fn servers_that_need_each_other_survive_no_outage() {
    let (settings, view) = (settings(), view());
    let key = |name: &str| ("vault".to_owned(), name.to_owned());
    let circle = [key("b"), key("a")];
    let (ledger, memory) = (ledger(), Memory::default());
    let pass = Pass {
        settings: &settings,
        view: &view,
        diagnosis: None,
        step: &Step::Rest,
        init: None,
        circle: Some(&circle),
        ledger: &ledger,
        memory: &memory,
        transit_seal: None,
        requested_at: None,
    };
    let told = status(&pass, &VaultTransitUnsealStatus::default());
    let cold = told.conditions.iter().find(|condition| condition.type_ == "ColdStart").expect("a condition");
    assert_eq!((cold.status.as_str(), cold.reason.as_str()), ("False", "Circular"));
    assert!(cold.message.starts_with("vault/b needs vault/a needs vault/b"), "{}", cold.message);
}
