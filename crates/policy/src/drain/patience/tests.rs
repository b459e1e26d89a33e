//! Which drains outlast the drainer, by the least that each wait takes.

use std::time::Duration;

use holdfast_api::{DrainReadinessSpec, Drainer as RawDrainer};
use holdfast_model::Cluster;
use holdfast_model::builders::{Manifest, PodBuilder, budget, deployment, node, pod, replica_set};
use jiff::Timestamp;
use serde_json::json;

use super::Patience;
use crate::drain::gate::{Settings, SettingsError};
use crate::drain::{Cause, Drainer, Lasting, NodeForecast, Verdict, forecast};

/// So many pods of `shop/<name>` on node a, which are Ready so many seconds after their start at the earliest, and a budget that
/// lets one go.
fn slow(cluster: Cluster, name: &str, pods: i64, delay: u32) -> Cluster {
    slow_of(cluster, name, pods, delay, |pod| pod)
}

fn slow_of(cluster: Cluster, name: &str, pods: i64, delay: u32, like: fn(PodBuilder) -> PodBuilder) -> Cluster {
    let workload = deployment(&format!("shop/{name}")).replicas(pods);
    let made_by = replica_set(&format!("shop/{name}-1")).of_deployment(name);
    let made = cluster.with(workload).with(made_by).with(one_may_go(name));
    (0..pods).fold(made, |cluster, number| {
        let probe = json!([{ "name": "main", "readinessProbe": { "initialDelaySeconds": delay } }]);
        let pod = pod(&format!("shop/{name}-{number}")).of_deployment(name).labels([("app", name)]).on_node("a");
        cluster.with(like(pod.with("/spec/containers", probe)))
    })
}

fn one_may_go(name: &str) -> impl Manifest {
    budget(&format!("shop/{name}")).max_unavailable(1).selecting([("app", name)])
}

fn two() -> Cluster {
    Cluster::default().with(node("a")).with(node("b"))
}

fn on_a(cluster: &Cluster, drainer: Drainer) -> NodeForecast {
    forecast(cluster, drainer, Timestamp::UNIX_EPOCH).node("a").unwrap().clone()
}

#[track_caller]
fn check(cluster: &Cluster, patience: Patience, expected: &str) {
    let forecast = on_a(cluster, Drainer::Retry(patience));
    let stays = forecast.blockers.iter().map(|it| format!("; {} {:?}: {}", it.pod, it.lasting, it.message()));
    let told = format!("{} in {}{}", forecast.pods, forecast.waves, stays.collect::<String>());
    assert_eq!(told, expected);
}

#[test]
fn it_ends_only_when_more_has_passed_and_nothing_is_for_ever() {
    let five = Patience::default();
    assert_eq!((five.to_string(), five.seconds()), ("5m".to_owned(), Some(300)));
    assert!(!five.ends_before(300) && five.ends_before(301));
    assert_eq!(Patience::new(0), Patience::ENDLESS);
    assert_eq!(Patience::of(Duration::ZERO), Patience::ENDLESS);
    assert_eq!(Patience::of(Duration::MAX), Patience::ENDLESS);
    assert_eq!(Patience::of(Duration::from_millis(90_500)).to_string(), "1m30s");
    // Less than a second is a wait all the same.
    assert_eq!(Patience::of(Duration::from_millis(500)), Patience::new(1));
    assert!(!Patience::ENDLESS.ends_before(u32::MAX));
    assert_eq!(Patience::ENDLESS.to_string(), "for ever");
}

#[test]
fn who_has_a_turn_only_when_the_drainer_has_given_up_stays() {
    let cluster = slow(two(), "web", 4, 150);
    let late = "its turn comes after 7m30s at the earliest, and the drainer waits 5m";
    check(&cluster, Patience::default(), &format!("4 in 3; shop/web-3 Structural: {late}"));
    check(&cluster, Patience::new(450), "4 in 4");
    check(&cluster, Patience::new(600), "4 in 4");
    check(&cluster, Patience::ENDLESS, "4 in 4");
}

#[test]
fn it_is_told_with_its_budget_and_what_to_do_and_is_no_refusal() {
    let forecast = on_a(&slow(two(), "web", 4, 150), Drainer::default());
    assert_eq!((forecast.verdict, forecast.blockers.len()), (Verdict::Blocks, 1));
    let blocker = &forecast.blockers[0];
    assert_eq!(blocker.cause, Cause::OutOfTime { needs: 450, patience: Patience::default() });
    assert_eq!((blocker.cause.reason(), blocker.by()), ("OutOfTime", "budget web".to_owned()));
    assert_eq!((blocker.lasting, blocker.is_refused()), (Lasting::Structural, false));
    assert!(blocker.remedy.contains("let more of its pods go at once"), "{}", blocker.remedy);
    assert_eq!(blocker.patch, None);
}

#[test]
fn without_probes_that_wait_nothing_is_known_to_take_long() {
    check(&slow(two(), "web", 50, 0), Patience::new(1), "50 in 50");
}

#[test]
fn what_goes_in_the_first_wave_waits_for_nobody() {
    let alone = slow(two(), "web", 1, 3600);
    check(&alone, Patience::new(1), "1 in 1");
    let loose = slow(two(), "web", 3, 3600).with(budget("shop/web").max_unavailable(3).selecting([("app", "web")]));
    check(&loose, Patience::new(1), "3 in 1");
}

#[test]
fn more_that_may_go_at_once_shorten_it() {
    let wide = slow(two(), "web", 4, 150).with(budget("shop/web").max_unavailable(2).selecting([("app", "web")]));
    check(&wide, Patience::default(), "4 in 2");
}

#[test]
fn budgets_wait_at_the_same_time() {
    let both = slow(slow(two(), "web", 3, 150), "api", 3, 150);
    check(&both, Patience::default(), "6 in 3");
}

#[test]
fn a_pod_that_is_not_ready_waits_for_nothing_where_its_budget_lets_it_go() {
    let always = budget("shop/web").max_unavailable(1).selecting([("app", "web")]).always_allow();
    let cluster = slow_of(two(), "web", 4, 3600, |pod| pod.ready(false)).with(always);
    check(&cluster, Patience::new(1), "4 in 1");
}

#[test]
fn what_is_refused_is_told_as_refused() {
    let never = slow(two(), "web", 2, 150).with(budget("shop/web").min_available(2).selecting([("app", "web")]));
    check(
        &never,
        Patience::new(1),
        "2 in 0; shop/web-0 Structural: it needs 2 healthy pods and has 2; shop/web-1 Structural: it needs 2 healthy pods and has 2",
    );
}

#[test]
fn one_pass_never_waits() {
    let forecast = on_a(&slow(two(), "web", 2, 3600), Drainer::OnePass);
    assert_eq!(forecast.blockers[0].cause.reason(), "NoneLeft");
}

#[test]
fn the_gate_waits_as_long_as_its_resource_says() {
    let settings = |drainer: RawDrainer, wait: &str| {
        let spec = DrainReadinessSpec { drainer, wait_per_node: wait.to_owned(), ..DrainReadinessSpec::default() };
        Settings::try_from(&spec).map(|settings| settings.drainer)
    };
    let retry = |wait| settings(RawDrainer::Retry, wait);
    assert_eq!(Settings::try_from(&DrainReadinessSpec::default()).unwrap(), Settings::default());
    assert_eq!(retry("5m"), Ok(Drainer::default()));
    assert_eq!(retry("1h30m"), Ok(Drainer::Retry(Patience::new(5400))));
    assert_eq!(retry("0s"), Ok(Drainer::Retry(Patience::ENDLESS)));
    assert_eq!(settings(RawDrainer::OnePass, "5m"), Ok(Drainer::OnePass));
    let refused = retry("soon").unwrap_err();
    assert_eq!(refused, SettingsError::Wait("soon".to_owned()));
    assert!(refused.to_string().starts_with("spec.waitPerNode: "), "{refused}");
}
