//! Limits, and whose a budget is.

use rstest::rstest;
use serde_json::{Value, json};

use super::{Budget, UnhealthyPods};
use crate::builders::{BudgetBuilder, Manifest, budget};
use crate::facts::Fact;
use crate::shapes::{PodDisruptionBudget, Shape};

fn read(built: impl Manifest) -> Budget {
    let shape: PodDisruptionBudget = serde_json::from_value(built.build()).unwrap();
    let Fact::Budget(budget) = shape.fact() else { panic!("a budget becomes a budget") };
    budget
}

#[rstest]
#[case::one_of_one_must_stay(json!({ "minAvailable": 1 }), 1, "minAvailable: 1", 0)]
#[case::one_of_three_must_stay(json!({ "minAvailable": 1 }), 3, "minAvailable: 1", 2)]
#[case::more_must_stay_than_there_are(json!({ "minAvailable": 5 }), 3, "minAvailable: 5", 0)]
#[case::half_of_one_rounds_up_and_stays(json!({ "minAvailable": "50%" }), 1, "minAvailable: 50%", 0)]
#[case::half_of_three_is_two_that_stay(json!({ "minAvailable": "50%" }), 3, "minAvailable: 50%", 1)]
#[case::over_a_hundred_percent(json!({ "minAvailable": "150%" }), 3, "minAvailable: 150%", 0)]
#[case::none_must_stay(json!({ "minAvailable": 0 }), 1, "minAvailable: 0", 1)]
#[case::one_may_go(json!({ "maxUnavailable": 1 }), 3, "maxUnavailable: 1", 1)]
#[case::none_may_go(json!({ "maxUnavailable": 0 }), 3, "maxUnavailable: 0", 0)]
#[case::no_percent_may_go(json!({ "maxUnavailable": "0%" }), 3, "maxUnavailable: 0%", 0)]
#[case::a_third_of_three_may_go(json!({ "maxUnavailable": "30%" }), 3, "maxUnavailable: 30%", 1)]
#[case::half_of_one_may_go(json!({ "maxUnavailable": "50%" }), 1, "maxUnavailable: 50%", 1)]
#[case::not_more_may_go_than_there_are(json!({ "maxUnavailable": 5 }), 3, "maxUnavailable: 5", 3)]
#[case::of_no_pods_none_may_go(json!({ "maxUnavailable": 1 }), 0, "maxUnavailable: 1", 0)]
fn how_many_may_go(#[case] spec: Value, #[case] pods: u32, #[case] shown: &str, #[case] expected: u32) {
    let limit = read(budget("shop/web").with("/spec", spec)).limit.unwrap();
    assert_eq!((limit.evictable(pods), limit.to_string().as_str()), (expected, shown));
}

#[rstest]
#[case::both(json!({ "minAvailable": 1, "maxUnavailable": 1 }), "minAvailable and maxUnavailable exclude each other")]
#[case::neither(json!({}), "neither minAvailable nor maxUnavailable is set")]
#[case::no_amount(
    json!({ "minAvailable": "most" }),
    "\"most\" is neither a whole number of pods, 0 or more, nor a percentage such as 30%"
)]
fn no_usable_limit(#[case] spec: Value, #[case] expected: &str) {
    let error = read(budget("shop/web").with("/spec", spec)).limit.unwrap_err();
    assert_eq!(error.to_string(), expected);
}

#[rstest]
#[case::absent(None, UnhealthyPods::IfHealthyBudget)]
#[case::always(Some("AlwaysAllow"), UnhealthyPods::AlwaysAllow)]
#[case::if_healthy(Some("IfHealthyBudget"), UnhealthyPods::IfHealthyBudget)]
#[case::a_newer_one(Some("AskFirst"), UnhealthyPods::IfHealthyBudget)]
fn unhealthy_pods(#[case] policy: Option<&str>, #[case] expected: UnhealthyPods) {
    let built = budget("shop/web").with("/spec/unhealthyPodEvictionPolicy", policy);
    assert_eq!(read(built).unhealthy_pods, expected);
}

fn ours() -> BudgetBuilder {
    budget("shop/web").ours("guard", "uid-guard", "Deployment/web")
}

#[test]
fn the_label_alone_is_foreign() {
    let copied = read(budget("shop/web").labels([("app.kubernetes.io/managed-by", "holdfast")]));
    assert!(!copied.is_ours() && !copied.is_held());
}

#[test]
fn the_field_manager_alone_is_foreign() {
    assert!(!read(budget("shop/web").applied()).is_ours());
    let relabelled = read(ours().labels([("app.kubernetes.io/managed-by", "Helm")]));
    assert!(!relabelled.is_ours());
}

#[test]
fn an_update_under_our_name_is_not_an_apply_of_ours() {
    let built = budget("shop/web").labels([("app.kubernetes.io/managed-by", "holdfast")]);
    assert!(!read(built.managed_by("holdfast/disruption", "Update", json!({ "f:spec": {} }))).is_ours());
}

#[test]
fn what_we_applied_is_ours_with_all_that_we_wrote() {
    let ours = read(ours());
    assert!(ours.is_ours() && ours.is_held() && !ours.is_contested());
    assert_eq!(ours.policy().map(|name| name.as_str()), Some("guard"));
    assert_eq!(ours.workload.as_deref(), Some("Deployment/web"));
    assert_eq!(ours.owners.iter().map(|uid| &**uid).collect::<Vec<_>>(), ["uid-guard"]);
}

#[rstest]
#[case::its_spec(json!({ "f:spec": { "f:maxUnavailable": {} } }), true)]
#[case::the_label_that_makes_it_ours(
    json!({ "f:metadata": { "f:labels": { "f:app.kubernetes.io/managed-by": {} } } }), true
)]
#[case::the_label_of_its_policy(json!({ "f:metadata": { "f:labels": { "f:holdfast.dev/policy": {} } } }), true)]
#[case::the_name_of_its_workload(
    json!({ "f:metadata": { "f:annotations": { "f:holdfast.dev/workload": {} } } }), true
)]
#[case::another_label(json!({ "f:metadata": { "f:labels": { "f:team": {} } } }), false)]
#[case::another_annotation(json!({ "f:metadata": { "f:annotations": { "f:note": {} } } }), false)]
#[case::nothing(json!({}), false)]
fn an_edit_is_contested_when_it_takes_a_field_of_ours(#[case] fields: Value, #[case] contested: bool) {
    let edited = read(ours().managed_by("kubectl-edit", "Update", fields));
    assert!(edited.is_ours());
    assert_eq!((edited.is_contested(), edited.is_held()), (contested, !contested));
    assert_eq!(edited.managers.others.len(), usize::from(contested));
}

#[test]
fn the_disruption_controller_writing_status_contests_nothing() {
    let mut built = ours().managed_by("kube-controller-manager", "Update", json!({ "f:spec": {}, "f:status": {} }));
    built.json()["metadata"]["managedFields"][1]["subresource"] = "status".into();
    assert!(read(built).is_held());
}

#[test]
fn an_observed_generation_of_zero_was_never_set() {
    assert_eq!(read(budget("shop/web").with("/status/observedGeneration", 0)).status.observed, None);
    assert_eq!(read(budget("shop/web").synced()).status.observed, Some(1));
}

#[test]
fn a_failed_sync_keeps_its_message() {
    let failed = read(budget("shop/web").failed_to_sync("jobs.batch does not implement the scale subresource"));
    let message = failed.status.sync_failed.unwrap();
    assert_eq!(message.as_str(), "jobs.batch does not implement the scale subresource");
}
