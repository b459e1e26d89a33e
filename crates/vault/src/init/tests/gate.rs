//! When an initialisation may begin.

use std::collections::BTreeSet;

use holdfast_api::vault_transit_unseal::{Admin, AdminLogin, ServiceAccountRef};
use rstest::rstest;

use crate::builders::{alive, at, pod, view};
use crate::cause::Cause;
use crate::claim::Phase;
use crate::init::gate::{Closed, Facts, Go, Volume, check};
use crate::init::order::{Invalid, Order, Plan};
use crate::init::recipients::Recipients;
use crate::rehearsal::{Ignorance, Outcome};
use crate::view::{Answer, Lookup, Pod, Reach, View};

pub(super) fn plan() -> Plan {
    let admin = Admin {
        service_account_ref: ServiceAccountRef { name: "vault-admin".to_owned() },
        mount: "kubernetes".to_owned(),
        role: "admin".to_owned(),
        policy: "admin".to_owned(),
        audience: "vault".to_owned(),
        login: AdminLogin::default(),
    };
    let (secret, recipients) = ("vault-recovery".to_owned(), Recipients::Plaintext);
    Plan { shares: 3, threshold: 2, secret, recipients, admin, auth: None }
}

pub(super) fn order() -> Order {
    Order {
        wanted: true,
        allow_http: false,
        created: at(100),
        confirmed: BTreeSet::new(),
        discard: String::new(),
        plan: Ok(plan()),
    }
}

/// One blank pod, and A in order.
fn unborn() -> View {
    view().with_pods(vec![pod(0).uninitialised()]).rehearsed(Outcome::Unknown(Ignorance::NoCanary))
}

fn volume(ordinal: u32, second: i64) -> Volume {
    let (name, uid) = (format!("data-vault-{ordinal}"), format!("pvc-{ordinal}"));
    Volume { name, uid, ordinal, created: at(second) }
}

fn of_three(view: View, ordered: bool) -> View {
    let mut view = view;
    if let Ok(set) = &mut view.target.set {
        (set.replicas, set.ordered) = (3, ordered);
    }
    view
}

#[track_caller]
fn verdict(view: &View, order: &Order, volumes: &[Volume], expected: Result<(), Closed>) {
    let facts = Facts { order, tls: true, view, volumes: Some(volumes) };
    assert_eq!(check(facts).map(drop), expected);
}

#[track_caller]
fn opens(view: &View) {
    verdict(view, &order(), &[volume(0, 200)], Ok(()));
}

#[track_caller]
fn stays_closed(view: &View, why: Closed) {
    verdict(view, &order(), &[volume(0, 200)], Err(why));
}

#[test]
fn a_blank_server_that_would_start_is_initialised_at_its_first_pod() {
    let (view, order) = (unborn(), order());
    let go = check(Facts { order: &order, tls: true, view: &view, volumes: Some(&[volume(0, 200)]) });
    let (pod, uid) = ("vault-0".to_owned(), "uid-0".to_owned());
    assert_eq!(go, Ok(Go { pod, uid, service: view.target.set.unwrap().service }));
}

#[test]
fn the_spec_has_to_ask_for_it() {
    let not = Order { wanted: false, ..order() };
    verdict(&unborn(), &not, &[], Err(Closed::NotAsked));
    let senseless = Order { plan: Err(Invalid::NoAdmin), ..order() };
    verdict(&unborn(), &senseless, &[], Err(Closed::Plan(Invalid::NoAdmin)));
}

#[test]
fn over_http_it_has_to_be_allowed() {
    let (view, mut order) = (unborn(), order());
    let plain = |order: &Order| check(Facts { order, tls: false, view: &view, volumes: Some(&[]) }).map(drop);
    assert_eq!(plain(&order), Err(Closed::PlainHttp));
    order.allow_http = true;
    assert_eq!(plain(&order), Ok(()));
}

#[test]
fn every_pod_that_is_asked_for_has_to_say_that_it_is_blank() {
    let blank = |ordinals: &[u32]| ordinals.iter().map(|ordinal| pod(*ordinal).uninitialised()).collect::<Vec<_>>();
    opens(&of_three(unborn().with_pods(blank(&[0, 1, 2])), false));
    let incomplete = |there: &str| Closed::Pods(format!("ordinals {there} of 3"));
    stays_closed(&of_three(unborn().with_pods(blank(&[0, 1])), false), incomplete("[0, 1]"));
    stays_closed(&of_three(unborn().with_pods(blank(&[0, 1, 2, 3])), false), incomplete("[0, 1, 2, 3]"));
    stays_closed(&of_three(unborn().with_pods(blank(&[0])), false), incomplete("[0]"));
    // Where the first is waited for, the others don't exist yet; once they do, they are asked.
    opens(&of_three(unborn().with_pods(blank(&[0])), true));
    stays_closed(&of_three(unborn().with_pods(blank(&[0, 1])), true), incomplete("[0, 1]"));
    stays_closed(&of_three(unborn().with_pods(blank(&[1])), true), Closed::Pods("ordinals [1] of 1".to_owned()));
    opens(&of_three(unborn().with_pods(blank(&[0, 1, 2])), true));
    let one_is = vec![pod(0).uninitialised(), pod(1), pod(2).uninitialised()];
    stays_closed(&of_three(unborn().with_pods(one_is), false), Closed::Initialised("vault-1".to_owned()));
    let silent = vec![pod(0).uninitialised(), pod(1).answering(Answer::Hangs), pod(2).uninitialised()];
    stays_closed(&of_three(unborn().with_pods(silent), false), Closed::Silent("vault-1".to_owned()));
    stays_closed(&unborn().with_pods(vec![]), Closed::Pods("ordinals [] of 1".to_owned()));
    let leaving = Pod { leaving: true, ..pod(0).uninitialised() };
    stays_closed(&unborn().with_pods(vec![leaving]), Closed::Pods("vault-0".to_owned()));
}

#[test]
fn a_server_of_another_seal_makes_other_keys() {
    let mut shamir = pod(0).uninitialised();
    if let Answer::Told(facts, _) = &mut shamir.answer {
        facts.seal_type = "shamir".to_owned();
    }
    let why = Closed::OtherSeal("vault-0".to_owned(), "shamir".to_owned());
    stays_closed(&unborn().with_pods(vec![shamir]), why);
}

#[test]
fn storage_that_may_hold_something_has_to_be_confirmed_by_uid() {
    let older = [volume(0, 99)];
    let why = |name: &str| Closed::StorageOlderThanResource(format!("data-vault-{name}"), format!("pvc-{name}"));
    verdict(&unborn(), &order(), &older, Err(why("0")));
    let confirmed = |uids: &[&str]| Order { confirmed: uids.iter().map(|uid| (*uid).to_owned()).collect(), ..order() };
    verdict(&unborn(), &confirmed(&["pvc-0"]), &older, Ok(()));
    verdict(&unborn(), &confirmed(&["data-vault-0"]), &older, Err(why("0")));
    verdict(&unborn(), &confirmed(&["pvc-0"]), &[volume(0, 99), volume(1, 99)], Err(why("1")));
    verdict(&unborn(), &order(), &[volume(0, 100)], Ok(()));
    // What ran once at a higher ordinal might come back.
    let ahead = [volume(0, 200), volume(1, 200)];
    let why = Closed::StorageOfNoPod("data-vault-1".to_owned(), "pvc-1".to_owned());
    verdict(&unborn(), &order(), &ahead, Err(why.clone()));
    verdict(&of_three(unborn(), true), &order(), &ahead, Err(why));
    verdict(&unborn(), &confirmed(&["pvc-1"]), &ahead, Ok(()));
    let (view, order) = (unborn(), order());
    let unseen = check(Facts { order: &order, tls: true, view: &view, volumes: None });
    assert_eq!(unseen, Err(Closed::StorageUnseen));
}

#[rstest]
#[case::a_passed_rehearsal(Outcome::Passed, true)]
#[case::nothing_to_decrypt_yet(Outcome::Unknown(Ignorance::NoCanary), true)]
#[case::no_evidence_yet(Outcome::Unknown(Ignorance::NoEvidence), true)]
#[case::a_token_that_only_b_knows(Outcome::Unknown(Ignorance::TokenExternal), true)]
#[case::another_token(Outcome::Unknown(Ignorance::TokenNotWired), false)]
#[case::not_tried(Outcome::Unknown(Ignorance::Untried("A was asked too often".to_owned())), false)]
#[case::refused(Outcome::Failed(Cause::TokenDenied, "no".to_owned()), false)]
fn a_has_to_answer_for_the_key(#[case] outcome: Outcome, #[case] open: bool) {
    let order = order();
    let view = unborn().rehearsed(outcome);
    let opened = check(Facts { order: &order, tls: true, view: &view, volumes: Some(&[]) });
    assert_eq!(opened.is_ok(), open, "{opened:?}");
}

#[test]
fn a_silent_a_and_a_token_that_makes_keys_are_in_the_way() {
    let message = Reach::Sealed.message();
    stays_closed(&unborn().reaching(Reach::Sealed), Closed::Rehearsal(message));
    let Lookup::Alive { ends, life, renewable, orphan, role, period, root, .. } = alive() else { unreachable!() };
    let maker = Lookup::Alive { ends, life, renewable, orphan, role, period, root, makes_keys: Some(true) };
    stays_closed(&unborn().looked_up(maker), Closed::Rehearsal("the token could make the key anew".to_owned()));
}

#[test]
fn a_key_of_a_is_made_only_while_nothing_can_be_sealed_with_it() {
    let mut serving = view();
    serving.birth.untouched = true;
    assert!(!serving.is_unborn(), "it serves");
    let mut unborn = view().with_pods(vec![pod(0).answering(Answer::Refused)]);
    assert!(!unborn.is_unborn(), "nobody knows");
    unborn.birth.untouched = true;
    assert!(unborn.is_unborn(), "no storage is there that may hold something");
    unborn.birth.claim = Some(Phase::Complete { attempt: "a1".to_owned() });
    assert!(!unborn.is_unborn(), "it was initialised");
    let lost = View { target: view().with_pods(vec![pod(0).uninitialised()]).target, ..unborn };
    assert!(!lost.is_unborn(), "its storage was lost, and may come back");
}
