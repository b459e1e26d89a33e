//! What a drain comes to, situation by situation. Each is told in one line by [`told`].

use holdfast_model::Cluster;
use holdfast_model::builders::{
    BudgetBuilder, Manifest, PodBuilder, budget, claim, daemon_set, deployment, job, node, pod, replica_set,
    stateful_set, volume,
};
use jiff::Timestamp;
use serde_json::json;

use super::{Drainer, NodeForecast, Rolling, Verdict, forecast, sequence};

/// No time matters here.
const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// Three nodes with room for anything.
fn three() -> Cluster {
    Cluster::default().with(node("a")).with(node("b")).with(node("c"))
}

/// A Deployment `shop/web` of so many pods, each on the node that is named for it.
fn web(cluster: Cluster, nodes: &[&str]) -> Cluster {
    web_of(cluster, nodes, |pod| pod)
}

fn web_of(cluster: Cluster, nodes: &[&str], like: impl Fn(PodBuilder) -> PodBuilder) -> Cluster {
    let replicas = i64::try_from(nodes.len()).unwrap();
    let cluster = cluster.with(deployment("shop/web").replicas(replicas));
    let cluster = cluster.with(replica_set("shop/web-1").of_deployment("web"));
    nodes.iter().enumerate().fold(cluster, |cluster, (number, node)| {
        let pod = pod(&format!("shop/web-{number}")).of_deployment("web").labels([("app", "web")]).on_node(node);
        cluster.with(like(pod))
    })
}

/// A StatefulSet `shop/db` of so many pods.
fn db(cluster: Cluster, nodes: &[&str], like: impl Fn(PodBuilder, usize) -> PodBuilder) -> Cluster {
    let cluster = cluster.with(stateful_set("shop/db").replicas(i64::try_from(nodes.len()).unwrap()));
    nodes.iter().enumerate().fold(cluster, |cluster, (number, node)| {
        let pod = pod(&format!("shop/db-{number}")).of_stateful_set("db").labels([("app", "db")]).on_node(node);
        cluster.with(like(pod, number))
    })
}

fn one_may_go() -> impl Manifest {
    budget("shop/web").max_unavailable(1).selecting([("app", "web")])
}

fn told(forecast: &NodeForecast) -> String {
    let mut told = format!("{:?} {} in {}", forecast.verdict, forecast.pods, forecast.waves);
    for blocker in &forecast.blockers {
        told += &format!("; {} {:?}: {}", blocker.pod, blocker.lasting, blocker.message());
    }
    for interruption in &forecast.interruptions {
        let obstacle = interruption.why.obstacle().map(|obstacle| format!(" {obstacle:?}")).unwrap_or_default();
        told += &format!("; {} {}{obstacle}", interruption.pod, interruption.why.as_str());
    }
    told
}

#[track_caller]
fn check(cluster: &Cluster, node: &str, expected: &str) {
    check_drainer(cluster, node, Drainer::default(), expected);
}

#[track_caller]
fn check_drainer(cluster: &Cluster, node: &str, drainer: Drainer, expected: &str) {
    assert_eq!(told(forecast(cluster, drainer, NOW).node(node).unwrap()), expected);
}

#[test]
fn without_budgets_everything_goes_at_once() {
    check(&web(three(), &["a", "a", "b"]), "a", "Clean 2 in 1");
    check(&three(), "a", "Clean 0 in 0");
}

#[test]
fn what_a_daemon_set_or_the_node_itself_runs_stays_and_is_not_counted() {
    let cluster = three()
        .with(daemon_set("shop/agent"))
        .with(pod("shop/agent-1").of_daemon_set("agent").on_node("a"))
        .with(pod("shop/static-a").of_node("a").on_node("a"));
    check(&cluster, "a", "Clean 0 in 0");
}

#[test]
fn a_budget_that_lets_one_go_takes_a_wave_for_each() {
    let cluster = web(three(), &["a", "a", "b"]).with(one_may_go());
    check(&cluster, "a", "Clean 2 in 2");
    check_drainer(
        &cluster,
        "a",
        Drainer::OnePass,
        "Blocks 2 in 1; shop/web-1 Structural: it needs 2 healthy pods and has 2",
    );
}

#[test]
fn all_pods_on_one_node_behind_a_budget_go_one_by_one() {
    check(&web(three(), &["a", "a"]).with(one_may_go()), "a", "Clean 2 in 2");
}

#[test]
fn the_last_ready_one_is_missed() {
    check(&web(three(), &["a", "a"]), "a", "Interrupts 2 in 1; shop/web-0 LastReady; shop/web-1 LastReady");
    check(&web(three(), &["a"]).with(one_may_go()), "a", "Interrupts 1 in 1; shop/web-0 LastReady");
}

#[test]
fn a_budget_over_a_single_pod_blocks_for_good() {
    let cluster = web(three(), &["a"]).with(budget("shop/web").min_available(1).selecting([("app", "web")]));
    check(&cluster, "a", "Blocks 1 in 0; shop/web-0 Structural: it needs 1 healthy pod and has 1");
    check(&cluster, "b", "Clean 0 in 0");
    let forecast = forecast(&cluster, Drainer::default(), NOW).node("a").unwrap().clone();
    let blocker = &forecast.blockers[0];
    assert!(blocker.remedy.starts_with("run two replicas or more"), "{}", blocker.remedy);
    let patch = "spec:\n  minAvailable: null\n  maxUnavailable: 1\n  unhealthyPodEvictionPolicy: AlwaysAllow\n";
    assert_eq!(blocker.patch.as_deref(), Some(patch));
}

#[test]
fn two_budgets_over_a_pod_block_for_good() {
    let cluster = web(three(), &["a", "b"]).with(one_may_go());
    let cluster = cluster.with(budget("shop/other").max_unavailable(1).selecting([("app", "web")]));
    check(
        &cluster,
        "a",
        "Blocks 1 in 0; shop/web-0 Structural: several budgets cover the same pod, which an eviction can't serve",
    );
}

#[test]
fn a_pod_that_is_not_ready_elsewhere_blocks_for_a_while() {
    let cluster = web(three(), &["a", "b", "c"]).with(one_may_go());
    let sick = pod("shop/web-1").of_deployment("web").labels([("app", "web")]).on_node("b").ready(false);
    let cluster = cluster.with(sick);
    check(&cluster, "a", "Blocks 1 in 0; shop/web-0 Transient: it needs 2 healthy pods and has 2");
    // The sick one itself may go, since the others are as many as are needed.
    check(&cluster, "b", "Clean 1 in 1");
}

#[test]
fn a_pod_that_never_gets_ready_goes_only_where_its_budget_lets_it() {
    let sick = |cluster| web_of(cluster, &["a"], |pod| pod.ready(false));
    check(
        &sick(three()).with(one_may_go()),
        "a",
        "Blocks 1 in 0; shop/web-0 Transient: it needs 0 healthy pods and has 0",
    );
    let always = budget("shop/web").max_unavailable(1).selecting([("app", "web")]).always_allow();
    check(&sick(three()).with(always), "a", "Clean 1 in 1");
}

#[test]
fn what_nobody_makes_again_and_what_begins_anew_is_told() {
    let cluster = three()
        .with(job("shop/copy"))
        .with(pod("shop/copy-1").of_job("copy").on_node("a"))
        .with(pod("shop/debug").on_node("a"))
        .with(pod("shop/copy-0").of_job("copy").on_node("a").finished());
    check(&cluster, "a", "Interrupts 3 in 1; shop/debug BarePod; shop/copy-1 JobPod");
}

#[test]
fn a_pod_of_a_daemon_set_breaks_a_budget_for_good() {
    let failed = budget("shop/web").max_unavailable(1).selecting([("app", "web")]);
    let failed = failed.failed_to_sync("daemonsets.apps does not implement the scale subresource");
    let agent = pod("shop/agent").of_daemon_set("agent").labels([("app", "web")]).on_node("b");
    let cluster = web(three(), &["a", "b"]).with(failed).with(agent);
    check(
        &cluster,
        "a",
        "Blocks 1 in 0; shop/web-0 Structural: the disruption controller has not counted its pods yet",
    );
}

#[test]
fn a_pod_without_a_place_keeps_its_budget_spent() {
    let pinned = |pod: PodBuilder| pod.on_nodes_with("disk", "ssd");
    let cluster = Cluster::default().with(node("a").labels([("disk", "ssd")])).with(node("b"));
    let cluster = web_of(cluster, &["a", "a"], pinned).with(one_may_go());
    check(
        &cluster,
        "a",
        "Blocks 2 in 1; shop/web-1 Structural: it needs 1 healthy pod and has 1; shop/web-0 NoPlace Labels",
    );
}

#[test]
fn where_a_pod_may_not_come_back_is_told() {
    let obstacle = |cluster: Cluster, like: fn(PodBuilder) -> PodBuilder, obstacle: &str| {
        let cluster = web_of(cluster, &["a", "b"], like);
        check(&cluster, "a", &format!("Interrupts 1 in 1; shop/web-0 NoPlace {obstacle}"));
    };
    let two = || Cluster::default().with(node("a"));
    obstacle(two().with(node("b").tainted("gpu", "NoSchedule")), |pod| pod, "Taints");
    obstacle(two().with(node("b").cordoned()), |pod| pod, "Closed");
    obstacle(two().with(node("b").ready(false)), |pod| pod, "Closed");
    obstacle(two().with(node("b").tainted("node.kubernetes.io/disk-pressure", "NoSchedule")), |pod| pod, "Closed");
    obstacle(two().with(node("b").room("1", "1Gi", 1)), |pod| pod, "Room");
    obstacle(two().with(node("b").room("1", "4Gi", 10)), |pod| pod.asking("600m", "1Gi"), "Room");
    obstacle(two().with(node("b")), |pod| pod.apart_from("app", "web", "kubernetes.io/hostname"), "Apart");
}

#[test]
fn a_taint_that_is_borne_and_a_node_that_is_free_are_no_obstacle() {
    let cluster = Cluster::default().with(node("a")).with(node("b").tainted("gpu", "NoSchedule"));
    check(&web_of(cluster, &["a", "b"], |pod| pod.tolerating("gpu")), "a", "Clean 1 in 1");
    let apart = |pod: PodBuilder| pod.apart_from("app", "web", "kubernetes.io/hostname");
    check(&web_of(three(), &["a", "b"], apart), "a", "Clean 1 in 1");
}

#[test]
fn a_node_that_says_nothing_leaves_it_open() {
    let cluster = Cluster::default().with(node("a")).with(node("b").without_status());
    check(&web(cluster, &["a", "b"]), "a", "Interrupts 1 in 1; shop/web-0 PlacementUnknown");
}

#[test]
fn spreading_counts_the_node_that_is_drained() {
    let spread = |pod: PodBuilder| pod.spread_over("kubernetes.io/hostname", "app", "web");
    check(&web_of(three(), &["a", "b", "c"], spread), "a", "Interrupts 1 in 1; shop/web-0 NoPlace Spread");
    check(&web_of(three(), &["a", "b"], spread), "a", "Clean 1 in 1");
}

#[test]
fn spreading_that_honours_taints_leaves_the_drained_node_out() {
    let honoring = |pod: PodBuilder| {
        let constraint = json!({
            "topologyKey": "kubernetes.io/hostname", "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": { "matchLabels": { "app": "web" } }, "nodeTaintsPolicy": "Honor",
        });
        pod.with("/spec/topologySpreadConstraints", json!([constraint]))
    };
    check(&web_of(three(), &["a", "b", "c"], honoring), "a", "Clean 1 in 1");
    let two = || Cluster::default().with(node("a")).with(node("b"));
    check(&web_of(two(), &["a", "a", "b", "b"], honoring).with(one_may_go()), "a", "Clean 2 in 2");
    let strict = |pod: PodBuilder| pod.spread_over("kubernetes.io/hostname", "app", "web");
    check(
        &web_of(two(), &["a", "a", "b", "b"], strict).with(one_may_go()),
        "a",
        "Blocks 2 in 1; shop/web-1 Structural: it needs 3 healthy pods and has 3; shop/web-0 NoPlace Spread",
    );
}

#[test]
fn what_others_keep_away_comes_back_nowhere() {
    let cluster = Cluster::default().with(node("a")).with(node("b"));
    let wary = |name: &str| pod(name).labels([("app", "db")]).apart_from("app", "web", "kubernetes.io/hostname");
    let cluster = web(cluster, &["a"]).with(wary("shop/db").on_node("b"));
    check(&cluster, "a", "Interrupts 1 in 1; shop/web-0 LastReady; shop/web-0 NoPlace Apart");
    let elsewhere = web(three(), &["a", "b"]).with(wary("shop/db").on_node("b"));
    check(&elsewhere, "a", "Clean 1 in 1");
    // Those of another namespace mean their own.
    let foreign = Cluster::default().with(node("a")).with(node("b"));
    check(&web(foreign, &["a", "b"]).with(wary("other/db").on_node("b")), "a", "Clean 1 in 1");
}

#[test]
fn what_bears_a_cordon_comes_back_where_it_was() {
    let bearing = |pod: PodBuilder| pod.tolerating("node.kubernetes.io/unschedulable");
    let one = || Cluster::default().with(node("a").room("1", "4Gi", 10));
    check(&web_of(one(), &["a", "a"], bearing).with(one_may_go()), "a", "Clean 2 in 2");
    let asking = |pod: PodBuilder| bearing(pod).asking("500m", "1Gi");
    check(&web_of(one(), &["a", "a"], asking).with(one_may_go()), "a", "Clean 2 in 2");
    let cordoned = one().with(node("b").cordoned());
    check(&web_of(cordoned, &["a", "a"], bearing).with(one_may_go()), "a", "Clean 2 in 2");
}

#[test]
fn a_volume_keeps_its_pod_where_it_is() {
    let local = |cluster: Cluster| {
        db(cluster, &["a", "b"], |pod, number| pod.mounting(&format!("data-{number}")))
            .with(claim("shop/data-0").bound_to("v0"))
            .with(claim("shop/data-1").bound_to("v1"))
            .with(volume("v0").near("kubernetes.io/hostname", "a").claimed_by("shop/data-0"))
    };
    check(&local(three()), "a", "Interrupts 1 in 1; shop/db-0 NoPlace Volume");
    // Of the other one's volume nothing is known.
    check(&local(three()), "b", "Interrupts 1 in 1; shop/db-1 PlacementUnknown");
    check(&local(three()).with(volume("v1")), "b", "Clean 1 in 1");
    let unbound = db(three(), &["a", "b"], |pod, _| pod.mounting("scratch")).with(claim("shop/scratch"));
    check(&unbound, "a", "Clean 1 in 1");
}

#[test]
fn a_stateful_set_waits_for_those_with_lower_numbers() {
    let pinned = |pod: PodBuilder, number: usize| if number == 0 { pod.on_nodes_with("disk", "ssd") } else { pod };
    let nodes = || Cluster::default().with(node("a").labels([("disk", "ssd")])).with(node("b"));
    let ordered = db(nodes(), &["a", "a", "b"], pinned);
    check(&ordered, "a", "Interrupts 2 in 1; shop/db-0 NoPlace Labels; shop/db-1 WaitsForPredecessor");
    let parallel = stateful_set("shop/db").replicas(3).with("/spec/podManagementPolicy", "Parallel");
    check(&ordered.with(parallel), "a", "Interrupts 2 in 1; shop/db-0 NoPlace Labels");
}

#[test]
fn an_operator_gives_way_while_it_runs_and_another_instance_does() {
    let primary = |cluster: Cluster| {
        let of_cluster = |name: &str| pod(name).owned_by("postgresql.cnpg.io/v1", "Cluster", "pg");
        let budget = budget("shop/pg-primary").min_available(1).selecting([("role", "primary")]);
        cluster.with(of_cluster("shop/pg-1").labels([("role", "primary")]).on_node("a")).with(budget)
    };
    let blocks = "Blocks 1 in 0; shop/pg-1 Structural: it needs 1 healthy pod and has 1";
    check(&primary(three()), "a", blocks);
    let replica = pod("shop/pg-2").owned_by("postgresql.cnpg.io/v1", "Cluster", "pg").on_node("b");
    let with_replica = primary(three()).with(replica);
    check(&with_replica, "a", blocks);
    let operator = || pod("cnpg/operator").labels([("app.kubernetes.io/name", "cloudnative-pg")]).on_node("c");
    check(&with_replica.clone().with(operator()), "a", "Interrupts 1 in 0; shop/pg-1 OperatorGivesWay");
    check(&with_replica.with(operator().ready(false)), "a", blocks);
}

#[test]
fn longhorn_gives_way_while_another_node_has_an_instance_manager() {
    let manager = |cluster: Cluster, node: &str| {
        let name = format!("shop/im-{node}");
        let of_its_own = format!("im-{node}");
        let pod = pod(&name).owned_by("longhorn.io/v1beta2", "InstanceManager", &of_its_own);
        let budget = budget(&name).min_available(1).selecting([("on", node)]);
        cluster.with(pod.labels([("on", node)]).on_node(node)).with(budget)
    };
    let operator = pod("longhorn/manager").labels([("app", "longhorn-manager")]).on_node("c");
    let lone = manager(three(), "a").with(operator);
    check(&lone, "a", "Blocks 1 in 0; shop/im-a Structural: it needs 1 healthy pod and has 1");
    check(&manager(lone, "b"), "a", "Interrupts 1 in 0; shop/im-a OperatorGivesWay");
}

/// `shop/web` of so many pods, all ready since eight o'clock, behind a budget with these counts.
fn counted_as(nodes: &[&str], like: impl Fn(BudgetBuilder) -> BudgetBuilder, counts: (i32, i32, i32)) -> Cluster {
    let budget = budget("shop/web").max_unavailable(1).selecting([("app", "web")]);
    let (healthy, desired, expected) = counts;
    web_of(three(), nodes, |pod| pod.ready_since("2026-11-26T08:00:00Z"))
        .with(like(budget.counted_as(healthy, desired, expected)))
}

#[track_caller]
fn check_at(cluster: &Cluster, at: &str, expected: &str) {
    let drained = forecast(cluster, Drainer::default(), at.parse().unwrap());
    assert_eq!(told(drained.node("a").unwrap()), expected);
}

const SURE: &str = "2026-11-26T08:00:30Z";

#[test]
fn a_status_that_stays_behind_is_stale_after_a_while() {
    let never_counted = counted_as(&["a", "b"], |budget| budget, (0, 0, 0));
    let refused = "Blocks 1 in 0; shop/web-0 Transient: it needs 0 healthy pods and has 0";
    check_at(&never_counted, "2026-11-26T08:00:29Z", refused);
    let stale = "Blocks 1 in 0; shop/web-0 Transient: its status was left stale: it counts 0 of 2 ready pods";
    check_at(&never_counted, SURE, stale);
    let counted_once = counted_as(&["a", "b"], |budget| budget, (1, 1, 2));
    let stale = "Blocks 1 in 0; shop/web-0 Transient: its status was left stale: it counts 1 of 2 ready pods";
    check_at(&counted_once, SURE, stale);
    let drained = forecast(&counted_once, Drainer::default(), SURE.parse().unwrap());
    let blocker = &drained.node("a").unwrap().blockers[0];
    assert!(blocker.remedy.starts_with("annotate the budget"), "{}", blocker.remedy);
    let patch = "metadata:\n  annotations:\n    holdfast.dev/touched: \"1\"\n";
    assert_eq!((blocker.patch.as_deref(), blocker.is_refused()), (Some(patch), true));
    assert_eq!((blocker.cause.reason(), blocker.by()), ("StatusStale", "budget web".to_owned()));
}

#[test]
fn a_status_is_stale_only_where_that_is_sure() {
    let refused = |cluster: &Cluster, said: &str| check_at(cluster, SURE, said);
    let none = "Blocks 1 in 0; shop/web-0 Transient: it needs 0 healthy pods and has 0";
    // One whose end isn't confirmed is left out on purpose.
    let unconfirmed = json!({ "web-1": "2026-11-26T08:00:00Z" });
    let disrupted =
        counted_as(&["a", "b"], |budget| budget.with("/status/disruptedPods", unconfirmed.clone()), (0, 0, 0));
    refused(&disrupted, none);
    // Of a spec that was changed since, nothing is known yet, and it is going to be counted.
    let changed = counted_as(&["a", "b"], |budget| budget.with("/metadata/generation", 2), (0, 0, 0));
    refused(&changed, "Clean 1 in 1");
    // Counted anew it would refuse just the same.
    let all_must_stay =
        counted_as(&["a", "b"], |budget| budget.min_available(2).with("/spec/maxUnavailable", json!(null)), (1, 2, 2));
    refused(&all_must_stay, "Blocks 1 in 0; shop/web-0 Structural: it needs 2 healthy pods and has 1");
    // Another budget over one of its pods keeps it stale, and is what is wrong.
    let other = budget("shop/other").max_unavailable(1).selecting([("app", "web"), ("on", "b")]);
    let on_b = pod("shop/web-1").of_deployment("web").labels([("app", "web"), ("on", "b")]).on_node("b");
    let overlapping = counted_as(&["a", "b"], |budget| budget, (0, 0, 0)).with(on_b).with(other);
    refused(&overlapping, none);
    // Since when they are ready isn't told.
    let undated = web(three(), &["a", "b"])
        .with(budget("shop/web").max_unavailable(1).selecting([("app", "web")]).counted_as(0, 0, 0));
    refused(&undated, none);
    // How many there should be isn't known.
    let custom = pod("shop/web-0").owned_by("example.com/v1", "Web", "web").labels([("app", "web")]).on_node("a");
    let custom = three()
        .with(custom.ready_since("2026-11-26T08:00:00Z"))
        .with(budget("shop/web").max_unavailable(1).selecting([("app", "web")]).counted_as(0, 0, 0));
    refused(&custom, "Blocks 1 in 0; shop/web-0 Structural: it needs 0 healthy pods and has 0");
}

#[test]
fn what_a_budget_is_spent_on_is_what_to_mend() {
    let remedy = |cluster: &Cluster, drainer| {
        let drained = forecast(cluster, drainer, NOW);
        drained.node("a").unwrap().blockers[0].remedy.clone()
    };
    let pair = web(three(), &["a", "a"]).with(one_may_go());
    let said = remedy(&pair, Drainer::OnePass);
    assert!(said.starts_with("let the drainer ask again, or more of its pods go at once"), "{said}");
    let lone = web(Cluster::default().with(node("a")).with(node("b").cordoned()), &["a", "a"]).with(one_may_go());
    for drainer in [Drainer::default(), Drainer::OnePass] {
        assert_eq!(
            remedy(&lone, drainer),
            "let more of its pods go at once, or give the one that went before it another node: the other nodes are cordoned or not ready"
        );
    }
    let never = web(three(), &["a", "a"]).with(budget("shop/web").min_available(2).selecting([("app", "web")]));
    assert_eq!(remedy(&never, Drainer::OnePass), "write maxUnavailable: 1 instead");
}

#[test]
fn a_sequence_goes_through_the_nodes_in_their_order() {
    let cluster = web(three(), &["a"]);
    let order = ["c".into(), "unknown".into(), "a".into()];
    let rolling = Rolling { drainer: Drainer::default(), parallelism: 1, nodes: Some(&order) };
    let nodes = sequence(&cluster, rolling, NOW).nodes;
    let told: Vec<String> = nodes.iter().map(|node| format!("{} {}", node.node, node.pods)).collect();
    assert_eq!(told, ["c 0", "a 1"]);
}

#[test]
fn surplus_pods_are_not_made_again() {
    let cluster = web(three(), &["a", "b", "c"]).with(deployment("shop/web").replicas(2));
    check(&cluster, "a", "Clean 1 in 1");
}

#[test]
fn a_rollout_with_a_pod_too_many_is_no_structural_blocker() {
    // Three are wanted; of two templates there are four, of which one isn't ready yet.
    let young = |pod: PodBuilder| pod.ready(false);
    let cluster = web(three(), &["a", "a", "b"]).with(one_may_go());
    let fourth = young(pod("shop/web-3").of_deployment("web").labels([("app", "web")]).on_node("c"));
    check(&cluster.clone().with(fourth), "a", "Blocks 2 in 1; shop/web-1 Transient: it needs 2 healthy pods and has 2");
    let second = young(pod("shop/web-1").of_deployment("web").labels([("app", "web")]).on_node("a"));
    let cluster =
        cluster.with(second).with(pod("shop/web-3").of_deployment("web").labels([("app", "web")]).on_node("c"));
    check(&cluster, "a", "Clean 2 in 1");
}

#[test]
fn one_after_the_other_stops_where_one_is_stuck() {
    let cluster = web(three(), &["a", "b"]).with(one_may_go());
    let verdicts = |cluster: &Cluster, at_once| {
        let nodes = sequence(cluster, Rolling::all(Drainer::default(), at_once), NOW).nodes;
        nodes
            .iter()
            .map(|node| format!("{} {:?} {}", node.node, node.verdict, node.pods))
            .collect::<Vec<_>>()
            .join(", ")
    };
    // What went from a is on b, and leaves it again.
    assert_eq!(verdicts(&cluster, 1), "a Clean 1, b Clean 2, c Clean 0");
    let blocked = cluster.with(pod("shop/one").of_stateful_set("one").labels([("app", "one")]).on_node("b"));
    let blocked = blocked.with(stateful_set("shop/one").replicas(1));
    let blocked = blocked.with(budget("shop/one").min_available(1).selecting([("app", "one")]));
    assert_eq!(verdicts(&blocked, 1), "a Clean 1, b Blocks 3");
    assert_eq!(sequence(&blocked, Rolling::all(Drainer::default(), 1), NOW).verdict(), Some(Verdict::Blocks));
}

#[test]
fn two_at_a_time_have_fewer_places_to_go() {
    let cluster = Cluster::default().with(node("a")).with(node("b"));
    let cluster = web(cluster, &["a", "b"]);
    let told = |at_once| {
        let nodes = sequence(&cluster, Rolling::all(Drainer::default(), at_once), NOW).nodes;
        nodes.iter().map(super::tests::told).collect::<Vec<_>>()
    };
    assert_eq!(told(1), ["Clean 1 in 1", "Interrupts 2 in 1; shop/web-0 LastReady; shop/web-1 LastReady"]);
    let closed = |pod: &str| format!("Interrupts 1 in 1; {pod} LastReady; {pod} NoPlace Labels");
    assert_eq!(told(2), [closed("shop/web-0"), closed("shop/web-1")]);
}
