//! What can't be read is left as it is, and what depends on it waits; all else goes on.

use holdfast_model::builders::{BudgetBuilder, Manifest, budget, deployment, hpa, namespace, scaled_object};
use holdfast_policy::disruption::{Decision, Write};
use rstest::rstest;
use serde_json::{Value, json};

use crate::given;
use crate::world::{World, enforce, ours, report, web};

/// Plans the namespace `shop` and says how `web` is decided, and how many writes there are.
#[track_caller]
fn check(facts: Vec<Value>, decision: &str, writes: usize) {
    let plan = World::of(facts).plan("shop");
    let web = plan.outcomes.iter().find(|outcome| &*outcome.workload.name == "web");
    let seen = web.map_or("not judged".to_owned(), |web| match &web.decision {
        Decision::Held(why) => format!("held: {why}"),
        other => format!("{other:?}").split(['(', ' ']).next().unwrap_or_default().to_owned(),
    });
    assert_eq!((seen.as_str(), plan.writes.len()), (decision, writes), "{:?}", plan.writes);
}

fn unreadable_policy() -> Value {
    enforce("guard").with("/spec/mode", "Dream")
}

fn theirs() -> BudgetBuilder {
    budget("shop/theirs").min_available(1).selecting([("app", "web")])
}

const NAMESPACE: &str = "held: the Namespace can't be read";
const POLICY: &str = "held: its DisruptionPolicy can't be read";
const BUDGET: &str = "held: a PodDisruptionBudget of its namespace can't be read";
const AUTOSCALER: &str = "held: an autoscaler of its namespace can't be read";

#[test]
fn a_workload_that_cannot_be_read_keeps_its_budget() {
    let broken = || web().with("/spec/replicas", "three");
    check(given![namespace("shop"), enforce("guard"), broken(), ours()], "not judged", 0);
    check(given![namespace("shop"), report("guard"), broken(), ours()], "not judged", 0);
}

#[test]
fn a_namespace_that_cannot_be_read_holds_everything_in_it() {
    let broken = || namespace("shop").with("/metadata/labels", 3);
    check(given![broken(), enforce("guard"), web()], NAMESPACE, 0);
    check(given![broken(), report("guard"), web(), ours()], NAMESPACE, 0);
}

#[test]
fn what_a_policy_that_cannot_be_read_has_made_stays() {
    check(given![namespace("shop"), unreadable_policy(), web(), ours()], POLICY, 0);
    check(given![namespace("shop"), unreadable_policy(), ours()], "not judged", 0);
}

#[test]
fn another_policy_does_not_take_over_from_one_that_cannot_be_read() {
    check(given![namespace("shop"), unreadable_policy(), enforce("other"), web(), ours()], POLICY, 0);
    check(given![namespace("shop"), unreadable_policy(), report("other"), web(), ours()], POLICY, 0);
}

#[test]
fn where_a_policy_cannot_be_read_nothing_is_made_for_want_of_another() {
    check(given![namespace("shop"), unreadable_policy(), web()], "NotSelected", 0);
    check(given![namespace("shop"), unreadable_policy(), enforce("other"), web()], "Budget", 1);
}

#[test]
fn what_ends_an_overlap_waits_for_nothing_that_cannot_be_read() {
    let facts = given![namespace("shop"), unreadable_policy(), web(), ours(), theirs()];
    let plan = World::of(facts).plan("shop");
    let [Write::Withdraw { reason, .. }] = plan.writes.as_slice() else { panic!("{:?}", plan.writes) };
    assert!(reason.is_urgent());
    let broken = web().with("/spec/replicas", "three");
    let covered = deployment("shop/new").of_pods([("app", "web")]).replicas(2);
    let facts = given![namespace("shop"), enforce("guard"), broken, covered, ours(), theirs()];
    check(facts, "not judged", 1);
}

#[test]
fn of_an_overlap_of_ours_with_ours_only_the_double_goes() {
    let double = ours().with("/metadata/name", "a-double").uid("u2");
    let plan = World::of(given![namespace("shop"), unreadable_policy(), web(), ours(), double]).plan("shop");
    let gone: Vec<&str> = plan.writes.iter().map(|write| write.key().name.as_str()).collect();
    assert_eq!(gone, ["a-double"]);
}

#[test]
fn beside_a_budget_that_cannot_be_read_no_new_one_is_made() {
    let broken = || budget("shop/theirs").with("/spec/selector", 3);
    check(given![namespace("shop"), enforce("guard"), web(), broken()], BUDGET, 0);
    check(given![namespace("shop"), enforce("guard"), web(), broken(), ours()], "Budget", 0);
    check(
        given![namespace("shop"), enforce("guard").with("/spec/maxUnavailable", 2), web(), broken(), ours()],
        "Budget",
        1,
    );
    check(given![namespace("shop"), report("guard"), web(), broken(), ours()], "Budget", 1);
}

#[rstest]
#[case::a_pod_autoscaler(hpa("shop/web").with("/spec/maxReplicas", "ten"))]
#[case::a_scaled_object(scaled_object("shop/web").with("/spec/maxReplicaCount", "ten"))]
fn an_autoscaler_that_cannot_be_read_leaves_budgets_as_they_are(#[case] broken: impl Manifest) {
    let broken = broken.build();
    let around = || given![namespace("shop"), enforce("guard"), broken.clone()];
    let facts = |more: Vec<Value>| around().into_iter().chain(more).collect();
    check(facts(given![web().replicas(1), ours()]), AUTOSCALER, 0);
    check(facts(given![web(), ours().with("/spec/maxUnavailable", 2)]), AUTOSCALER, 0);
    check(facts(given![web()]), "Budget", 1);
    check(facts(given![web().replicas(0), ours()]), "ScaledToZero", 1);
    check(facts(given![web(), ours(), theirs()]), "Yielded", 1);
    let read = hpa("shop/other").of("Deployment", "web").least(2).most(4);
    check(facts(given![web(), ours().with("/spec/maxUnavailable", 2), read]), "Budget", 1);
    let mut reporting: Vec<Value> = facts(given![web(), ours()]);
    reporting[1] = report("guard");
    check(reporting, "Budget", 1);
}

#[test]
fn everything_else_in_the_namespace_goes_on() {
    let broken = deployment("shop/broken").with("/spec/replicas", "three");
    check(given![namespace("shop"), enforce("guard"), web(), broken], "Budget", 1);
}

#[test]
fn each_object_that_cannot_be_read_is_a_finding_on_it() {
    let broken = json!({
        "kind": "Deployment", "apiVersion": "apps/v1", "metadata": { "namespace": "shop", "name": "broken" },
        "spec": { "replicas": "three" },
    });
    let plan = World::of(given![namespace("shop"), broken]).plan("shop");
    let findings: Vec<String> =
        plan.findings.iter().map(|finding| format!("{} on {}", finding.rule, finding.subject)).collect();
    assert_eq!(findings, ["object-unreadable on Deployment shop/broken"]);
}
