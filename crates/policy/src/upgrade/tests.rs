//! What counts as an upgrade, for how long, and which drains are stuck; told as a row of moments.

use holdfast_api::{Accepted, DrainReadinessSpec};
use holdfast_model::builders::{
    Manifest, NodeBuilder, budget, deployment, helm_release, kubernetes_upgrade, node, pod, replica_set, stateful_set,
    talos_control_plane, talos_upgrade, unseal, upgrade_plan,
};
use holdfast_model::{Cluster, Kind, ObjectKey};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use rstest::rstest;

use super::{Left, Look, Sight, StuckDrain, Watch};
use crate::disruption::{Preconditions, Reason, Write};
use crate::drain::gate::Settings;
use crate::drain::{Drainer, forecast};

/// No time matters here.
const NOW: Timestamp = Timestamp::UNIX_EPOCH;

const HOUR: i64 = 3600;

fn at(seconds: i64) -> Timestamp {
    let start: Timestamp = "2026-11-25T08:00:00Z".parse().unwrap();
    start + SignedDuration::from_secs(seconds)
}

fn cluster(first: NodeBuilder) -> Cluster {
    Cluster::default().with(first).with(node("b")).with(node("c"))
}

/// A node `a` with so many pods that anybody may evict.
fn with_pods(first: NodeBuilder, count: usize) -> Cluster {
    let made =
        cluster(first).with(deployment("shop/web").replicas(3)).with(replica_set("shop/web-1").of_deployment("web"));
    (0..count).fold(made, |made, number| {
        made.with(pod(&format!("shop/web-{number}")).of_deployment("web").labels([("app", "web")]).on_node("a"))
    })
}

/// A pod on `a` that its budget never lets go.
fn with_blocker(made: Cluster) -> Cluster {
    made.with(deployment("shop/db"))
        .with(replica_set("shop/db-1").of_deployment("db"))
        .with(pod("shop/db").of_deployment("db").labels([("app", "db")]).on_node("a"))
        .with(helm_release("shop/db").listing("shop_db_policy_PodDisruptionBudget"))
        .with(budget("shop/db").min_available(1).selecting([("app", "db")]))
}

/// Pods on `a` and `b` of which the second isn't ready, behind a budget that lets one be so.
fn with_sick(made: Cluster) -> Cluster {
    let labels = [("app", "web")];
    made.with(deployment("shop/web").replicas(2))
        .with(replica_set("shop/web-1").of_deployment("web"))
        .with(pod("shop/web-0").of_deployment("web").labels(labels).on_node("a").ready(true))
        .with(pod("shop/web-1").of_deployment("web").labels(labels).on_node("b").ready(false))
        .with(budget("shop/web").max_unavailable(1).selecting(labels))
}

fn look_by(watch: &mut Watch, cluster: &Cluster, settings: &Settings, seconds: i64) -> Look {
    let forecast = forecast(cluster, Drainer::default(), NOW);
    watch.look(Sight { cluster, forecast: &forecast.nodes, settings, unseen: &[], settled: true }, at(seconds))
}

fn look(watch: &mut Watch, cluster: &Cluster, seconds: i64) -> Look {
    look_by(watch, cluster, &Settings::default(), seconds)
}

fn told(look: &Look) -> String {
    let Some(upgrade) = &look.upgrade else { return "none".to_owned() };
    let nodes = upgrade.nodes.iter().map(|node| node.as_str()).collect::<Vec<_>>().join(",");
    let since = upgrade.since.duration_since(at(0)).as_secs();
    let frozen = if upgrade.frozen { "frozen" } else { "goes on" };
    format!("{} {} [{nodes}] since {since} {frozen}", upgrade.upgrader, upgrade.phase)
}

#[track_caller]
fn check(watch: &mut Watch, cluster: &Cluster, seconds: i64, expected: &str) {
    assert_eq!(told(&look(watch, cluster, seconds)), expected, "at {seconds}");
    let frozen = watch.freeze(cluster, &[], at(seconds)).upgrader.is_some();
    assert_eq!(frozen, expected.ends_with("frozen"), "at {seconds}");
}

#[rstest]
#[case::draining(talos_upgrade("t").phase("Draining").doing(["b"]), "TalosUpgrade t Draining [b] since 0 frozen")]
#[case::checking(talos_upgrade("t").phase("HealthChecking"), "TalosUpgrade t HealthChecking [] since 0 frozen")]
#[case::kubernetes(kubernetes_upgrade("k").phase("Upgrading"), "KubernetesUpgrade k Upgrading [] since 0 frozen")]
#[case::plan(upgrade_plan("s/agents").applying(["b", "c"]), "Plan s/agents Applying [b,c] since 0 frozen")]
#[case::machines(talos_control_plane("s/cp").machines(3, 4), "TalosControlPlane s/cp Resizing [] since 0 frozen")]
#[case::newer(talos_upgrade("t").phase("Verifying"), "TalosUpgrade t Verifying [] since 0 frozen")]
#[case::unreadable(talos_upgrade("t").with("/status/phase", 7), "TalosUpgrade t Unknown [] since 0 frozen")]
#[case::done(talos_upgrade("t").phase("Completed"), "none")]
#[case::not_begun(upgrade_plan("s/agents"), "none")]
#[case::settled(talos_control_plane("s/cp").machines(3, 3), "none")]
fn each_kind_of_upgrade(#[case] object: impl Manifest, #[case] expected: &str) {
    check(&mut Watch::default(), &cluster(node("a")).with(object), 0, expected);
}

#[test]
fn what_is_not_known_is_said_so() {
    let unreadable = cluster(node("a")).with(talos_upgrade("t").with("/status", "x"));
    let upgrade = look(&mut Watch::default(), &unreadable, 0).upgrade.unwrap();
    assert_eq!(upgrade.unknown, Some("it can't be read, so it may be under way"));
    let (made, settings) = (cluster(node("a")), Settings::default());
    let sight = Sight { cluster: &made, forecast: &[], settings: &settings, unseen: &[Kind::Plan], settled: true };
    let upgrade = Watch::default().look(sight, at(0)).upgrade.unwrap();
    assert_eq!((upgrade.upgrader.to_string(), upgrade.frozen), ("any Plan".to_owned(), true));
    assert_eq!(upgrade.unknown, Some("the kind can't be watched, so one may be under way"));
}

#[test]
fn six_hours_without_movement_end_the_freeze_but_not_the_upgrade() {
    let draining = |done: usize| {
        let done: Vec<String> = (0..done).map(|number| format!("n{number}")).collect();
        let upgrade = talos_upgrade("t").phase("Draining").doing(["a"]).with("/status/completedNodes", done);
        with_pods(node("a").cordoned(), 2).with(upgrade)
    };
    let mut watch = Watch::default();
    check(&mut watch, &draining(0), 0, "TalosUpgrade t Draining [a] since 0 frozen");
    check(&mut watch, &draining(0), 6 * HOUR - 1, "TalosUpgrade t Draining [a] since 0 frozen");
    assert_eq!(look(&mut watch, &draining(0), 6 * HOUR - 1).recheck_at, Some(at(6 * HOUR)));
    check(&mut watch, &draining(0), 6 * HOUR, "TalosUpgrade t Draining [a] since 0 goes on");
    assert_eq!(look(&mut watch, &draining(0), 6 * HOUR).recheck_at, None);
    check(&mut watch, &draining(1), 7 * HOUR, "TalosUpgrade t Draining [a] since 0 frozen");
    check(&mut watch, &draining(1), 13 * HOUR, "TalosUpgrade t Draining [a] since 0 goes on");
}

#[test]
fn a_pod_that_goes_is_movement() {
    let left = |pods| with_pods(node("a").cordoned(), pods);
    let mut watch = Watch::default();
    check(&mut watch, &left(3), 0, "Node a Draining [a] since 0 frozen");
    check(&mut watch, &left(2), 5 * HOUR, "Node a Draining [a] since 0 frozen");
    check(&mut watch, &left(2), 10 * HOUR, "Node a Draining [a] since 0 frozen");
    check(&mut watch, &left(2), 11 * HOUR, "none");
    check(&mut watch, &left(1), 12 * HOUR, "Node a Draining [a] since 0 frozen");
    check(&mut watch, &left(0), 13 * HOUR, "none");
}

#[test]
fn a_mere_cordon_is_no_upgrade() {
    check(&mut Watch::default(), &cluster(node("a").cordoned()), 0, "none");
    check(&mut Watch::default(), &with_pods(node("a"), 3), 0, "none");
}

#[test]
fn a_node_that_nobody_has_looked_at_may_be_one_that_is_emptied() {
    let made = cluster(node("a").cordoned());
    let mut watch = Watch::default();
    assert!(watch.freeze(&made, &[], at(0)).upgrader.is_some());
    check(&mut watch, &made, 1, "none");
}

#[test]
fn the_next_node_begins_anew() {
    let doing = |name: &str| cluster(node("a")).with(talos_upgrade("t").phase("Draining").doing([name]));
    let mut watch = Watch::default();
    check(&mut watch, &doing("a"), 0, "TalosUpgrade t Draining [a] since 0 frozen");
    check(&mut watch, &doing("b"), 60, "TalosUpgrade t Draining [b] since 60 frozen");
}

#[test]
fn of_several_the_one_that_moves_and_says_most_is_told() {
    let plan = || upgrade_plan("s/agents").applying(["b"]);
    let both = with_pods(node("a").cordoned(), 1).with(plan()).with(talos_upgrade("t").phase("Draining"));
    let mut watch = Watch::default();
    check(&mut watch, &both, 0, "TalosUpgrade t Draining [a] since 0 frozen");
    let alone = with_pods(node("a").cordoned(), 1).with(plan());
    check(&mut watch, &alone, 1, "Plan s/agents Applying [b] since 0 frozen");
    check(&mut watch, &with_pods(node("a").cordoned(), 2).with(plan()), 7 * HOUR, "Node a Draining [a] since 0 frozen");
}

#[test]
fn what_stood_still_for_whoever_came_before_does_so_still() {
    let left = |phase: &str| {
        let (kind, name) = ("TalosUpgrade".to_owned(), "t".to_owned());
        Watch::left(Some(Left { kind, name, phase: phase.to_owned(), nodes: vec!["a".to_owned()] }))
    };
    let made = cluster(node("a")).with(talos_upgrade("t").phase("Draining").doing(["a"]));
    check(&mut left("Draining"), &made, 0, "TalosUpgrade t Draining [a] since 0 goes on");
    check(&mut left("PreHook"), &made, 0, "TalosUpgrade t Draining [a] since 0 frozen");

    let (empty, settings) = (cluster(node("a")), Settings::default());
    for (settled, expected) in [(false, "goes on"), (true, "frozen")] {
        let mut watch = left("Draining");
        watch.look(Sight { cluster: &empty, forecast: &[], settings: &settings, unseen: &[], settled }, at(0));
        check(&mut watch, &made, 1, &format!("TalosUpgrade t Draining [a] since 1 {expected}"));
    }
}

fn withdrawal(budget: &str, reason: Reason) -> Write {
    let seen = Preconditions { uid: "u".into(), version: "1".into() };
    Write::Withdraw { key: ObjectKey::new("shop", budget), workload: None, seen, reason }
}

#[test]
fn a_withdrawal_waits_unless_waiting_would_keep_the_upgrade_from_getting_on() {
    let calm = with_blocker(cluster(node("a")));
    let busy = calm.clone().with(talos_upgrade("t").phase("Upgrading"));
    let mut watch = Watch::default();
    look(&mut watch, &busy, 0);
    let freeze = watch.freeze(&busy, &[], at(1));
    for reason in [Reason::WorkloadGone, Reason::NotSelected, Reason::NotWanted] {
        assert!(freeze.holds(&withdrawal("web", reason)), "{reason:?}");
        assert!(!freeze.holds(&withdrawal("db", reason)), "it stands in the way: {reason:?}");
    }
    for reason in [Reason::Overlap, Reason::Blocks, Reason::NotEnforced] {
        assert!(!freeze.holds(&withdrawal("web", reason)), "{reason:?}");
    }
    let freeze = watch.freeze(&calm, &[], at(2));
    assert!(!freeze.holds(&withdrawal("web", Reason::NotWanted)), "it has ended");
}

#[test]
fn a_budget_that_never_lets_go_is_told_at_once() {
    let cordoned = with_blocker(cluster(node("a").cordoned()));
    let seen = look(&mut Watch::default(), &cordoned, 0);
    let said = "pod shop/db (budget db: it needs 1 healthy pod and has 1)";
    let remedy = "run two replicas or more, or remove the budget: over a single pod it protects nothing";
    let [StuckDrain { node: drained, budgets, flux, message, .. }] = seen.stuck.as_slice() else {
        panic!("{:?}", seen.stuck)
    };
    assert_eq!((drained.as_str(), budgets.as_slice()), ("a", &["db".into()][..]));
    assert_eq!(flux.iter().map(ToString::to_string).collect::<Vec<_>>(), ["HelmRelease shop/db"]);
    assert_eq!(*message, format!("the drain of a waits for {said}; {remedy}"));
    assert_eq!(seen.upgrade.unwrap().waits_for, [format!("{said} on a")]);
    assert_eq!(look(&mut Watch::default(), &with_blocker(cluster(node("a"))), 0).stuck, [], "nobody empties it");
}

#[test]
fn one_that_may_let_go_soon_is_told_within_ten_seconds() {
    let sick = with_sick(cluster(node("a").cordoned()));
    let mut watch = Watch::default();
    let first = look(&mut watch, &sick, 0);
    assert_eq!((first.stuck.len(), first.recheck_at), (0, Some(at(8))));
    assert_eq!(look(&mut watch, &sick, 7).stuck, []);
    assert_eq!(look(&mut watch, &sick, 8).stuck.len(), 1);
    assert_eq!(look(&mut watch, &cluster(node("a").cordoned()), 9).stuck, []);
    assert_eq!(look(&mut watch, &sick, 10).stuck, [], "it has to last again");
}

#[test]
fn what_may_stand_in_the_way_makes_no_drain_stuck() {
    let accepted = Accepted {
        namespace: "shop".to_owned(),
        name: Some("db".to_owned()),
        selector: None,
        reason: "it may go down".to_owned(),
        expires_at: None,
    };
    let spec = DrainReadinessSpec { accept: vec![accepted], ..DrainReadinessSpec::default() };
    let settings = Settings::try_from(&spec).unwrap();
    let seen = look_by(&mut Watch::default(), &with_blocker(cluster(node("a").cordoned())), &settings, 0);
    assert_eq!((seen.stuck.len(), seen.upgrade.unwrap().waits_for.len()), (0, 0));
}

/// The eviction API lets it go: the drain gets on, whatever becomes of it elsewhere.
#[test]
fn a_vault_that_would_stay_sealed_makes_no_drain_stuck() {
    let made = cluster(node("a").cordoned())
        .with(stateful_set("shop/vault"))
        .with(pod("shop/vault-0").of_stateful_set("vault").on_node("a"))
        .with(unseal("shop/vault").of_stateful_set("vault").stays_sealed("TokenDead", "it is dead", "Make a new one."));
    let forecast = forecast(&made, Drainer::default(), NOW);
    assert_eq!(forecast.node("a").unwrap().blockers.len(), 1);
    let seen = look(&mut Watch::default(), &made, 0);
    assert_eq!((seen.stuck.len(), seen.upgrade.unwrap().waits_for.len()), (0, 0));
}

/// It is going to move it: that is waited for, and isn't stuck.
#[test]
fn an_operator_that_gives_way_is_what_a_drain_waits_for() {
    let instance = |name: &str, node: &str| pod(name).owned_by("postgresql.cnpg.io/v1", "Cluster", "pg").on_node(node);
    let made = cluster(node("a").cordoned())
        .with(pod("cnpg/operator").labels([("app.kubernetes.io/name", "cloudnative-pg")]).on_node("b"))
        .with(instance("shop/pg-1", "a").labels([("role", "primary")]))
        .with(instance("shop/pg-2", "b"))
        .with(budget("shop/pg").min_available(1).selecting([("role", "primary")]));
    let mut watch = Watch::default();
    for second in [0, 600] {
        let seen = look(&mut watch, &made, second);
        assert_eq!(seen.upgrade.unwrap().waits_for, ["CloudNativePG, to move pod shop/pg-1 from a"]);
        assert_eq!(seen.stuck, []);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is seen in whatever order: looking twice says the same, nothing is frozen six hours after the last change, and
    /// nothing is frozen that isn't there.
    #[test]
    fn nothing_waits_for_ever(steps in prop::collection::vec((0..5u8, 0..3usize, any::<bool>(), 1..4i64), 1..12)) {
        let (mut watch, mut now) = (Watch::default(), 0);
        let mut last = Cluster::default();
        for (kind, pods, cordoned, hours) in steps {
            let first = if cordoned { node("a").cordoned() } else { node("a") };
            let made = with_pods(first, pods);
            last = match kind {
                0 => made,
                1 => made.with(talos_upgrade("t").phase("Draining").doing(["a"])),
                2 => made.with(upgrade_plan("s/p").applying(["a"])),
                3 => made.with(talos_upgrade("t").with("/status", 1)),
                _ => made.with(kubernetes_upgrade("k").phase("Completed")),
            };
            now += hours * HOUR;
            let seen = look(&mut watch, &last, now);
            prop_assert_eq!(&look(&mut watch, &last, now), &seen);
            let frozen = watch.freeze(&last, &[], at(now)).upgrader;
            prop_assert_eq!(frozen.is_some(), seen.upgrade.as_ref().is_some_and(|upgrade| upgrade.frozen));
            prop_assert!(frozen.is_none() || matches!(kind, 1..=3) || (cordoned && 0 < pods));
        }
        let late = look(&mut watch, &last, now + 6 * HOUR);
        prop_assert!(!late.upgrade.is_some_and(|upgrade| upgrade.frozen));
        prop_assert!(watch.freeze(&last, &[], at(now + 6 * HOUR)).upgrader.is_none());
    }
}
