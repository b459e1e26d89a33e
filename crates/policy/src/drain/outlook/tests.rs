//! What files tell of a drain, situation by situation, and that a drain wherever the pods are says the same.

use holdfast_model::builders::{
    Manifest, WorkloadBuilder, budget, cron_job, daemon_set, deployment, helm_release, hpa, job, node, pod,
    replica_set, stateful_set,
};
use holdfast_model::repository::{Action, Chart, Database, Identity, Release, Talos, TalosCluster, TalosNode};
use holdfast_model::{Cluster, ObjectKey, Position, Repository, Subject};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::json;

use super::{Outlook, outlook, stated_nodes};
use crate::drain::{Drainer, Verdict, Why, forecast};

/// No time matters here.
const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn told(outlook: &Outlook) -> String {
    let told = outlook.concerned.iter().map(|it| {
        let verdict = it.fate.verdict().map_or("Unknown", Verdict::as_str);
        let why = it.fate.message().map(|message| format!(": {message}")).unwrap_or_default();
        format!("{} {verdict}{why}", it.subject)
    });
    told.collect::<Vec<_>>().join("; ")
}

#[track_caller]
fn check(cluster: &Cluster, expected: &str) {
    check_on(cluster, None, expected);
}

#[track_caller]
fn check_on(cluster: &Cluster, nodes: Option<u32>, expected: &str) {
    assert_eq!(told(&outlook(cluster, &Repository::default(), nodes)), expected);
}

fn web(replicas: i64) -> WorkloadBuilder {
    deployment("shop/web").replicas(replicas)
}

fn with(replicas: i64) -> Cluster {
    Cluster::default().with(web(replicas))
}

fn one_may_go() -> impl Manifest {
    budget("shop/web").max_unavailable(1).selecting([("app", "web")])
}

const TOGETHER: &str = "no budget holds it back, and all its replicas may be on one node";
const ALONE: &str = "it is the last ready one: nobody serves until another is";

#[test]
fn one_replica_is_missed_and_several_behind_a_budget_are_not() {
    check(&with(1), &format!("Deployment shop/web Interrupts: {ALONE}"));
    check(&with(2), &format!("Deployment shop/web Unknown: {TOGETHER}"));
    check(&with(2).with(one_may_go()), "Deployment shop/web Clean");
    check(&with(1).with(one_may_go()), &format!("Deployment shop/web Interrupts: {ALONE}"));
    // One that lets all of them go holds nobody back.
    let loose = budget("shop/web").max_unavailable(2).selecting([("app", "web")]);
    check(&with(2).with(loose), &format!("Deployment shop/web Unknown: {TOGETHER}"));
    check(&with(0), "");
}

#[test]
fn what_a_budget_refuses_at_full_health_it_refuses_everywhere() {
    let keeps = |pods| budget("shop/web").min_available(pods).selecting([("app", "web")]);
    check(&with(1).with(keeps(1)), "Deployment shop/web Blocks: it needs 1 healthy pod and has 1");
    check(&with(3).with(keeps(3)), "Deployment shop/web Blocks: it needs 3 healthy pods and has 3");
    check(&with(3).with(keeps(2)), "Deployment shop/web Clean");
    let twice = with(3).with(one_may_go()).with(budget("shop/other").max_unavailable(1).selecting([("app", "web")]));
    let several = "several budgets cover the same pod, which an eviction can't serve";
    check(&twice, &format!("Deployment shop/web Blocks: {several}"));
}

#[test]
fn whoever_has_no_scale_breaks_a_budget_for_all() {
    let agent = daemon_set("shop/agent").template([("app", "web")]);
    check(
        &with(2).with(agent.clone()).with(one_may_go()),
        "Deployment shop/web Blocks: the disruption controller can't count its pods: DaemonSet agent has no scale by which its pods are counted",
    );
    let keeps = |pods| budget("shop/web").min_available(pods).selecting([("app", "web")]);
    check(&with(2).with(agent.clone()).with(keeps(1)), "Deployment shop/web Clean");
    check(
        &with(2).with(agent).with(keeps(2)),
        "Deployment shop/web Unknown: its budget covers pods of DaemonSet agent as well, and files don't tell how many there are",
    );
}

#[test]
fn pods_of_a_job_break_a_budget_while_they_are_there() {
    let unsure = |kind: &str| {
        format!(
            "Deployment shop/web Unknown: its budget allows nothing while a pod of {kind} copy is there, a finished one too"
        )
    };
    let of_job = job("shop/copy").template([("app", "web")]);
    check(&with(2).with(of_job).with(one_may_go()), &unsure("Job"));
    let of_cron_job =
        cron_job("shop/copy").with("/spec/jobTemplate/spec/template/metadata/labels", json!({ "app": "web" }));
    check(&with(2).with(of_cron_job).with(one_may_go()), &unsure("CronJob"));
}

#[test]
fn a_budget_over_several_counts_all_of_them() {
    let both = budget("shop/both").max_unavailable(1).selecting([("part", "web")]);
    let part = |workload: WorkloadBuilder| workload.template([("part", "web")]);
    let cluster = Cluster::default().with(part(web(1))).with(part(deployment("shop/api").replicas(1))).with(both);
    let each = format!("Deployment shop/api Interrupts: {ALONE}; Deployment shop/web Interrupts: {ALONE}");
    check(&cluster, &each);
}

#[test]
fn what_no_drain_evicts_or_what_comes_and_goes_is_left_out() {
    let made = Cluster::default().with(daemon_set("shop/agent")).with(job("shop/copy")).with(cron_job("shop/again"));
    check(&made, "");
    assert_eq!(outlook(&made, &Repository::default(), None).verdict(), None);
}

#[test]
fn a_bare_pod_is_lost() {
    let bare = Cluster::default().with(pod("shop/debug"));
    check(&bare, "Pod shop/debug Interrupts: nobody makes it again; kubectl needs --force");
    let covered = Cluster::default().with(pod("shop/web").labels([("app", "web")])).with(one_may_go());
    check(&covered, "Pod shop/web Blocks: it counts no pod that it could let go");
}

#[test]
fn replicas_left_out_are_the_autoscalers_floor() {
    let scaled = |floor| {
        Cluster::default()
            .with(deployment("shop/web"))
            .with(hpa("shop/web").of("Deployment", "web").least(floor).most(6))
            .with(one_may_go())
    };
    check(&scaled(2), "Deployment shop/web Clean");
    check(&scaled(1), &format!("Deployment shop/web Interrupts: {ALONE}"));
}

fn apart(workload: WorkloadBuilder) -> WorkloadBuilder {
    let term = json!({ "labelSelector": { "matchLabels": { "app": "web" } }, "topologyKey": "kubernetes.io/hostname" });
    workload.with(
        "/spec/template/spec/affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution",
        json!([term]),
    )
}

fn even(workload: WorkloadBuilder, skew: u32) -> WorkloadBuilder {
    let constraint = json!({
        "maxSkew": skew, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": { "matchLabels": { "app": "web" } },
    });
    workload.with("/spec/template/spec/topologySpreadConstraints", json!([constraint]))
}

fn on_nas(workload: WorkloadBuilder) -> WorkloadBuilder {
    workload.with("/spec/template/spec/nodeSelector", json!({ "kubernetes.io/hostname": "nas" }))
}

#[test]
fn what_is_kept_apart_is_not_all_on_one_node() {
    let alone = |workload| Cluster::default().with(workload);
    check(&alone(apart(web(2))), "Deployment shop/web Clean");
    check(&alone(even(web(2), 1)), "Deployment shop/web Clean");
    check(&alone(even(web(2), 2)), &format!("Deployment shop/web Unknown: {TOGETHER}"));
    check_on(&alone(apart(web(2))), Some(3), "Deployment shop/web Clean");
}

#[test]
fn as_many_as_there_are_nodes_miss_one_while_a_node_is_away() {
    let both = |workload| Cluster::default().with(workload).with(one_may_go());
    let misses = |why: &str| format!("Deployment shop/web Interrupts: it finds no other node: {why}");
    check_on(&both(apart(web(3))), Some(3), &misses("the other nodes run pods near which it must not run"));
    check_on(&both(even(web(3), 1)), Some(3), &misses("on the other nodes it would be spread too unevenly"));
    check_on(&both(apart(web(3))), Some(4), "Deployment shop/web Clean");
    check_on(&both(even(web(3), 1)), Some(4), "Deployment shop/web Clean");
}

#[test]
fn more_than_there_are_nodes_are_stuck_behind_their_budget() {
    let both = |workload| Cluster::default().with(workload).with(one_may_go());
    check_on(
        &both(apart(web(3))),
        Some(2),
        "Deployment shop/web Blocks: it needs 2 healthy pods and has 2: the other nodes run pods near which it must not run",
    );
    check_on(
        &both(even(web(4), 1)),
        Some(2),
        "Deployment shop/web Blocks: it needs 3 healthy pods and has 3: on the other nodes it would be spread too unevenly",
    );
    // The fullest node has two, of which one finds a place on an emptier one.
    let misses =
        "Deployment shop/web Interrupts: it finds no other node: on the other nodes it would be spread too unevenly";
    check_on(&both(even(web(4), 1)), Some(3), misses);
    // How many fit isn't known, or changes.
    check(&both(apart(web(3))), "Deployment shop/web Clean");
    let scaled = both(apart(web(3))).with(hpa("shop/web").of("Deployment", "web").least(3).most(6));
    check_on(&scaled, Some(2), "Deployment shop/web Clean");
}

#[test]
fn what_is_on_one_node_by_its_name_is_stuck_behind_its_budget() {
    let on_one = |workload| Cluster::default().with(on_nas(workload));
    let labels = "no other node has the labels that it asks for";
    let stuck = format!("Deployment shop/web Blocks: it needs 1 healthy pod and has 1: {labels}");
    check(&on_one(web(2)).with(one_may_go()), &stuck);
    check_on(&on_one(web(2)).with(one_may_go()), Some(1), &stuck);
    check(&on_one(web(2)), &format!("Deployment shop/web Interrupts: it finds no other node: {labels}"));
    check(&on_one(web(1)).with(one_may_go()), &format!("Deployment shop/web Interrupts: {ALONE}"));
    // Of a budget over others too it isn't played.
    let wide = budget("shop/all").max_unavailable(1).selecting([("part", "all")]);
    let part = |workload: WorkloadBuilder| workload.template([("part", "all")]);
    let shared =
        Cluster::default().with(part(on_nas(web(2)))).with(part(deployment("shop/api").replicas(2))).with(wide);
    check(&shared, "Deployment shop/api Clean; Deployment shop/web Clean");
}

fn database(instances: u32, budget: bool) -> Database {
    let subject = Subject { kind: "Cluster", namespace: "data".into(), name: "pg".into() };
    Database { identity: Identity::of(subject), instances, budget, hibernated: false, maintained: false }
}

#[track_caller]
fn check_database(database: Database, expected: &str) {
    let mut repository = Repository::default();
    repository.disruption.databases.push(database);
    assert_eq!(told(&outlook(&Cluster::default(), &repository, None)), expected);
}

#[test]
fn a_cloudnativepg_cluster_has_the_budget_of_its_operator() {
    check_database(database(1, true), "Cluster data/pg Blocks: it needs 1 healthy pod and has 1");
    check_database(database(1, false), &format!("Cluster data/pg Interrupts: {ALONE}"));
    let gives_way = "its budget refuses until CloudNativePG gives way, once the node is cordoned";
    check_database(database(3, true), &format!("Cluster data/pg Interrupts: {gives_way}"));
    check_database(
        database(3, false),
        "Cluster data/pg Unknown: CloudNativePG makes no budget for it, and moves what it can",
    );
    check_database(database(0, true), "");
    check_database(Database { hibernated: true, ..database(1, true) }, "");
    check_database(Database { maintained: true, ..database(1, true) }, &format!("Cluster data/pg Interrupts: {ALONE}"));
}

#[test]
fn who_surely_blocks_decides_before_who_may_and_that_before_who_is_missed() {
    let verdict = |cluster: &Cluster| outlook(cluster, &Repository::default(), None).verdict();
    let clean = with(2).with(one_may_go());
    assert_eq!(verdict(&clean), Some(Verdict::Clean));
    let may_be_missed = clean.with(deployment("shop/two").replicas(2));
    assert_eq!(verdict(&may_be_missed), None);
    let missed = may_be_missed.with(deployment("shop/one"));
    assert_eq!(verdict(&missed), Some(Verdict::Interrupts));
    let over_job = budget("shop/three").max_unavailable(1).selecting([("app", "three")]);
    let may_block = missed
        .with(deployment("shop/three").replicas(3))
        .with(over_job)
        .with(job("shop/copy").template([("app", "three")]));
    assert_eq!(verdict(&may_block), None);
    assert_eq!(outlook(&may_block, &Repository::default(), None).doubtful().count(), 1);
    let blocks = may_block.with(budget("shop/one").min_available(1).selecting([("app", "one")]));
    assert_eq!(verdict(&blocks), Some(Verdict::Blocks));
    let all = outlook(&blocks, &Repository::default(), None);
    let counts = [Some(Verdict::Clean), Some(Verdict::Interrupts), Some(Verdict::Blocks), None].map(|it| all.count(it));
    assert_eq!(counts, [1, 0, 1, 2]);
}

#[test]
fn a_helm_release_without_a_known_workload_is_told_of() {
    let release = |name: &str| Release {
        identity: Identity::of(Subject { kind: "HelmRelease", namespace: "shop".into(), name: name.into() }),
        interval: true,
        chart: Chart::Missing,
        install: Action::default(),
        upgrade: Action::default(),
        drift_detection: false,
        tests: false,
        depends_on: Vec::new(),
        values_from: false,
        names_priority: false,
    };
    let mut repository = Repository::default();
    repository.flux.releases = vec![release("web"), release("other")];
    let labels = [("helm.toolkit.fluxcd.io/name", "web"), ("helm.toolkit.fluxcd.io/namespace", "shop")];
    let made = Cluster::default().with(helm_release("shop/web")).with(web(2).labels(labels));
    assert_eq!(outlook(&made, &repository, None).unseen, [ObjectKey::new("shop", "other")]);
}

#[test]
fn what_two_clusters_have_in_common_counts_once() {
    let one = outlook(&with(1), &Repository::default(), None);
    let mut joined = one.clone();
    joined.join(one.clone());
    assert_eq!(joined, one);
    joined.join(outlook(&with(2), &Repository::default(), None));
    assert_eq!(joined.concerned.len(), 2);
}

#[test]
fn nodes_are_known_of_one_cluster_that_is_described_whole() {
    let described = |nodes: usize| TalosCluster {
        file: Subject { kind: "File", namespace: "".into(), name: "talconfig.yaml".into() },
        at: Position { file: "talconfig.yaml".into(), line: 1, column: 1 },
        nodes: vec![TalosNode { name: "a".into(), control_plane: true, secure_boot: None }; nodes],
    };
    let talos = |clusters: Vec<TalosCluster>| Talos { clusters, ..Talos::default() };
    assert_eq!(stated_nodes(&talos(vec![described(3)]), 1), Some(3));
    assert_eq!(stated_nodes(&talos(vec![described(3)]), 2), None);
    assert_eq!(stated_nodes(&talos(vec![described(3), described(3)]), 1), None);
    assert_eq!(stated_nodes(&talos(vec![]), 1), None);
}

#[derive(Clone, Debug)]
struct Made {
    kind: bool,
    limit: u8,
    /// Of each replica, which of three nodes it is on.
    places: Vec<usize>,
}

fn made() -> impl Strategy<Value = Made> {
    (any::<bool>(), 0..8_u8, prop::collection::vec(0..3_usize, 1..6)).prop_map(|(kind, limit, places)| Made {
        kind,
        limit,
        places,
    })
}

const NODES: [&str; 3] = ["a", "b", "c"];

impl Made {
    fn files(&self) -> Cluster {
        let replicas = i64::try_from(self.places.len()).unwrap();
        let workload = if self.kind { stateful_set("shop/web") } else { deployment("shop/web") };
        let cluster = Cluster::default().with(workload.replicas(replicas));
        let budget = || budget("shop/web").selecting([("app", "web")]);
        match self.limit {
            0 => cluster,
            1 => cluster.with(budget().max_unavailable(1)),
            2 => cluster.with(budget().max_unavailable("50%")),
            3 => cluster.with(budget().max_unavailable(0)),
            4 => cluster.with(budget().min_available(1)),
            5 => cluster.with(budget().min_available(2)),
            6 => cluster.with(budget().min_available("50%")),
            _ => cluster.with(budget().max_unavailable(1)).with(one_may_go_too()),
        }
    }

    fn live(&self) -> Cluster {
        let mut cluster = self.files().with(replica_set("shop/web-1").of_deployment("web"));
        for name in NODES {
            cluster = cluster.with(node(name));
        }
        for (number, place) in self.places.iter().enumerate() {
            let pod = pod(&format!("shop/web-{number}")).labels([("app", "web")]).on_node(NODES[*place]);
            cluster = cluster.with(if self.kind { pod.of_stateful_set("web") } else { pod.of_deployment("web") });
        }
        cluster
    }
}

fn one_may_go_too() -> impl Manifest {
    budget("shop/too").max_unavailable(1).selecting([("app", "web")])
}

proptest! {
    /// Wherever the pods of a healthy cluster are, a drain does to them what files have told.
    #[test]
    fn a_drain_says_the_same_wherever_the_pods_are(made in made()) {
        let told = outlook(&made.files(), &Repository::default(), None);
        let forecast = forecast(&made.live(), Drainer::default(), NOW);
        let hosts = forecast.nodes.iter().filter(|node| 0 < node.pods);
        let misses = |why: Why| forecast.nodes.iter().flat_map(|node| &node.interruptions).any(|felt| felt.why == why);
        match told.verdict() {
            Some(Verdict::Blocks) => prop_assert!(hosts.clone().all(|node| node.verdict == Verdict::Blocks)),
            Some(Verdict::Interrupts) => {
                prop_assert_eq!(forecast.count(Verdict::Blocks), 0);
                prop_assert!(misses(Why::LastReady));
            }
            Some(Verdict::Clean) => prop_assert_eq!(forecast.verdict(), Some(Verdict::Clean)),
            None => {
                prop_assert_eq!(forecast.count(Verdict::Blocks), 0);
                prop_assert_eq!(misses(Why::LastReady), made.places.iter().all(|place| *place == made.places[0]));
            }
        }
    }
}
