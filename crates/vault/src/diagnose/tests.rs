//! Each cause from its evidence, alone and above causes further down.

use std::time::Duration;

use super::*;
use crate::builders::{NOW, alive, at, facts, pod, view};
use crate::claim::Phase;
use crate::rehearsal::{Ignorance, Outcome};
use crate::view::{
    Answer, Content, KeyFacts, Login, Lookup, Malformed, Reach, Role, RoleSight, ServerFacts, Serving, Wiring,
};

fn limits() -> Limits {
    Limits { boot_grace: Duration::from_secs(60), renew_at: 50, survive_outage: Duration::from_secs(168 * 3600) }
}

#[track_caller]
fn check(view: &View, expected: Option<Cause>) {
    let found = diagnose(view, &limits());
    assert_eq!(found.as_ref().map(|found| found.cause), expected, "{found:?}");
}

fn token(change: impl FnOnce(&mut Lookup)) -> View {
    let mut lookup = alive();
    change(&mut lookup);
    view().looked_up(lookup)
}

fn leaderless() -> Answer {
    Answer::Told(facts("transit"), Serving::Leaderless)
}

#[test]
fn a_healthy_server_has_no_cause() {
    check(&view(), None);
    check(&view().with_pods(vec![pod(0), pod(1), pod(2)]), None);
    check(&view().with_pods(Vec::new()), None);
}

#[test]
fn what_a_says_comes_before_what_follows_from_it() {
    let cases = [
        (Reach::Sealed, Cause::TransitSealed),
        (Reach::Uninitialised, Cause::TransitSealed),
        (Reach::StandbyOnly, Cause::TransitStandbyOnly),
        (Reach::Unreachable("refused".to_owned()), Cause::TransitUnreachable),
        (Reach::Hangs, Cause::TransitHangs),
        (Reach::Tls("unknown issuer".to_owned()), Cause::TransitTls),
        (Reach::NotVault("502".to_owned()), Cause::TransitNotVault),
        (Reach::Forbidden("loopback".to_owned()), Cause::TransitForbidden),
    ];
    for (reach, cause) in cases {
        let down = vec![pod(0).ended_at(900)];
        check(&view().reaching(reach.clone()).looked_up(Lookup::Dead).with_pods(down), Some(cause));
    }
}

#[test]
fn the_token_in_the_secret() {
    check(&view().holding(Content::NoSecret), Some(Cause::TokenMissing));
    check(&view().holding(Content::NoKey), Some(Cause::TokenMissing));
    check(&view().holding(Content::Malformed(Malformed::Newline)), Some(Cause::TokenMalformed));
    check(&view().holding(Content::Refused("no".to_owned())), Some(Cause::NotPermitted));
    check(&view().looked_up(Lookup::Dead).with_pods(vec![pod(0).ended_at(900)]), Some(Cause::TokenDead));
    check(&view().holding(Content::External).wired(Wiring::Unused), None);
    check(&view().wired(Wiring::Unused), Some(Cause::TokenNotWired));
    check(&view().wired(Wiring::SubPath("/token".to_owned())), Some(Cause::TokenNotWired));
}

#[test]
fn a_token_that_ends_or_may_too_much() {
    check(
        &token(|token| {
            if let Lookup::Alive { root, .. } = token {
                *root = true
            }
        }),
        Some(Cause::TokenRoleUnsafe),
    );
    check(
        &token(|token| {
            if let Lookup::Alive { makes_keys, .. } = token {
                *makes_keys = Some(true)
            }
        }),
        Some(Cause::TokenRoleUnsafe),
    );
    check(
        &token(|token| {
            if let Lookup::Alive { orphan, .. } = token {
                *orphan = false
            }
        }),
        Some(Cause::TokenRoleUnsafe),
    );
    check(
        &token(|token| {
            if let Lookup::Alive { renewable, .. } = token {
                *renewable = false
            }
        }),
        Some(Cause::TokenRoleUnsafe),
    );
    // Due at the half, and a quarter is left.
    let late = at(NOW) + Duration::from_secs(179 * 3600);
    check(
        &token(|token| {
            if let Lookup::Alive { ends, .. } = token {
                *ends = Some(late)
            }
        }),
        Some(Cause::TokenExpiring),
    );
    let due = at(NOW) + Duration::from_secs(350 * 3600);
    check(
        &token(|token| {
            if let Lookup::Alive { ends, .. } = token {
                *ends = Some(due)
            }
        }),
        None,
    );
    let mut capped = view();
    capped.token.capped = Some("period value is capped accordingly".to_owned());
    check(&capped, Some(Cause::TokenCapped));
}

#[test]
fn a_role_whose_tokens_end() {
    let good = Role {
        name: "b".to_owned(),
        period: Some(Duration::from_secs(3600)),
        orphan: true,
        renewable: true,
        explicit_max: None,
        default_policy: true,
    };
    let with = |role: Role| {
        let mut view = view();
        view.token.role = RoleSight::Seen(role);
        view
    };
    check(&with(good.clone()), None);
    check(&with(Role { period: None, ..good.clone() }), Some(Cause::TokenRoleUnsafe));
    check(&with(Role { orphan: false, ..good.clone() }), Some(Cause::TokenRoleUnsafe));
    check(&with(Role { renewable: false, ..good.clone() }), Some(Cause::TokenRoleUnsafe));
    check(&with(Role { explicit_max: Some(Duration::from_secs(3600)), ..good.clone() }), Some(Cause::TokenRoleUnsafe));
    check(&with(Role { default_policy: false, ..good }), Some(Cause::TokenRoleUnsafe));
}

/// Its tokens live on for up to a period, and that is how long there is for making it anew.
#[test]
fn a_role_that_is_gone() {
    let mut view = view();
    view.token.role = RoleSight::Gone("b".to_owned());
    check(&view, Some(Cause::TokenRoleUnsafe));
}

#[test]
fn a_failed_rehearsal_comes_before_the_state_of_the_pods() {
    let failed = Outcome::Failed(Cause::KeyReplaced, "made anew".to_owned());
    check(&view().rehearsed(failed).with_pods(vec![pod(0).sealed()]), Some(Cause::KeyReplaced));
}

#[test]
fn nothing_is_initialised() {
    let blank = || vec![pod(0).uninitialised()];
    check(&view().with_pods(blank()), Some(Cause::NotInitialised));
    let claimed = |phase| {
        let mut view = view().with_pods(blank());
        view.birth.claim = Some(phase);
        view
    };
    let attempt = || "7f3a".to_owned();
    check(&claimed(Phase::Complete { attempt: attempt() }), Some(Cause::StorageLost));
    check(&claimed(Phase::Claimed { attempt: attempt(), may_be_lost: true }), None);
    let mut unknown = view();
    unknown.birth.claim = Some(Phase::Claimed { attempt: attempt(), may_be_lost: true });
    check(&unknown, Some(Cause::InitOutcomeUnknown));
    unknown.birth.claim = Some(Phase::Claimed { attempt: attempt(), may_be_lost: false });
    check(&unknown, None);
}

#[test]
fn one_of_three_has_not_joined() {
    check(&view().with_pods(vec![pod(0), pod(1), pod(2).uninitialised()]), Some(Cause::NotJoined));
    // It may still be joining.
    let young = pod(2).uninitialised().running_since(NOW - 30);
    check(&view().with_pods(vec![pod(0), pod(1), young]), None);
    // One that doesn't answer may be initialised: nothing is blank.
    check(&view().with_pods(vec![pod(0).uninitialised(), pod(1).answering(Answer::Refused).running_since(NOW)]), None);
}

#[test]
fn a_pod_that_runs_and_does_not_listen_hangs() {
    check(&view().with_pods(vec![pod(0).answering(Answer::Refused)]), Some(Cause::ServerHung));
    check(&view().with_pods(vec![pod(0).answering(Answer::Refused).running_since(NOW - 20)]), None);
    check(&view().with_pods(vec![pod(0).answering(Answer::Hangs)]), Some(Cause::ServerHung));
}

#[test]
fn a_pod_that_ends_and_one_that_cannot_be_reached() {
    check(&view().with_pods(vec![pod(0).ended_at(900)]), Some(Cause::ServerCrashes));
    check(
        &view().with_pods(vec![pod(0).answering(Answer::Garbled("HTML".to_owned()))]),
        Some(Cause::ServerUnreachable),
    );
    check(
        &view().with_pods(vec![pod(0).answering(Answer::Unseen("no route".to_owned()))]),
        Some(Cause::ServerUnreachable),
    );
}

#[test]
fn a_sealed_pod_is_explained_only_as_far_as_it_is_known() {
    let by_hand = crate::view::Pod { was_unsealed: true, ..pod(0).sealed() };
    check(&view().with_pods(vec![by_hand]), Some(Cause::SealedByPerson));
    check(&view().with_pods(vec![pod(0).sealed()]), Some(Cause::SealedByPerson));
    // It tries again every five seconds.
    check(&view().with_pods(vec![pod(0).sealed()]).passing_since(NOW - 10), None);
    check(&view().with_pods(vec![pod(0).sealed().running_since(NOW - 10)]), None);
    let unknown = view().rehearsed(Outcome::Unknown(Ignorance::NoEvidence));
    check(&unknown.with_pods(vec![pod(0).sealed()]), Some(Cause::SealedUnexplained));
}

#[test]
fn a_migration_is_left_alone() {
    let facts = ServerFacts { sealed: true, migration: true, ..facts("transit") };
    let pending = pod(0).answering(Answer::Told(facts, Serving::Nothing));
    check(&view().with_pods(vec![pending]), Some(Cause::MigrationPending));
    check(&view().with_pods(vec![pod(0), pod(1).answering(Answer::MigratedStandby)]), Some(Cause::MigratedStandby));
}

#[test]
fn nobody_leads() {
    let lost = || pod(1).answering(leaderless());
    check(&view().with_pods(vec![lost(), lost()]), Some(Cause::QuorumLost));
    check(&view().with_pods(vec![pod(0), lost()]), None);
}

#[test]
fn our_own_login_and_the_guard_of_the_key_come_last() {
    let mut refused = view();
    refused.transit.login = Login::Refused("role not found".to_owned());
    check(&refused, Some(Cause::LoginRefused));
    let mut loose = view();
    let key = KeyFacts { latest: 1, min_decryption: 1, deletion_allowed: true, exportable: false, rotated: None };
    loose.transit.key = Some(Some(key));
    check(&loose, Some(Cause::KeyUnguarded));
}

#[test]
fn messages_do_not_change_from_look_to_look() {
    let mut later = view().with_pods(vec![pod(0).answering(Answer::Refused)]);
    let first = diagnose(&later, &limits());
    later.now = at(NOW + 60);
    assert_eq!(first, diagnose(&later, &limits()));
}
