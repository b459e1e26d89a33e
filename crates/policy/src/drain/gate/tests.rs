//! When the gate closes and opens, told as a row of moments.

use holdfast_api::{Accepted, DrainReadinessSpec, LabelSelector};
use holdfast_model::Cluster;
use holdfast_model::builders::{
    Manifest, UnsealBuilder, budget, deployment, node, pod, replica_set, stateful_set, unseal,
};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{Gate, Reading, Settings};
use crate::drain::{Drainer, Verdict, forecast};

fn start() -> Timestamp {
    "2026-11-25T08:00:00Z".parse().unwrap()
}

fn at(seconds: i64) -> Timestamp {
    start() + SignedDuration::from_secs(seconds)
}

/// Two pods of `shop/web` behind a budget that lets one go, on two nodes.
fn web(second_is_ready: bool, of: [&str; 2]) -> Cluster {
    let pod = |number: usize, node: &str, ready: bool| {
        let labels = [("app", "web"), ("pod-template-hash", of[number])];
        pod(&format!("shop/web-{number}")).of_deployment("web").labels(labels).on_node(node).ready(ready)
    };
    Cluster::default()
        .with(node("a"))
        .with(node("b"))
        .with(deployment("shop/web").replicas(2))
        .with(replica_set("shop/web-1").of_deployment("web"))
        .with(pod(0, "a", true))
        .with(pod(1, "b", second_is_ready))
        .with(budget("shop/web").max_unavailable(1).selecting([("app", "web")]))
}

fn calm() -> Cluster {
    web(true, ["x", "x"])
}

fn sick() -> Cluster {
    web(false, ["x", "x"])
}

fn rolling() -> Cluster {
    web(false, ["x", "y"])
}

/// As calm, and one pod behind a budget that never lets it go.
fn blocked() -> Cluster {
    let single = pod("shop/db").of_deployment("db").labels([("app", "db")]).on_node("a");
    let cluster = calm().with(deployment("shop/db")).with(replica_set("shop/db-1").of_deployment("db")).with(single);
    cluster.with(budget("shop/db").min_available(1).selecting([("app", "db")]))
}

fn reading(cluster: &Cluster, settings: &Settings, now: Timestamp) -> Reading {
    Reading::new(cluster, &forecast(cluster, settings.drainer, now), settings, now)
}

#[track_caller]
fn check(gate: &mut Gate, cluster: &Cluster, second: i64, expected: &str) {
    let judgement = gate.judge(&reading(cluster, &Settings::default(), at(second)), at(second));
    let mut told = if judgement.drainable { "open" } else { "closed" }.to_owned();
    if judgement.settling {
        told += ", settling";
    }
    if let Some(recheck) = judgement.recheck_at {
        told += &format!(", again at {}", recheck.duration_since(start()).as_secs());
    }
    assert_eq!(told, expected, "at {second}");
}

#[test]
fn it_opens_after_ten_seconds_in_which_nothing_blocked() {
    let mut gate = Gate::default();
    check(&mut gate, &calm(), 0, "closed, settling, again at 10");
    check(&mut gate, &calm(), 9, "closed, settling, again at 10");
    check(&mut gate, &calm(), 10, "open");
    check(&mut gate, &blocked(), 20, "closed");
    check(&mut gate, &calm(), 21, "closed, settling, again at 31");
    check(&mut gate, &sick(), 25, "closed");
    check(&mut gate, &calm(), 26, "closed, settling, again at 36");
    check(&mut gate, &calm(), 36, "open");
}

#[test]
fn whoever_takes_over_leaves_it_as_it_was() {
    check(&mut Gate::left(true), &calm(), 0, "open");
    check(&mut Gate::left(true), &blocked(), 0, "closed");
    check(&mut Gate::left(false), &calm(), 0, "closed, settling, again at 10");
}

#[test]
fn what_may_pass_closes_it_after_half_a_minute() {
    let mut gate = Gate::left(true);
    check(&mut gate, &sick(), 0, "open, again at 30");
    check(&mut gate, &sick(), 29, "open, again at 30");
    check(&mut gate, &calm(), 29, "open");
    check(&mut gate, &sick(), 31, "open, again at 61");
    check(&mut gate, &sick(), 61, "closed");
    check(&mut gate, &sick(), 100, "closed");
}

#[test]
fn a_rollout_closes_it_only_when_it_does_not_come_to_its_end() {
    let mut gate = Gate::left(true);
    check(&mut gate, &rolling(), 0, "open, again at 600");
    check(&mut gate, &rolling(), 599, "open, again at 600");
    check(&mut gate, &rolling(), 600, "closed");
    let mut healthy = Gate::left(true);
    for second in 0..300 {
        let cluster = if second % 20 < 15 { rolling() } else { calm() };
        let reading = reading(&cluster, &Settings::default(), at(second));
        assert!(healthy.judge(&reading, at(second)).drainable, "at {second}");
    }
}

fn accepting(accepted: Accepted) -> Settings {
    Settings::try_from(&DrainReadinessSpec { accept: vec![accepted], ..DrainReadinessSpec::default() }).unwrap()
}

fn named(name: &str) -> Accepted {
    Accepted {
        namespace: "shop".into(),
        name: Some(name.into()),
        selector: None,
        reason: "it may go down at night".into(),
        expires_at: None,
    }
}

#[test]
fn what_is_accepted_is_shown_and_not_waited_for() {
    let settings = accepting(named("db"));
    let accepted = reading(&blocked(), &settings, at(0));
    assert_eq!((accepted.count(Verdict::Blocks), accepted.blockers.len(), accepted.waits_for().count()), (0, 1, 0));
    assert_eq!(accepted.blockers[0].accepted.as_deref(), Some("it may go down at night"));
    assert!(Gate::left(true).judge(&accepted, at(0)).drainable);
    for (other, why) in [
        (Accepted { namespace: "other".into(), ..named("db") }, "another namespace"),
        (named("web"), "another workload"),
        (Accepted { expires_at: Some(Time(at(0))), ..named("db") }, "it has ended"),
    ] {
        assert_eq!(reading(&blocked(), &accepting(other), at(0)).waits_for().count(), 1, "{why}");
    }
    let labels =
        LabelSelector { match_labels: [("app".to_owned(), "db".to_owned())].into(), ..LabelSelector::default() };
    let selected = accepting(Accepted { name: None, selector: Some(labels), ..named("") });
    assert_eq!(reading(&blocked(), &selected, at(0)).waits_for().count(), 0);
}

/// As calm, and a Vault of one pod of which this is told.
fn vault(told: fn(UnsealBuilder) -> UnsealBuilder) -> Cluster {
    let made = calm().with(stateful_set("shop/vault").replicas(1));
    made.with(pod("shop/vault-0").of_stateful_set("vault").on_node("a"))
        .with(told(unseal("shop/bank").of_stateful_set("vault")))
}

fn sealed() -> Cluster {
    vault(|told| told.stays_sealed("TokenDead", "it is dead", "Make a new one."))
}

#[test]
fn a_vault_that_would_stay_sealed_closes_it_at_once_and_one_that_would_start_opens_it() {
    let mut gate = Gate::left(true);
    check(&mut gate, &vault(UnsealBuilder::starts), 0, "open");
    check(&mut gate, &sealed(), 1, "closed");
    check(&mut gate, &sealed(), 100, "closed");
    check(&mut gate, &vault(UnsealBuilder::starts), 101, "closed, settling, again at 111");
    check(&mut gate, &vault(UnsealBuilder::starts), 111, "open");
}

#[test]
fn a_vault_of_which_it_is_not_known_neither_closes_it_nor_keeps_it_closed() {
    let unproven = || vault(|told| told.unproven("NoEvidence"));
    check(&mut Gate::left(true), &unproven(), 0, "open");
    check(&mut Gate::left(true), &vault(|told| told), 0, "open");
    check(&mut Gate::left(false), &unproven(), 0, "closed, settling, again at 10");
    let reading = reading(&unproven(), &Settings::default(), at(0));
    assert!(reading.felt.contains(&("a".into(), "LastReady, StartUnknown".to_owned())), "{:?}", reading.felt);
    // Nor does one that can't be read.
    let garbled = vault(|told| told.with("/status/conditions", "all"));
    check(&mut Gate::left(true), &garbled, 0, "open");
}

#[test]
fn a_vault_is_accepted_by_its_stateful_set_or_by_what_tells_of_it() {
    for name in ["vault", "bank"] {
        let settings = accepting(named(name));
        let accepted = reading(&sealed(), &settings, at(0));
        assert_eq!((accepted.count(Verdict::Blocks), accepted.blockers.len()), (0, 1), "{name}");
        assert!(Gate::left(true).judge(&accepted, at(0)).drainable, "{name}");
    }
    assert_eq!(reading(&sealed(), &accepting(named("web")), at(0)).waits_for().count(), 1);
}

#[test]
fn the_end_of_what_is_accepted_is_a_reason_to_look_again() {
    let settings = accepting(Accepted { expires_at: Some(Time(at(100))), ..named("db") });
    let mut gate = Gate::left(true);
    let judgement = gate.judge(&reading(&blocked(), &settings, at(0)), at(0));
    assert_eq!((judgement.drainable, judgement.recheck_at), (true, Some(at(100))));
    assert!(!gate.judge(&reading(&blocked(), &settings, at(100)), at(100)).drainable);
}

#[test]
fn only_selected_nodes_count() {
    let labels = LabelSelector {
        match_labels: [("kubernetes.io/hostname".to_owned(), "b".to_owned())].into(),
        ..LabelSelector::default()
    };
    let spec = DrainReadinessSpec { node_selector: Some(labels), ..DrainReadinessSpec::default() };
    let settings = Settings::try_from(&spec).unwrap();
    assert_eq!(settings.drainer, Drainer::default());
    let reading = reading(&blocked(), &settings, at(0));
    assert_eq!(reading.nodes, [("b".into(), Verdict::Clean)]);
    assert!(reading.blockers.is_empty());
}
