//! How what was decided is written: names, content, preconditions, and why a budget of ours is withdrawn.

use holdfast_model::builders::{
    BudgetBuilder, Manifest, WorkloadBuilder, budget, deployment, job, namespace, pod, stateful_set,
};
use holdfast_policy::NamespacePlan;
use holdfast_policy::disruption::{Reason, Write};
use rstest::rstest;
use serde_json::{Value, json};

use crate::given;
use crate::world::{World, enforce, ours, report, web};

/// Plans the namespace `shop` and says what is written, in order: `withdraw web-deployment (Overlap)`.
#[track_caller]
fn check(facts: Vec<Value>, writes: &[&str]) {
    let has = |kind: &str| facts.iter().any(|object| object["kind"] == kind);
    let namespace = (!has("Namespace")).then(|| namespace("shop").build());
    let seen: Vec<String> = World::of(namespace.into_iter().chain(facts)).plan("shop").writes.iter().map(say).collect();
    assert_eq!(seen, writes);
}

fn say(write: &Write) -> String {
    match write {
        Write::Withdraw { key, reason, .. } => format!("withdraw {} ({})", key.name, reason.as_str()),
        Write::Create(wanted) => format!("create {}", wanted.key.name),
        Write::Update { wanted, .. } => format!("update {}", wanted.key.name),
    }
}

fn plan(facts: Vec<Value>) -> NamespacePlan {
    World::of(given![namespace("shop")].into_iter().chain(facts)).plan("shop")
}

#[test]
fn a_budget_is_made_once_and_then_left_alone() {
    check(given![enforce("guard"), web()], &["create web-deployment"]);
    check(given![enforce("guard"), web(), ours()], &[]);
}

#[test]
fn what_is_made_says_all_that_it_should() {
    let expressions = json!({
        "matchLabels": { "app": "web" }, "matchExpressions": [{ "key": "part", "operator": "NotIn", "values": ["job"] }],
    });
    let plan = plan(given![enforce("guard"), web().selector(expressions.clone())]);
    let [Write::Create(wanted)] = plan.writes.as_slice() else { panic!("{:?}", plan.writes) };
    assert_eq!(
        serde_json::to_value(wanted.manifest()).unwrap(),
        json!({
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {
                "namespace": "shop",
                "name": "web-deployment",
                "labels": { "app.kubernetes.io/managed-by": "holdfast", "holdfast.dev/policy": "guard" },
                "annotations": { "holdfast.dev/workload": "Deployment/web" },
                "ownerReferences": [{
                    "apiVersion": "holdfast.dev/v1alpha1", "kind": "DisruptionPolicy", "name": "guard", "uid": "uid-guard",
                }],
            },
            "spec": {
                "maxUnavailable": 1, "selector": expressions, "unhealthyPodEvictionPolicy": "AlwaysAllow",
            },
        })
    );
}

#[rstest]
#[case::another_amount(web(), enforce("guard").with("/spec/maxUnavailable", 2))]
#[case::a_share(web(), enforce("guard").with("/spec/maxUnavailable", "34%"))]
#[case::another_policy_for_unready_pods(web(), enforce("guard").with("/spec/unhealthyPodEvictionPolicy", "IfHealthyBudget"))]
#[case::a_policy_made_anew_under_the_same_name(web(), enforce("guard").with("/metadata/uid", "uid-new"))]
#[case::another_policy_takes_over(web(), enforce("other"))]
#[case::the_workload_was_made_anew_with_another_selector(web().of_pods([("app", "new")]), enforce("guard"))]
fn a_budget_is_changed_in_one_write_when(#[case] web: WorkloadBuilder, #[case] policy: Value) {
    check(given![policy, web, ours()], &["update web-deployment"]);
}

#[test]
fn a_takeover_changes_owner_and_label_together() {
    let plan = plan(given![enforce("guard"), enforce("boss").with("/spec/priority", 1), web(), ours()]);
    let [Write::Update { wanted, seen }] = plan.writes.as_slice() else { panic!("{:?}", plan.writes) };
    let meta = wanted.manifest().metadata;
    let owners: Vec<String> = meta.owner_references.into_iter().flatten().map(|owner| owner.uid).collect();
    assert_eq!(owners, ["uid-boss"]);
    assert_eq!(meta.labels.unwrap()["holdfast.dev/policy"], "boss");
    assert_eq!((&*seen.uid, &*seen.version), ("uid-poddisruptionbudget-web-deployment", "1"));
}

#[test]
fn a_lost_owner_is_put_back() {
    check(
        given![enforce("guard"), web(), ours().with("/metadata/ownerReferences", json!([]))],
        &["update web-deployment"],
    );
}

#[test]
fn an_owner_that_somebody_added_is_not_fought() {
    check(given![enforce("guard"), web(), ours().owned_by("example.com/v1", "App", "web")], &[]);
}

#[test]
fn every_write_names_the_object_it_means() {
    let plan = plan(given![report("guard"), web(), ours().uid("u7").version("42")]);
    let [Write::Withdraw { key, seen, .. }] = plan.writes.as_slice() else { panic!("{:?}", plan.writes) };
    assert_eq!(key.to_string(), "shop/web-deployment");
    assert_eq!((&*seen.uid, &*seen.version), ("u7", "42"));
}

#[test]
fn a_name_that_somebody_else_has_gets_a_hash() {
    let theirs = budget("shop/web-deployment").max_unavailable(1).selecting([("app", "api")]);
    check(given![enforce("guard"), web(), theirs.clone()], &["create web-deployment-916af07b"]);
    let kept = ours().with("/metadata/name", "web-deployment-916af07b");
    check(given![enforce("guard"), web(), theirs], &["create web-deployment-916af07b"]);
    check(given![enforce("guard"), web(), kept], &[]);
}

#[test]
fn when_the_name_with_the_hash_is_taken_too_another_is_found() {
    let theirs = |name: &str| budget(&format!("shop/{name}")).max_unavailable(1).selecting([("app", "api")]);
    let facts = given![enforce("guard"), web(), theirs("web-deployment"), theirs("web-deployment-916af07b")];
    let plan = plan(facts);
    let [Write::Create(wanted)] = plan.writes.as_slice() else { panic!("{:?}", plan.writes) };
    assert!(wanted.key.name.starts_with("web-deployment-"), "{}", wanted.key);
}

#[test]
fn a_budget_of_ours_keeps_its_name_when_the_plain_one_becomes_free() {
    check(given![enforce("guard"), web(), ours().with("/metadata/name", "web-deployment-916af07b")], &[]);
}

#[test]
fn a_name_is_cut_to_what_the_api_takes_and_stays_unique() {
    let long = format!("{}.{}", "a".repeat(236), "b".repeat(10));
    let facts = |name: &str| {
        let labels = [("app", "long")];
        given![enforce("guard"), deployment(&format!("shop/{name}")).of_pods(labels).replicas(2)]
    };
    let name = |facts| {
        let plan = plan(facts);
        let [Write::Create(wanted)] = plan.writes.as_slice() else { panic!("{:?}", plan.writes) };
        wanted.key.name.to_string()
    };
    let (one, other) = (name(facts(&long)), name(facts(&format!("{long}c"))));
    assert!(one.len() <= 253 && other.len() <= 253, "{one} and {other}");
    assert_ne!(one, other);
    assert!(one.starts_with(&"a".repeat(236)));
    let fits = "a".repeat(253 - "-deployment".len());
    assert_eq!(name(facts(&fits)), format!("{fits}-deployment"));
}

#[test]
fn workloads_of_two_kinds_with_one_name_have_two_budgets() {
    let set = stateful_set("shop/web").of_pods([("app", "web-db")]).replicas(2);
    check(given![enforce("guard"), web(), set], &["create web-deployment", "create web-statefulset"]);
}

const EXCEPTED: (&str, &str) = ("holdfast.dev/ignore", "budget-missing");

#[rstest]
#[case::the_policy_only_reports(given![report("guard"), web()], Reason::NotEnforced)]
#[case::no_policy_is_left(given![web()], Reason::NotEnforced)]
#[case::its_policy_is_gone_though_another_is_there(
    given![enforce("other").with("/spec/kinds", json!(["StatefulSet"])), web()], Reason::NotEnforced
)]
#[case::its_policy_is_gone_and_the_workload_too(given![], Reason::NotEnforced)]
#[case::its_policy_does_not_select_it_any_more(
    given![enforce("guard").with("/spec/kinds", json!(["StatefulSet"])), web()], Reason::NotSelected
)]
#[case::the_workload_is_gone(given![enforce("guard")], Reason::WorkloadGone)]
#[case::the_workload_is_gone_and_another_kind_has_its_name(
    given![enforce("guard"), stateful_set("shop/web").of_pods([("app", "db")])], Reason::WorkloadGone
)]
#[case::scaled_to_zero(given![enforce("guard"), web().replicas(0)], Reason::NotWanted)]
#[case::scaled_to_one(given![enforce("guard"), web().replicas(1)], Reason::NotWanted)]
#[case::excepted(given![enforce("guard"), web().annotated(EXCEPTED.0, EXCEPTED.1)], Reason::NotWanted)]
#[case::adopted_by_an_operator(given![enforce("guard"), web().owned_by("example.com/v1", "App", "x")], Reason::NotWanted)]
#[case::its_selector_is_gone(given![enforce("guard"), web().selector(Value::Null)], Reason::NotWanted)]
#[case::shared_with_a_bare_pod(
    given![enforce("guard"), web(), pod("shop/m").labels([("app", "web")])], Reason::NotWanted
)]
#[case::shared_with_a_template_of_a_job_that_never_ran(
    given![enforce("guard"), web(), job("shop/m").template([("app", "web")])], Reason::NotWanted
)]
#[case::a_finished_pod_of_a_job_breaks_it(
    given![enforce("guard"), web(), pod("shop/m").labels([("app", "web")]).of_job("m").finished()], Reason::Blocks
)]
#[case::a_pod_of_a_daemon_set_breaks_it(
    given![enforce("guard"), web(), pod("shop/m").labels([("app", "web")]).of_daemon_set("m")], Reason::Blocks
)]
#[case::what_breaks_it_matters_more_than_that_its_workload_is_gone(
    given![enforce("guard"), pod("shop/m").labels([("app", "web")]).of_job("m").finished()], Reason::Blocks
)]
#[case::a_static_pod_breaks_it(
    given![enforce("guard"), web(), pod("shop/m").labels([("app", "web")]).of_node("n1")], Reason::Blocks
)]
#[case::somebody_made_one_too(
    given![enforce("guard"), web(), budget("shop/theirs").min_available(1).selecting([("app", "web")])], Reason::Overlap
)]
#[case::somebody_made_one_over_everything_though_there_are_no_pods_yet(
    given![report("guard"), web(), budget("shop/theirs").min_available(1).selector(json!({}))], Reason::Overlap
)]
fn ours_is_withdrawn_when(#[case] facts: Vec<Value>, #[case] reason: Reason) {
    let expected = format!("withdraw web-deployment ({})", reason.as_str());
    check(facts.iter().cloned().chain([ours().build()]).collect(), &[&expected]);
    // Without its owner (the policy was deleted with --cascade=orphan) the same, since nobody else would.
    let orphan = ours().with("/metadata/ownerReferences", json!([])).build();
    check(facts.into_iter().chain([orphan]).collect(), &[&expected]);
}

#[rstest]
#[case(Reason::Overlap, true)]
#[case(Reason::Blocks, true)]
#[case(Reason::NotEnforced, false)]
#[case(Reason::WorkloadGone, false)]
#[case(Reason::NotSelected, false)]
#[case(Reason::NotWanted, false)]
fn only_what_hurts_now_is_urgent(#[case] reason: Reason, #[case] urgent: bool) {
    assert_eq!(reason.is_urgent(), urgent, "{reason:?}");
}

#[test]
fn withdrawals_come_first_and_urgent_ones_before_others() {
    let budget_of = |name: &str| {
        let built = budget(&format!("shop/{name}-deployment")).max_unavailable(1).always_allow();
        built.ours("guard", "uid-guard", &format!("Deployment/{name}")).selecting([("app", name)])
    };
    let facts = given![
        enforce("guard"),
        deployment("shop/a").replicas(2),
        deployment("shop/z").replicas(2),
        deployment("shop/one"),
        budget_of("gone"),
        budget_of("one"),
        budget_of("z"),
        budget("shop/theirs").min_available(1).selecting([("app", "z")]),
    ];
    let expected = [
        "withdraw z-deployment (Overlap)",
        "withdraw gone-deployment (WorkloadGone)",
        "withdraw one-deployment (NotWanted)",
        "create a-deployment",
    ];
    check(facts, &expected);
}

#[test]
fn of_two_budgets_of_ours_for_one_workload_the_plainly_named_stays() {
    let double = ours().with("/metadata/name", "a-double").uid("u2");
    check(given![enforce("guard"), web(), double, ours()], &["withdraw a-double (Overlap)"]);
}

#[test]
fn one_of_ours_without_the_annotation_is_known_by_its_name() {
    let unmarked = ours().with("/metadata/annotations", json!({}));
    check(given![enforce("guard"), web(), unmarked], &["update web-deployment"]);
}

#[test]
fn a_workload_under_a_new_name_gets_its_budget_when_the_old_one_is_gone() {
    let renamed = || deployment("shop/front").of_pods([("app", "web")]).replicas(3);
    check(given![enforce("guard"), renamed(), ours()], &["withdraw web-deployment (WorkloadGone)"]);
    check(given![enforce("guard"), renamed()], &["create front-deployment"]);
}

#[test]
fn two_workloads_that_swapped_their_labels_are_freed_before_they_are_covered_again() {
    let of = |name: &str, app: &str| {
        let built =
            budget(&format!("shop/{name}-deployment")).max_unavailable(1).always_allow().selecting([("app", app)]);
        built.ours("guard", "uid-guard", &format!("Deployment/{name}"))
    };
    let facts = given![
        enforce("guard"),
        deployment("shop/a").of_pods([("app", "y")]).replicas(2),
        of("a", "x"),
        deployment("shop/b").of_pods([("app", "x")]).replicas(2),
        of("b", "y"),
    ];
    check(facts, &["withdraw a-deployment (NotWanted)", "withdraw b-deployment (NotWanted)"]);
}

#[rstest]
#[case::its_spec(ours().edited_by("kubectl-patch"))]
#[case::its_label(ours().labels([("holdfast.dev/policy", "mine")]).managed_by(
    "kubectl-label", "Update", json!({ "f:metadata": { "f:labels": { "f:holdfast.dev/policy": {} } } })
))]
fn one_of_ours_that_somebody_edited_is_left_to_them(#[case] edited: BudgetBuilder) {
    check(given![enforce("guard"), web(), edited.clone()], &[]);
    check(given![report("guard"), web(), edited.clone()], &[]);
    check(given![enforce("guard"), edited.clone()], &[]);
    let plan = plan(given![enforce("guard"), web(), edited]);
    let rules: Vec<&str> = plan.findings.iter().map(|finding| finding.rule.id()).collect();
    assert_eq!(rules, ["budget-contested"]);
}

#[test]
fn when_the_edit_is_gone_it_is_ours_again() {
    check(given![enforce("guard"), web(), ours()], &[]);
    check(given![report("guard"), web(), ours()], &["withdraw web-deployment (NotEnforced)"]);
}

#[test]
fn one_with_our_label_alone_is_never_touched() {
    let copy = budget("shop/web-deployment")
        .labels([("app.kubernetes.io/managed-by", "holdfast"), ("holdfast.dev/policy", "guard")])
        .selecting([("app", "web")]);
    check(given![enforce("guard"), web(), copy.clone()], &[]);
    check(given![copy], &[]);
}

#[test]
fn in_a_namespace_that_is_going_nothing_is_written() {
    let going = || namespace("shop").terminating();
    check(given![going(), enforce("guard"), web()], &[]);
    check(given![going(), report("guard"), web(), ours()], &[]);
}

#[test]
fn before_the_namespace_is_seen_nothing_is_written() {
    let plan = World::of(given![report("guard"), web(), ours()]).plan("shop");
    assert!(plan.writes.is_empty(), "{:?}", plan.writes);
}
