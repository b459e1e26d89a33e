//! Who is exempt from what, and until when.

use holdfast_api::PolicyException;
use holdfast_model::builders::{Manifest, budget, deployment, namespace};
use holdfast_policy::{Exception, Finding};
use jiff::Timestamp;
use rstest::rstest;
use serde_json::{Value, json};

use crate::given;
use crate::world::{NOW, World, enforce};

/// Plans a namespace with the Deployment `web` of three and says how its missing budget stands.
#[track_caller]
fn check(facts: Vec<Value>, expected: &str) {
    let has = |name: &str| facts.iter().any(|object| object["metadata"]["name"] == name);
    let around = [
        (!has("shop")).then(|| namespace("shop").build()),
        (!has("web")).then(|| deployment("shop/web").replicas(3).labels([("tier", "batch")]).build()),
    ];
    let plan =
        World::of(given![enforce("guard")].into_iter().chain(around.into_iter().flatten()).chain(facts)).plan("shop");
    let found = plan.findings.iter().find(|finding| finding.rule.id() == "budget-missing").expect("it has none");
    let excepted = found.excepted.as_ref().map_or("not excepted".to_owned(), ToString::to_string);
    assert_eq!(excepted, expected);
    assert_eq!(plan.writes.is_empty(), found.excepted.is_some(), "an exception stops the action, and only that");
    assert_eq!(found.counts(), found.excepted.is_none());
}

fn exception(name: &str, target: Value, rules: &[&str]) -> Value {
    json!({
        "apiVersion": "holdfast.dev/v1alpha1", "kind": "PolicyException",
        "metadata": { "namespace": "shop", "name": name },
        "spec": { "target": target, "rules": rules, "reason": "batch only", "owner": "team" },
    })
}

fn named(kind: &str, name: &str) -> Value {
    json!({ "kind": kind, "name": name })
}

const BY_BATCH: &str = "PolicyException batch: batch only";

#[rstest]
#[case::by_name(named("Deployment", "web"), &["budget-missing"], BY_BATCH)]
#[case::from_all_rules(named("Deployment", "web"), &["*"], BY_BATCH)]
#[case::from_one_rule_of_many(named("Deployment", "web"), &["singleton", "budget-missing"], BY_BATCH)]
#[case::from_another_rule(named("Deployment", "web"), &["singleton"], "not excepted")]
#[case::from_an_unknown_rule(named("Deployment", "web"), &["budget-missing-soon"], "not excepted")]
#[case::another_name(named("Deployment", "api"), &["*"], "not excepted")]
#[case::another_kind(named("StatefulSet", "web"), &["*"], "not excepted")]
#[case::by_labels(json!({ "kind": "Deployment", "selector": { "matchLabels": { "tier": "batch" } } }), &["*"], BY_BATCH)]
#[case::by_other_labels(json!({ "kind": "Deployment", "selector": { "matchLabels": { "tier": "x" } } }), &["*"], "not excepted")]
#[case::all_of_the_kind(json!({ "kind": "Deployment", "selector": {} }), &["*"], BY_BATCH)]
#[case::all_of_another_kind(json!({ "kind": "StatefulSet", "selector": {} }), &["*"], "not excepted")]
fn a_policy_exception(#[case] target: Value, #[case] rules: &[&str], #[case] expected: &str) {
    check(given![exception("batch", target, rules)], expected);
}

#[rstest]
#[case::the_rule("budget-missing", "annotation holdfast.dev/ignore: nightly only")]
#[case::all_rules("*", "annotation holdfast.dev/ignore: nightly only")]
#[case::a_list("singleton, budget-missing", "annotation holdfast.dev/ignore: nightly only")]
#[case::another_rule("singleton", "not excepted")]
#[case::nothing("", "not excepted")]
fn an_annotation(#[case] ignore: &str, #[case] expected: &str) {
    let web = deployment("shop/web").replicas(3);
    let marked = |object: Value| {
        object.annotated("holdfast.dev/ignore", ignore).annotated("holdfast.dev/reason", "nightly only")
    };
    check(given![marked(web.build())], expected);
    check(given![marked(namespace("shop").build())], expected);
}

#[test]
fn an_annotation_without_a_reason_is_as_good() {
    let web = deployment("shop/web").replicas(3).annotated("holdfast.dev/ignore", "*");
    check(given![web], "annotation holdfast.dev/ignore");
}

#[test]
fn a_policy_exception_is_named_rather_than_an_annotation() {
    let web = deployment("shop/web").replicas(3).annotated("holdfast.dev/ignore", "*");
    check(given![web, exception("batch", named("Deployment", "web"), &["*"])], BY_BATCH);
}

#[test]
fn of_two_exceptions_the_first_by_name_is_named_unless_it_has_ended() {
    let late = |name: &str| exception(name, named("Deployment", "web"), &["*"]);
    check(given![late("b"), late("a")], "PolicyException a: batch only");
    let ended = late("a").with("/spec/expiresAt", "2026-05-31T00:00:00Z");
    check(given![late("b"), ended], "PolicyException b: batch only");
}

#[rstest]
#[case::in_a_month("2026-07-01T00:00:00Z", "PolicyException batch: batch only (until 2026-07-01T00:00:00Z)")]
#[case::in_a_second("2026-06-01T12:00:01Z", "PolicyException batch: batch only (until 2026-06-01T12:00:01Z)")]
#[case::now(NOW, "not excepted")]
#[case::yesterday("2026-05-31T12:00:00Z", "not excepted")]
fn an_exception_ends(#[case] end: &str, #[case] expected: &str) {
    let ending = exception("batch", named("Deployment", "web"), &["*"]).with("/spec/expiresAt", end);
    check(given![ending.clone()], expected);
    let plan = World::of(given![namespace("shop"), ending]).plan("shop");
    let over = expected == "not excepted";
    let findings: Vec<String> = plan.findings.iter().map(Finding::sentence).collect();
    let ended =
        format!("it ended at {end} and exempts nothing any more; remove it, or agree on a new end with its owner");
    assert_eq!(findings, if over { vec![ended] } else { vec![] });
    assert_eq!(plan.recheck_at, (!over).then(|| end.parse::<Timestamp>().unwrap()), "the plan is another then");
}

#[test]
fn the_next_end_of_several_is_when_to_look_again() {
    let ending = |name: &str, end: &str| exception(name, named("Deployment", "x"), &["*"]).with("/spec/expiresAt", end);
    let facts = given![
        namespace("shop"),
        ending("a", "2026-09-01T00:00:00Z"),
        ending("b", "2026-07-01T00:00:00Z"),
        ending("c", "2026-01-01T00:00:00Z"),
        exception("d", named("Deployment", "x"), &["*"]),
    ];
    assert_eq!(World::of(facts).plan("shop").recheck_at, Some("2026-07-01T00:00:00Z".parse().unwrap()));
}

#[test]
fn an_expired_exception_is_the_subject_of_its_finding() {
    let ended = exception("batch", named("Deployment", "web"), &["*"]).with("/spec/expiresAt", "2026-01-01T00:00:00Z");
    let plan = World::of(given![namespace("shop"), ended]).plan("shop");
    assert_eq!(plan.findings[0].subject.to_string(), "PolicyException shop/batch");
}

#[test]
fn what_the_owner_of_a_workload_ignores_holds_for_a_budget_over_it_alone() {
    let blocking = budget("shop/theirs").min_available(1).always_allow();
    let facts = |blocking| {
        given![
            namespace("shop"),
            deployment("shop/web").replicas(1).annotated("holdfast.dev/ignore", "drain-blocked"),
            deployment("shop/api").replicas(0),
            blocking,
        ]
    };
    let excepted = |facts| {
        let plan = World::of(facts).plan("shop");
        plan.findings.iter().find(|finding| finding.rule.id() == "drain-blocked").unwrap().excepted.is_some()
    };
    assert!(excepted(facts(blocking.clone().selecting([("app", "web")]))));
    assert!(!excepted(facts(
        blocking.selector(json!({ "matchExpressions": [{ "key": "app", "operator": "Exists" }] }))
    )));
}

#[test]
fn a_budget_can_be_excepted_by_its_own_name() {
    let facts = given![
        namespace("shop"),
        deployment("shop/web").replicas(1),
        budget("shop/theirs").min_available(1).selecting([("app", "web")]),
        deployment("shop/api").replicas(3),
        budget("shop/careful").min_available(1).selecting([("app", "api")]),
        exception("old", named("PodDisruptionBudget", "theirs"), &["drain-blocked"]),
    ];
    let plan = World::of(facts).plan("shop");
    let excepted: Vec<(&str, bool)> =
        plan.findings.iter().map(|finding| (finding.rule.id(), finding.excepted.is_some())).collect();
    assert_eq!(excepted, [("drain-blocked-when-unready", false), ("drain-blocked", true)], "the excepted come last");
}

#[rstest]
#[case::neither_name_nor_selector(
    json!({ "kind": "Deployment" }), "spec.target has neither name nor selector: give one of them"
)]
#[case::a_selector_that_cannot_be_evaluated(
    json!({ "kind": "Deployment", "selector": { "matchExpressions": [{ "key": "a b", "operator": "Exists" }] } }),
    "spec.target.selector: \"a b\" is not a label key"
)]
#[case::a_selector_without_values(
    json!({ "kind": "Deployment", "selector": { "matchExpressions": [{ "key": "a", "operator": "In" }] } }),
    "spec.target.selector: operator In of key \"a\" needs at least one value"
)]
fn an_exception_that_exempts_nothing(#[case] target: Value, #[case] expected: &str) {
    let raw: PolicyException = serde_json::from_value(exception("batch", target, &["*"])).unwrap();
    assert_eq!(Exception::try_from(&raw).unwrap_err().to_string(), expected);
}

#[test]
fn unknown_rules_are_told() {
    let rules = ["*", "drain-blocked", "DrainBlocked", "drain", ""].map(str::to_owned);
    assert_eq!(Exception::unknown_rules(&rules), ["DrainBlocked", "drain", ""]);
}
