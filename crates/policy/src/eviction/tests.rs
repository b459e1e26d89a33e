//! The answers, situation by situation. That the real API server gives the same ones is shown in `e2e`.

use holdfast_model::Cluster;
use holdfast_model::builders::{BudgetBuilder, Manifest, PodBuilder, budget, pod};
use rstest::rstest;
use serde_json::json;

use super::{Answer, answer};

fn web() -> PodBuilder {
    pod("shop/web").labels([("app", "web")])
}

/// A budget over `web` that was counted: so many allowed, needed and healthy.
fn counted(allowed: i32, desired: i32, healthy: i32) -> BudgetBuilder {
    let status = json!({
        "observedGeneration": 1, "disruptionsAllowed": allowed, "desiredHealthy": desired, "currentHealthy": healthy,
        "expectedPods": healthy,
    });
    budget("shop/one").max_unavailable(1).selecting([("app", "web")]).with("/status", status)
}

#[track_caller]
fn check(cluster: &Cluster, expected: &str) {
    let view = cluster.namespace(&"shop".into()).unwrap();
    let (_, pod) = view.pods().next().unwrap();
    let answer = answer(view, pod);
    let told = match &answer {
        Answer::Allowed(grant) => grant.reason().to_owned(),
        Answer::Refused(super::Refusal::SeveralBudgets(names)) => format!("SeveralBudgets {names:?}"),
        Answer::Refused(super::Refusal::Budget(name, objection)) => {
            format!("{name} {}: {objection}", objection.reason())
        }
    };
    assert_eq!(format!("{} {told}", answer.code()), expected);
    assert_eq!(answer.is_allowed(), answer.code() == 201);
}

#[rstest]
#[case::no_budget(web(), None, "201 NoBudget")]
#[case::one_allowed(web(), Some(counted(1, 1, 2)), "201 Spends")]
#[case::none_allowed(web(), Some(counted(0, 1, 1)), "429 one NoneLeft: it needs 1 healthy pod and has 1")]
#[case::pending(web().phase("Pending"), Some(counted(0, 1, 1)), "201 Unguarded")]
#[case::finished(web().phase("Failed"), Some(counted(0, 1, 1)), "201 Unguarded")]
#[case::going(web().terminating(), Some(counted(0, 1, 1)), "201 Unguarded")]
#[case::lost(web().phase("Unknown"), Some(counted(0, 1, 1)), "429 one NoneLeft: it needs 1 healthy pod and has 1")]
#[case::another_ones(web().labels([("app", "other")]), Some(counted(0, 1, 1)), "201 NoBudget")]
#[case::unready_but_enough(web().ready(false), Some(counted(0, 1, 1)), "201 UnreadyMayGo")]
#[case::unready_and_too_few(
    web().ready(false), Some(counted(0, 2, 1)), "429 one NoneLeft: it needs 2 healthy pods and has 1"
)]
#[case::unready_and_none_needed(
    web().ready(false), Some(counted(0, 0, 0)), "429 one NoneLeft: it needs 0 healthy pods and has 0"
)]
#[case::unready_always(web().ready(false), Some(counted(0, 2, 1).always_allow()), "201 UnreadyMayGo")]
#[case::ready_always(
    web(), Some(counted(0, 2, 1).always_allow()), "429 one NoneLeft: it needs 2 healthy pods and has 1"
)]
#[case::changed_since(
    web(), Some(counted(1, 1, 2).with("/metadata/generation", 2)),
    "429 one NotObserved: the disruption controller has not counted its pods yet"
)]
#[case::from_the_future(web(), Some(counted(1, 1, 2).with("/status/observedGeneration", 7)), "201 Spends")]
#[case::negative(web(), Some(counted(-1, 1, 1)), "403 one Negative: its status allows fewer evictions than none")]
#[case::counts_none(web(), Some(counted(0, 0, 1)), "429 one CountsNone: it counts no pod that it could let go")]
#[case::failed(
    web(), Some(counted(0, 0, 1).failed_to_sync("no scale")),
    "429 one SyncFailed: the disruption controller can't count its pods: no scale"
)]
#[case::failed_without_a_word(
    web(), Some(counted(0, 1, 1).failed_to_sync("")),
    "429 one NoneLeft: it needs 1 healthy pod and has 1"
)]
#[case::failed_once(
    web(), Some(counted(0, 1, 1).with("/status/conditions", json!([{
        "type": "DisruptionAllowed", "status": "True", "reason": "SyncFailed", "message": "no scale",
    }]))),
    "429 one NoneLeft: it needs 1 healthy pod and has 1"
)]
#[case::failed_but_unready_always(
    web().ready(false), Some(counted(0, 0, 1).failed_to_sync("no scale").always_allow()), "201 UnreadyMayGo"
)]
fn what_is_answered(#[case] pod: PodBuilder, #[case] budget: Option<BudgetBuilder>, #[case] expected: &str) {
    let cluster = Cluster::default().with(pod);
    let cluster = match budget {
        Some(budget) => cluster.with(budget),
        None => cluster,
    };
    check(&cluster, expected);
}

#[test]
fn two_budgets_are_one_too_many_whatever_they_allow() {
    let two = |pod: PodBuilder| {
        let other = budget("shop/two").max_unavailable(1).selector(json!({}));
        Cluster::default().with(pod).with(counted(1, 1, 2)).with(other)
    };
    check(&two(web()), "500 SeveralBudgets [\"one\", \"two\"]");
    check(&two(web().ready(false)), "500 SeveralBudgets [\"one\", \"two\"]");
    check(&two(web().phase("Pending")), "201 Unguarded");
}

#[test]
fn more_unconfirmed_evictions_than_are_kept_refuse() {
    let many = |count: usize| {
        let pods: serde_json::Map<_, _> =
            (0..count).map(|number| (format!("web-{number}"), json!("2026-11-22T08:00:00Z"))).collect();
        Cluster::default().with(web()).with(counted(1, 1, 2).with("/status/disruptedPods", pods))
    };
    check(&many(2_000), "201 Spends");
    check(&many(2_001), "403 one TooManyUnconfirmed: more than 2,000 evictions are not confirmed yet");
}
