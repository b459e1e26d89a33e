//! Merging conditions: what survives, what moves, what goes.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::Timestamp;
use rstest::rstest;

use super::{Change, ConditionType, Lifecycle, Wanted, merge_conditions};

const BEFORE: &str = "2026-01-01T00:00:00Z";
const NOW: &str = "2026-06-01T00:00:00Z";

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A condition written as `Ready=True Succeeded: all is well`, as of generation 1.
fn condition(text: &str, since: &str) -> Condition {
    let (head, message) = text.split_once(": ").unwrap();
    let (head, reason) = head.split_once(' ').unwrap();
    let (kind, status) = head.split_once('=').unwrap();
    Condition {
        type_: kind.to_owned(),
        status: status.to_owned(),
        reason: reason.to_owned(),
        message: message.to_owned(),
        observed_generation: Some(1),
        last_transition_time: Time(time(since)),
    }
}

fn ready(holds: bool, reason: Lifecycle, message: &str) -> Wanted {
    (ConditionType::Ready, holds, reason, message.to_owned())
}

fn well() -> Wanted {
    ready(true, Lifecycle::Succeeded, "all is well")
}

fn show(condition: &Condition) -> String {
    let since = if condition.last_transition_time.0 == time(NOW) { "now" } else { "before" };
    let Condition { type_, status, reason, message, .. } = condition;
    format!("{type_}={status} {reason}: {message} (since {since})")
}

/// Merges into what was observed [`BEFORE`], at generation 1, and says what comes of it.
#[track_caller]
fn check(observed: &[&str], wanted: &[Wanted], expected: &[&str], change: Change) {
    let observed: Vec<Condition> = observed.iter().map(|text| condition(text, BEFORE)).collect();
    let (merged, seen) = merge_conditions(&observed, wanted, Some(1), time(NOW));
    assert_eq!(merged.iter().map(show).collect::<Vec<_>>(), expected);
    assert_eq!(seen, change);
    let again = merge_conditions(&merged, wanted, Some(1), time("2026-12-01T00:00:00Z"));
    assert_eq!(again, (merged, Change::Unchanged), "merging again changes nothing, however late");
}

const WELL: &str = "Ready=True Succeeded: all is well";
const WELL_BEFORE: &str = "Ready=True Succeeded: all is well (since before)";

#[rstest]
#[case::a_first_one(&[], &[well()], &["Ready=True Succeeded: all is well (since now)"], Change::Transitioned)]
#[case::the_same_again(&[WELL], &[well()], &[WELL_BEFORE], Change::Unchanged)]
#[case::another_message_keeps_the_time(
    &[WELL], &[ready(true, Lifecycle::Succeeded, "3 budgets")],
    &["Ready=True Succeeded: 3 budgets (since before)"], Change::Updated
)]
#[case::another_reason_keeps_the_time(
    &[WELL], &[ready(true, Lifecycle::Progressing, "all is well")],
    &["Ready=True Progressing: all is well (since before)"], Change::Updated
)]
#[case::another_status_moves_the_time(
    &[WELL], &[ready(false, Lifecycle::ViewStale, "no watch")],
    &["Ready=False ViewStale: no watch (since now)"], Change::Transitioned
)]
#[case::from_unknown_the_time_moves(
    &["Ready=Unknown Progressing: starting"], &[well()],
    &["Ready=True Succeeded: all is well (since now)"], Change::Transitioned
)]
fn one_of_ours(
    #[case] observed: &[&str],
    #[case] wanted: &[Wanted],
    #[case] expected: &[&str],
    #[case] change: Change,
) {
    check(observed, wanted, expected, change);
}

#[rstest]
#[case::reconciling("Reconciling=True Progressing: writing")]
#[case::stalled("Stalled=True InvalidSpec: no such key")]
#[case::not_permitted("NotPermitted=True NotPermitted: create poddisruptionbudgets")]
#[case::brake_engaged("BrakeEngaged=True MassWithdrawal: 30 of 40")]
fn one_of_ours_that_is_not_wanted_any_more_goes(#[case] gone: &str) {
    check(&[WELL, gone], &[well()], &[WELL_BEFORE], Change::Transitioned);
}

#[test]
fn a_foreign_condition_survives_as_it_is() {
    let audited = "example.com/Audited=False Someone: looked at it";
    let kept = "example.com/Audited=False Someone: looked at it (since before)";
    check(&[audited, WELL], &[well()], &[WELL_BEFORE, kept], Change::Unchanged);
    check(&[WELL, audited], &[well()], &[WELL_BEFORE, kept], Change::Unchanged);
    check(&[audited], &[], &[kept], Change::Unchanged);
}

#[test]
fn a_type_that_differs_only_in_case_is_foreign() {
    check(
        &["ready=True X: y"],
        &[well()],
        &["Ready=True Succeeded: all is well (since now)", "ready=True X: y (since before)"],
        Change::Transitioned,
    );
}

#[test]
fn several_are_shown_in_the_order_in_which_they_are_wanted() {
    let stalled = (ConditionType::Stalled, true, Lifecycle::InvalidSpec, "bad key".to_owned());
    let unready = ready(false, Lifecycle::InvalidSpec, "bad key");
    let expected = ["Ready=False InvalidSpec: bad key (since now)", "Stalled=True InvalidSpec: bad key (since now)"];
    check(&[WELL], &[unready, stalled], &expected, Change::Transitioned);
}

#[test]
fn nothing_wanted_leaves_nothing_of_ours() {
    check(&[WELL], &[], &[], Change::Transitioned);
    check(&[], &[], &[], Change::Unchanged);
}

#[test]
fn a_new_generation_is_an_update_and_no_transition() {
    let observed = [condition(WELL, BEFORE)];
    let (merged, change) = merge_conditions(&observed, &[well()], Some(2), time(NOW));
    assert_eq!((merged[0].observed_generation, change), (Some(2), Change::Updated));
    assert_eq!(merged[0].last_transition_time.0, time(BEFORE));
}

#[test]
fn names_are_those_that_kstatus_and_flux_know() {
    let types = ConditionType::ALL.map(ConditionType::as_str);
    assert_eq!(
        types,
        [
            "Ready",
            "Reconciling",
            "Stalled",
            "NotPermitted",
            "BrakeEngaged",
            "FreezeEngaged",
            "Drainable",
            "UpgradeStalled"
        ]
    );
}
