//! When something is done, and when not.

use std::time::Duration;

use super::*;
use crate::builders::{NOW, alive, at, pod, view};
use crate::diagnose::diagnose;
use crate::rehearsal::{Ignorance, Outcome};
use crate::view::{Answer, Malformed, Pod, Reach};

fn allowed() -> Allowed {
    Allowed {
        manage: true,
        mint: true,
        provision: false,
        restart: true,
        restart_sealed: false,
        rotate_every: None,
        limits: Limits {
            boot_grace: Duration::from_secs(60),
            renew_at: 50,
            survive_outage: Duration::from_secs(168 * 3600),
        },
    }
}

fn observing() -> Allowed {
    Allowed { manage: false, ..allowed() }
}

#[track_caller]
fn check(view: &View, allowed: &Allowed, memory: &Memory, expected: &Step) {
    let cause = crate::diagnose::diagnose(view, &allowed.limits).map(|found| found.cause);
    assert_eq!(&next_step(view, cause, allowed, memory), expected, "{cause:?}");
}

/// A token with so much left of an hour.
fn with_left(seconds: u64) -> Lookup {
    let Lookup::Alive { renewable, orphan, role, period, root, makes_keys, .. } = alive() else { unreachable!() };
    let ends = Some(at(NOW) + Duration::from_secs(seconds));
    Lookup::Alive { ends, life: Duration::from_secs(3600), renewable, orphan, role, period, root, makes_keys }
}

fn delete(pod: &str, uid: &str) -> Step {
    Step::Delete { pod: pod.to_owned(), uid: uid.to_owned() }
}

fn hung() -> Pod {
    pod(0).answering(Answer::Refused)
}

#[test]
fn nothing_is_done_for_a_healthy_server() {
    check(&view(), &allowed(), &Memory::default(), &Step::Rest);
}

#[test]
fn a_token_is_renewed_at_half_its_life_also_when_only_observing() {
    let memory = Memory::default();
    check(&view().looked_up(with_left(1801)), &observing(), &memory, &Step::Rest);
    check(&view().looked_up(with_left(1800)), &observing(), &memory, &Step::Renew);
    // Even while a pod hangs: all else needs the token.
    check(&view().looked_up(with_left(60)).with_pods(vec![hung()]), &allowed(), &memory, &Step::Renew);
    let failed = Memory { renewal_tried: Some(at(NOW - 10)), ..Memory::default() };
    let step = next_step(&view().looked_up(with_left(1700)), None, &observing(), &failed);
    assert_eq!(step, Step::Rest);
    let earlier = Memory { renewal_tried: Some(at(NOW - 30)), ..Memory::default() };
    check(&view().looked_up(with_left(1700)), &observing(), &earlier, &Step::Renew);
}

#[test]
fn a_dead_missing_or_unsafe_token_is_made_anew_when_asked_for() {
    let memory = Memory::default();
    let mint = Step::Mint;
    check(&view().looked_up(Lookup::Dead), &allowed(), &memory, &mint(MintReason::Dead));
    check(&view().holding(Content::NoKey), &allowed(), &memory, &mint(MintReason::Missing));
    check(&view().holding(Content::Malformed(Malformed::Newline)), &allowed(), &memory, &mint(MintReason::Malformed));
    check(&view().looked_up(Lookup::Dead), &observing(), &memory, &Step::Wait(Wait::ForPerson));
    let verify = Allowed { mint: false, ..allowed() };
    check(&view().looked_up(Lookup::Dead), &verify, &memory, &Step::Wait(Wait::ForPerson));
    // Nobody but B knows it, or there is no Secret that may be written.
    check(&view().holding(Content::External), &allowed(), &memory, &Step::Rest);
    check(&view().holding(Content::NoSecret), &allowed(), &memory, &Step::Wait(Wait::ForPerson));
    let sealed = view().looked_up(Lookup::Dead).reaching(Reach::Sealed);
    check(&sealed, &allowed(), &memory, &Step::Wait(Wait::ForTransit));
    let failed = Memory { mint_failed: Some(at(NOW - 5)), ..Memory::default() };
    check(&view().looked_up(Lookup::Dead), &allowed(), &failed, &Step::Wait(Wait::Failed));
}

#[test]
fn a_denied_token_has_its_policy_mended_where_that_is_asked_for() {
    let denied = || view().rehearsed(Outcome::Failed(Cause::TokenDenied, String::new()));
    check(&denied(), &allowed(), &Memory::default(), &Step::Wait(Wait::ForPerson));
    let all = Allowed { provision: true, ..allowed() };
    check(&denied(), &all, &Memory::default(), &Step::Provision);
    check(&denied(), &Allowed { manage: false, ..all.clone() }, &Memory::default(), &Step::Wait(Wait::ForPerson));
    let failed = Memory { mint_failed: Some(at(NOW - 5)), ..Memory::default() };
    check(&denied(), &all, &failed, &Step::Wait(Wait::Failed));
}

#[test]
fn rotation_counts_from_the_last_mint() {
    let rotating = Allowed { rotate_every: Some(Duration::from_secs(500)), ..allowed() };
    let minted = |second| Memory { minted: Some(at(second)), ..Memory::default() };
    check(&view(), &rotating, &minted(NOW - 500), &Step::Mint(MintReason::Rotation));
    check(&view(), &rotating, &minted(NOW - 499), &Step::Rest);
    check(&view(), &rotating, &Memory::default(), &Step::Rest);
}

#[test]
fn a_pod_that_hung_is_deleted_after_a_passing_rehearsal() {
    check(&view().with_pods(vec![hung()]), &allowed(), &Memory::default(), &delete("vault-0", "uid-0"));
    let hindered = |hindrance| Step::Wait(Wait::Hindered(hindrance));
    check(&view().with_pods(vec![hung()]), &observing(), &Memory::default(), &hindered(Hindrance::NotAllowed));
    let unknown = view().with_pods(vec![hung()]).rehearsed(Outcome::Unknown(Ignorance::NoEvidence));
    check(&unknown, &allowed(), &Memory::default(), &hindered(Hindrance::NotRehearsed));
    let young = hung().running_since(NOW - 40);
    check(&view().with_pods(vec![young]), &allowed(), &Memory::default(), &hindered(Hindrance::BootGrace));
    let mut other = hung();
    other.revision = "two".to_owned();
    check(&view().with_pods(vec![other]), &allowed(), &Memory::default(), &hindered(Hindrance::PendingTemplateChange));
    let mut leaving = hung();
    leaving.leaving = true;
    check(&view().with_pods(vec![leaving]), &allowed(), &Memory::default(), &hindered(Hindrance::Leaving));
}

#[test]
fn a_template_that_keeps_a_pod_stuck_is_the_cause() {
    let mut other = hung();
    other.revision = "two".to_owned();
    let stuck = view().with_pods(vec![other]);
    let found = diagnose(&stuck, &allowed().limits);
    let step = next_step(&stuck, found.as_ref().map(|found| found.cause), &allowed(), &Memory::default());
    let told = with_hindrance(found, &step).expect("a diagnosis");
    assert_eq!(told.cause, Cause::PendingTemplateChange);
    assert!(told.message.contains("vault-0"), "{}", told.message);
    assert_eq!(with_hindrance(None, &Step::Rest), None);
}

#[test]
fn a_pod_is_deleted_at_most_once_in_two_minutes() {
    let deleted = |second| Memory { deleted: [("vault-0".to_owned(), at(second))].into(), ..Memory::default() };
    let just = Step::Wait(Wait::Hindered(Hindrance::JustDeleted));
    check(&view().with_pods(vec![hung()]), &allowed(), &deleted(NOW - 119), &just);
    check(&view().with_pods(vec![hung()]), &allowed(), &deleted(NOW - 120), &delete("vault-0", "uid-0"));
    // Its neighbour doesn't wait for it.
    let both = view().with_pods(vec![hung(), pod(1).answering(Answer::Refused)]);
    check(&both, &allowed(), &deleted(NOW - 1), &delete("vault-1", "uid-1"));
}

#[test]
fn a_pod_in_back_off_is_deleted_only_when_what_it_ended_for_is_mended() {
    let memory = Memory::default();
    check(
        &view().with_pods(vec![pod(0).ended_at(900)]).passing_since(950),
        &allowed(),
        &memory,
        &delete("vault-0", "uid-0"),
    );
    // It ended though everything works: another deletion helps nobody.
    let step = Step::Wait(Wait::ForPerson);
    check(&view().with_pods(vec![pod(0).ended_at(960)]).passing_since(950), &allowed(), &memory, &step);
}

#[test]
fn a_pod_that_somebody_sealed_is_left_alone_unless_the_spec_says_otherwise() {
    let sealed = || Pod { was_unsealed: true, ..pod(0).sealed() };
    check(&view().with_pods(vec![sealed()]), &allowed(), &Memory::default(), &Step::Wait(Wait::ForPerson));
    let restart = Allowed { restart_sealed: true, ..allowed() };
    check(&view().with_pods(vec![sealed()]), &restart, &Memory::default(), &delete("vault-0", "uid-0"));
}

#[test]
fn nothing_is_deleted_while_a_cannot_decrypt() {
    for reach in [Reach::Sealed, Reach::Hangs, Reach::Unreachable("refused".to_owned())] {
        let cause = reach.cause().expect("a cause");
        let down = view().reaching(reach).rehearsed(Outcome::Failed(cause, String::new()));
        for stuck in [hung(), pod(0).ended_at(900)] {
            let step = next_step(&down.clone().with_pods(vec![stuck]), Some(cause), &allowed(), &Memory::default());
            assert_eq!(step, Step::Wait(Wait::ForTransit));
        }
    }
}
