//! The decision table of the documentation, row by row: what makes a row apply, and what is just not enough for it.

use holdfast_model::builders::{
    BudgetBuilder, Manifest, WorkloadBuilder, budget, claim, cron_job, daemon_set, deployment, hpa, job, namespace,
    node, pod, replica_set, scaled_object, stateful_set, volume,
};
use holdfast_policy::disruption::{Decision, Outcome, Write};
use holdfast_policy::{Domain, NamespacePlan, Severity};
use rstest::rstest;
use serde_json::{Value, json};

use crate::given;
use crate::world::{World, enforce, report};

/// Plans for the workload `shop/web` and says what it gets, and what is found about it:
/// `maxUnavailable: 1, AlwaysAllow; budget-missing (medium)`.
///
/// The namespace, and a policy `guard` in mode Enforce, are there unless the facts bring their own.
#[track_caller]
fn check(facts: Vec<Value>, plan: &str) {
    let has = |kind: &str| facts.iter().any(|object| object["kind"] == kind);
    let around =
        [(!has("Namespace")).then(|| namespace("shop").build()), (!has("DisruptionPolicy")).then(|| enforce("guard"))];
    let seen = World::of(around.into_iter().flatten().chain(facts)).plan("shop");
    assert_eq!(sentence(&seen), plan);
}

fn sentence(plan: &NamespacePlan) -> String {
    let web = plan.outcomes.iter().find(|outcome| &*outcome.workload.name == "web").expect("there is a workload web");
    let meant = plan.findings.iter().filter(|finding| finding.rule.rule().domain == Domain::Disruption);
    let about = meant.filter(|finding| &*finding.subject.name == "web");
    let about = about.filter(|finding| finding.subject.kind == web.workload.kind.to_string());
    let mut found: Vec<String> = about
        .map(|finding| {
            let excepted = if finding.excepted.is_some() { ", excepted" } else { "" };
            format!("{} ({}{excepted})", finding.rule, finding.severity)
        })
        .collect();
    found.sort();
    let written =
        plan.writes.iter().any(|write| matches!(write, Write::Create(wanted) if wanted.workload == web.workload));
    assert_eq!(written, web.wanted.is_some(), "what is wanted is written, and nothing else");
    std::iter::once(budget_of(web)).chain(found).collect::<Vec<_>>().join("; ")
}

fn budget_of(outcome: &Outcome) -> String {
    if let Some(wanted) = &outcome.wanted {
        return format!("{}, {:?}", wanted.limit, wanted.unhealthy_pods);
    }
    match &outcome.decision {
        Decision::Excepted(_) => "none: excepted".to_owned(),
        Decision::NotSelected => "none: not selected".to_owned(),
        Decision::OperatorOwned(owner) => format!("none: {owner} makes its own"),
        Decision::CustomOwned(owner) => format!("none: belongs to {owner}"),
        Decision::SelectorInvalid(_) => "none: selector invalid".to_owned(),
        Decision::SelectorShared(other) => format!("none: shared with {other:?}"),
        Decision::Yielded(names) => {
            let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
            format!("none: yielded to {}", names.join(", "))
        }
        Decision::ScaledToZero => "none: scaled to zero".to_owned(),
        Decision::Singleton => "none: singleton".to_owned(),
        Decision::Confined(confined) => format!("none: confined {confined:?}"),
        Decision::QuorumPair => "none: two voters".to_owned(),
        Decision::Held(why) => format!("held: {why}"),
        Decision::Budget(_) => "reported only".to_owned(),
    }
}

/// A Deployment of three that gets a budget unless something speaks against it.
fn web() -> WorkloadBuilder {
    deployment("shop/web").replicas(3)
}

fn etcd(replicas: i64) -> WorkloadBuilder {
    stateful_set("shop/web").image("quay.io/coreos/etcd:v3.6").replicas(replicas)
}

fn over_web(name: &str) -> BudgetBuilder {
    budget(&format!("shop/{name}")).max_unavailable(1).selecting([("app", "web")])
}

fn exception(rules: &[&str]) -> Value {
    json!({
        "apiVersion": "holdfast.dev/v1alpha1", "kind": "PolicyException",
        "metadata": { "namespace": "shop", "name": "batch" },
        "spec": {
            "target": { "kind": "Deployment", "name": "web" }, "rules": rules, "reason": "batch only", "owner": "team",
        },
    })
}

const ONE: &str = "maxUnavailable: 1, AlwaysAllow; budget-missing (medium)";

#[rstest]
#[case::an_exception_of_the_rule_that_a_budget_would_cure(
    given![web(), exception(&["budget-missing"])], "none: excepted; budget-missing (medium, excepted)"
)]
#[case::an_exception_of_all_rules(given![web(), exception(&["*"])], "none: excepted; budget-missing (medium, excepted)")]
#[case::an_exception_of_another_rule_stops_nothing(given![web(), exception(&["singleton"])], ONE)]
#[case::an_exception_elsewhere_stops_nothing(
    given![web(), exception(&["*"]).with("/metadata/namespace", "other")], ONE
)]
#[case::no_policy_selects_it(
    given![web(), enforce("guard").with("/spec/workloadSelector/matchLabels/tier", "front")], "none: not selected"
)]
#[case::its_labels_are_selected(
    given![web().labels([("tier", "front")]), enforce("guard").with("/spec/workloadSelector/matchLabels/tier", "front")],
    ONE
)]
#[case::the_labels_of_its_pods_are_not_its_own(
    given![
        web().template([("app", "web"), ("tier", "front")]),
        enforce("guard").with("/spec/workloadSelector/matchLabels/tier", "front"),
    ],
    "none: not selected"
)]
#[case::its_namespace_is_not_selected(
    given![web(), enforce("guard").with("/spec/namespaceSelector/matchLabels/team", "a")], "none: not selected"
)]
#[case::its_namespace_is_selected(
    given![
        web(), namespace("shop").labelled([("team", "a")]),
        enforce("guard").with("/spec/namespaceSelector/matchLabels/team", "a"),
    ],
    ONE
)]
#[case::another_kind(given![web(), enforce("guard").with("/spec/kinds", json!(["StatefulSet"]))], "none: not selected")]
#[case::its_kind_among_others(
    given![web(), enforce("guard").with("/spec/kinds", json!(["StatefulSet", "Deployment"]))], ONE
)]
#[case::in_mode_report_nothing_is_written(given![web(), report("guard")], "reported only; budget-missing (medium)")]
#[case::kube_system_is_a_namespace_like_any_other(given![web(), namespace("shop").labelled([
    ("kubernetes.io/metadata.name", "kube-system"),
])], ONE)]
fn excepted_or_not_selected(#[case] facts: Vec<Value>, #[case] plan: &str) {
    check(facts, plan);
}

#[rstest]
#[case::an_operator_that_makes_its_own(
    given![web().owned_by("postgresql.cnpg.io/v1", "Cluster", "db")], "none: Cluster db makes its own"
)]
#[case::another_custom_resource(
    given![web().owned_by("example.com/v1", "App", "web")],
    "none: belongs to App web; budget-without-controller (info)"
)]
#[case::a_kind_of_the_groups_of_kubernetes_itself_is_no_custom_resource(
    given![web().owned_by("v1", "ConfigMap", "web")], ONE
)]
#[case::through_a_workload(
    given![
        web().owned_by("apps/v1", "StatefulSet", "db"),
        stateful_set("shop/db").owned_by("core.strimzi.io/v1beta2", "StrimziPodSet", "db"),
    ],
    "none: StrimziPodSet db makes its own"
)]
#[case::through_a_workload_of_nobody(
    given![web().owned_by("apps/v1", "StatefulSet", "db"), stateful_set("shop/db")], ONE
)]
#[case::a_workload_that_owns_itself(given![web().owned_by("apps/v1", "Deployment", "web")], ONE)]
fn owned_by_a_custom_resource(#[case] facts: Vec<Value>, #[case] plan: &str) {
    check(facts, plan);
}

#[rstest]
#[case::none(given![web().selector(Value::Null)], "none: selector invalid; selector-invalid (medium)")]
#[case::an_operator_of_a_newer_server(
    given![web().selector(json!({ "matchExpressions": [{ "key": "app", "operator": "Near", "values": ["web"] }] }))],
    "none: selector invalid; selector-invalid (medium)"
)]
#[case::expressions_are_as_good_as_labels(
    given![web().selector(json!({ "matchExpressions": [{ "key": "app", "operator": "In", "values": ["web"] }] }))], ONE
)]
fn no_selector(#[case] facts: Vec<Value>, #[case] plan: &str) {
    check(facts, plan);
}

const APP: [(&str, &str); 1] = [("app", "web")];

#[rstest]
#[case::the_template_of_a_deployment(given![deployment("shop/api").of_pods(APP)], "Deployment api")]
#[case::the_template_of_a_stateful_set(given![stateful_set("shop/db").of_pods(APP)], "StatefulSet db")]
#[case::the_template_of_a_daemon_set(given![daemon_set("shop/agent").of_pods(APP)], "DaemonSet agent")]
#[case::the_template_of_a_replica_set(given![replica_set("shop/old").of_pods(APP)], "ReplicaSet old")]
#[case::the_template_of_a_job(given![job("shop/migrate").template(APP)], "Job migrate")]
#[case::the_template_of_a_cron_job(given![cron_job("shop/backup").template(APP)], "CronJob backup")]
#[case::the_replica_set_of_a_rollout(
    given![replica_set("shop/ro-1").of_pods(APP).owned_by("argoproj.io/v1alpha1", "Rollout", "ro")], "ReplicaSet ro-1"
)]
#[case::a_finished_pod_of_a_job(given![pod("shop/m").labels(APP).of_job("migrate").finished()], "Job migrate")]
#[case::a_pod_of_a_daemon_set(given![pod("shop/m").labels(APP).of_daemon_set("agent")], "DaemonSet agent")]
fn shared_with_a_workload(#[case] others: Vec<Value>, #[case] other: &str) {
    let (kind, name) = other.split_once(' ').unwrap();
    let expected =
        format!("none: shared with Workload(WorkloadRef {{ kind: {kind}, name: {name:?} }}); selector-shared (high)");
    check(others.into_iter().chain(given![web()]).collect(), &expected);
}

#[rstest]
#[case::a_bare_pod(pod("shop/m").labels(APP), "Nobody")]
#[case::a_static_pod(pod("shop/m").labels(APP).of_node("n1"), "Node(\"n1\")")]
#[case::a_pod_of_a_custom_resource(
    pod("shop/m").labels(APP).owned_by("example.com/v1", "App", "x"),
    "Custom(OwnerRef { group: \"example.com\", kind: \"App\", name: \"x\" })"
)]
fn shared_with_a_pod(#[case] pod: impl Manifest, #[case] other: &str) {
    check(given![web(), pod], &format!("none: shared with {other}; selector-shared (high)"));
}

/// Neither gets a budget, since the pod would be under both.
#[test]
fn shared_with_whoever_else_may_claim_a_pod_of_an_unknown_owner() {
    let api = deployment("shop/api").of_pods([("tier", "front")]);
    let pod = pod("shop/p").labels([("app", "web"), ("tier", "front")]).of_deployment("web");
    let shared = "none: shared with Workload(WorkloadRef { kind: Deployment, name: \"api\" }); selector-shared (high)";
    check(given![web(), api.clone(), pod.clone()], shared);
    check(given![web(), api, pod, replica_set("shop/web-1").of_deployment("web")], ONE);
}

#[rstest]
#[case::its_own_pods(given![
    web(), replica_set("shop/web-1").of_deployment("web"), pod("shop/web-1-a").labels(APP).of_deployment("web"),
])]
#[case::its_own_replica_sets(given![web(), replica_set("shop/web-1").of_pods(APP).of_deployment("web")])]
#[case::a_pod_whose_replica_set_is_not_seen_yet(given![web(), pod("shop/web-1-a").labels(APP).of_deployment("web")])]
#[case::a_job_of_other_labels(given![web(), job("shop/migrate"), pod("shop/m").labels([("app", "migrate")]).of_job("x")])]
#[case::a_job_of_another_namespace(given![web(), job("other/migrate").template(APP)])]
#[case::a_job_that_the_selector_leaves_out(given![
    web().template([("app", "web"), ("part", "server")]).selector(json!({
        "matchLabels": { "app": "web" }, "matchExpressions": [{ "key": "part", "operator": "NotIn", "values": ["job"] }],
    })),
    job("shop/migrate").template([("app", "web"), ("part", "job")]),
])]
fn not_shared(#[case] facts: Vec<Value>) {
    check(facts, ONE);
}

#[rstest]
#[case::over_its_pods(given![web(), over_web("theirs")], "none: yielded to theirs")]
#[case::over_its_template_by_another_label(
    given![web().template([("app", "web"), ("team", "a")]), budget("shop/all").max_unavailable(1).selecting([("team", "a")])],
    "none: yielded to all"
)]
#[case::over_everything(given![web(), budget("shop/all").max_unavailable(1).selector(json!({}))], "none: yielded to all")]
#[case::over_one_of_its_pods_by_a_label_that_only_the_pod_has(
    given![
        web(), replica_set("shop/web-1").of_deployment("web"),
        pod("shop/web-1-a").labels([("app", "web"), ("canary", "yes")]).of_deployment("web"),
        budget("shop/canary").min_available(1).selecting([("canary", "yes")]),
    ],
    "none: yielded to canary"
)]
#[case::over_a_pod_whose_replica_set_is_not_seen_yet(
    given![
        web(), pod("shop/web-1-a").labels([("app", "web"), ("canary", "yes")]).of_deployment("web"),
        budget("shop/canary").min_available(1).selecting([("canary", "yes")]),
    ],
    "none: yielded to canary"
)]
#[case::with_our_label_but_not_of_our_making(
    given![web(), over_web("copy").labels([("app.kubernetes.io/managed-by", "holdfast")])], "none: yielded to copy"
)]
#[case::ours_that_somebody_edited(
    given![web(), over_web("web-deployment").ours("guard", "uid-guard", "Deployment/web").edited_by("kubectl-edit")],
    "none: yielded to web-deployment"
)]
#[case::two_of_them(given![web(), over_web("a"), over_web("b")], "none: yielded to a, b")]
#[case::over_other_pods(given![web(), budget("shop/theirs").max_unavailable(1).selecting([("app", "api")])], ONE)]
#[case::in_another_namespace(given![web(), budget("other/theirs").max_unavailable(1).selecting(APP)], ONE)]
#[case::without_a_selector(given![web(), budget("shop/theirs").max_unavailable(1)], ONE)]
#[case::with_a_selector_that_cannot_be_evaluated(
    given![web(), budget("shop/theirs").max_unavailable(1).selector(json!({
        "matchExpressions": [{ "key": "app", "operator": "Near" }],
    }))],
    ONE
)]
fn a_budget_that_is_not_ours(#[case] facts: Vec<Value>, #[case] plan: &str) {
    check(facts, plan);
}

fn scaled(least: i64, most: i64) -> Value {
    hpa("shop/web").of("Deployment", "web").least(least).most(most).build()
}

fn keda() -> holdfast_model::builders::ScalerBuilder {
    scaled_object("shop/web").of("Deployment", "web")
}

#[rstest]
#[case::no_replicas(given![web().replicas(0)], "none: scaled to zero")]
#[case::no_replicas_switch_an_autoscaler_off(given![web().replicas(0), scaled(2, 5)], "none: scaled to zero")]
#[case::no_replicas_come_before_keda(given![web().replicas(0), keda().least(2).most(5)], "none: scaled to zero")]
#[case::keda_paused_at_none(given![web(), keda().most(5).paused_at("0")], "none: scaled to zero")]
#[case::one_replica(given![web().replicas(1)], "none: singleton; singleton (info)")]
#[case::one_replica_unless_told(given![deployment("shop/web")], "none: singleton; singleton (info)")]
#[case::an_autoscaler_of_at_most_one(given![web(), scaled(1, 1)], "none: singleton; singleton (info)")]
#[case::keda_of_none_to_one(given![web(), keda().most(1)], "none: singleton; singleton (info)")]
#[case::two_replicas(given![web().replicas(2)], ONE)]
fn nothing_to_keep(#[case] facts: Vec<Value>, #[case] plan: &str) {
    check(facts, plan);
}

fn on_nvme() -> WorkloadBuilder {
    web().with("/spec/template/spec/nodeSelector/disk", "nvme")
}

/// A StatefulSet of two whose volumes are on these nodes.
fn local(nodes: [&str; 2]) -> Vec<Value> {
    let web = stateful_set("shop/web").replicas(2).with_volume();
    let mut objects = given![web, node("a"), node("b")];
    for (number, at) in nodes.into_iter().enumerate() {
        let (name, volume_name) = (format!("data-{number}"), format!("v{number}"));
        let pod = pod(&format!("shop/web-{number}")).of_stateful_set("web").labels([("app", "web")]).mounting(&name);
        let claimed = format!("shop/{name}");
        objects.extend(given![
            pod,
            claim(&claimed).bound_to(&volume_name),
            volume(&volume_name).near("kubernetes.io/hostname", at).claimed_by(&claimed),
        ]);
    }
    objects
}

#[rstest]
#[case::one_node_has_the_label_that_they_ask_for(
    given![on_nvme(), node("a").labels([("disk", "nvme")]), node("b")],
    "none: confined ToOneNode(Some(\"a\")); budget-would-block (info)"
)]
#[case::no_node_has_it(given![on_nvme(), node("a")], "none: confined ToOneNode(None); budget-would-block (info)")]
#[case::two_have_it(given![on_nvme(), node("a").labels([("disk", "nvme")]), node("b").labels([("disk", "nvme")])], ONE)]
#[case::no_node_is_known(given![on_nvme()], ONE)]
#[case::there_is_one_node(given![web(), node("a")], "none: confined ToOneNode(Some(\"a\")); budget-would-block (info)")]
#[case::the_other_node_has_a_taint_of_its_own(
    given![web(), node("a"), node("b").tainted("gpu", "NoSchedule")],
    "none: confined ToOneNode(Some(\"a\")); budget-would-block (info)"
)]
#[case::the_other_node_is_cordoned_which_ends(given![web(), node("a"), node("b").cordoned()], ONE)]
#[case::the_other_node_is_rebooted_which_ends(
    given![web(), node("a"), node("b").ready(false).tainted("node.kubernetes.io/not-ready", "NoSchedule")], ONE
)]
#[case::their_volumes_are_on_one_node(
    local(["a", "a"]), "none: confined ByVolumes { node: \"a\", pods: 2 }; budget-would-block (info)"
)]
#[case::their_volumes_are_on_two(local(["a", "b"]), ONE)]
#[case::a_singleton_first(given![on_nvme().replicas(1), node("a")], "none: singleton; singleton (info)")]
fn confined(#[case] facts: Vec<Value>, #[case] plan: &str) {
    check(facts, plan);
}

#[rstest]
#[case::three(given![etcd(3)], "maxUnavailable: 1, IfHealthyBudget; budget-missing (medium)")]
#[case::always_one_whatever_the_policy_says(
    given![etcd(5), enforce("guard").with("/spec/maxUnavailable", 2)],
    "maxUnavailable: 1, IfHealthyBudget; budget-missing (medium)"
)]
#[case::four(given![etcd(4)], "maxUnavailable: 1, IfHealthyBudget; budget-missing (medium); quorum-even (low)")]
#[case::two(given![etcd(2)], "none: two voters; quorum-even (high)")]
#[case::one(given![etcd(1)], "none: singleton; singleton (info)")]
#[case::declared_by_annotation(
    given![stateful_set("shop/web").image("postgres:17").voting().replicas(3)],
    "maxUnavailable: 1, IfHealthyBudget; budget-missing (medium)"
)]
#[case::a_deployment_of_etcd_is_none(given![web().image("quay.io/coreos/etcd:v3.6")], ONE)]
fn known_quorum(#[case] facts: Vec<Value>, #[case] plan: &str) {
    check(facts, plan);
}

#[rstest]
#[case::etcd("registry.k8s.io/etcd:3.6.0-0", "", true)]
#[case::by_digest("quay.io/coreos/etcd@sha256:0123", "", true)]
#[case::with_a_port("registry.local:5000/etcd", "", true)]
#[case::zookeeper("docker.io/library/zookeeper:3.9", "", true)]
#[case::consul("hashicorp/consul:1.20", "", true)]
#[case::with_a_maker_before_the_name("acme/acme-etcd:1", "", true)]
#[case::what_only_carries_the_name("acme/etcd-backup:1", "", false)]
#[case::a_path_is_no_name("acme/etcd/tool:1", "", false)]
#[case::openbao_with_raft("quay.io/openbao/openbao:2.4", "storage \"raft\" {}", true)]
#[case::openbao_without("quay.io/openbao/openbao:2.4", "server -dev", false)]
#[case::bao_with_raft("example.com/bao:2", "-config=RAFT.hcl", true)]
#[case::vault_with_raft("hashicorp/vault:1.21", "raft", true)]
#[case::rabbitmq_alone("rabbitmq:4", "", false)]
#[case::rabbitmq_in_a_cluster("rabbitmq:4-management", "RABBITMQ_CLUSTER_NODES", true)]
#[case::nats_alone("nats:2.12", "-m 8222", false)]
#[case::nats_with_jetstream("nats:2.12", "--jetstream", true)]
#[case::nats_beside_it("natsio/nats-server-config-reloader:1", "--jetstream", false)]
#[case::something_else("postgres:17", "cluster raft jetstream", false)]
fn which_images_vote(#[case] image: &str, #[case] argument: &str, #[case] votes: bool) {
    let expected = if votes { "maxUnavailable: 1, IfHealthyBudget" } else { "maxUnavailable: 1, AlwaysAllow" };
    let set = || stateful_set("shop/web").image(image).replicas(3);
    check(given![set().argument(argument)], &format!("{expected}; budget-missing (medium)"));
    check(given![set().env("SETTINGS", argument)], &format!("{expected}; budget-missing (medium)"));
}

#[rstest]
#[case::from_one(given![web(), scaled(1, 5)], ONE)]
#[case::from_none(given![web(), scaled(0, 5)], ONE)]
#[case::keda_from_none(given![web(), keda().most(5)], ONE)]
#[case::keda_idle_at_none(given![web(), keda().least(3).idle(0).most(5), enforce("guard").with("/spec/maxUnavailable", 2)], ONE)]
#[case::a_percentage_becomes_one(given![web(), scaled(1, 5), enforce("guard").with("/spec/maxUnavailable", "50%")], ONE)]
#[case::careful_with_unready_pods_all_the_same(
    given![web(), scaled(1, 5), enforce("guard").with("/spec/unhealthyPodEvictionPolicy", "IfHealthyBudget")], ONE
)]
#[case::scaled_down_to_one_now(given![web().replicas(1), scaled(1, 5)], ONE)]
#[case::from_two_is_no_small_floor(
    given![web(), scaled(2, 5), enforce("guard").with("/spec/unhealthyPodEvictionPolicy", "IfHealthyBudget")],
    "maxUnavailable: 1, IfHealthyBudget; budget-missing (medium)"
)]
fn an_autoscaler_with_a_small_floor(#[case] facts: Vec<Value>, #[case] plan: &str) {
    check(facts, plan);
}

#[rstest]
#[case::a_number_below_the_floor(json!(2), 3, "2")]
#[case::a_number_at_the_floor(json!(3), 3, "2")]
#[case::a_number_over_the_floor(json!(10), 2, "1")]
#[case::a_share_below_the_floor(json!("30%"), 3, "30%")]
#[case::a_share_that_rounds_up_to_less_than_the_floor(json!("50%"), 3, "50%")]
#[case::a_share_that_rounds_up_to_the_floor(json!("67%"), 3, "2")]
#[case::half_of_two(json!("50%"), 2, "50%")]
#[case::just_over_half_of_two(json!("51%"), 2, "1")]
#[case::all(json!("100%"), 7, "6")]
#[case::a_small_share_of_many(json!("5%"), 500, "5%")]
fn how_many_may_go(#[case] asked: Value, #[case] replicas: i64, #[case] expected: &str) {
    let facts = given![web().replicas(replicas), enforce("guard").with("/spec/maxUnavailable", asked)];
    check(facts, &format!("maxUnavailable: {expected}, AlwaysAllow; budget-missing (medium)"));
}

#[rstest]
#[case::keda_before_a_pod_autoscaler(given![web(), keda().least(4).most(9), scaled(2, 2)], "3")]
#[case::the_autoscaler_that_keda_makes_is_not_counted_beside_it(
    given![web(), keda().least(4).most(9), hpa("shop/keda-hpa-web").of("Deployment", "web").least(2).most(9).of_scaled_object("web")],
    "3"
)]
#[case::but_alone_it_tells_the_bounds(
    given![web(), hpa("shop/keda-hpa-web").of("Deployment", "web").least(2).most(9).of_scaled_object("web")], "1"
)]
#[case::keda_paused(given![web(), keda().least(2).most(9).paused_at("6")], "5")]
#[case::an_autoscaler_before_the_replicas(given![web().replicas(9), scaled(4, 12)], "3")]
#[case::an_autoscaler_of_something_else(
    given![web(), hpa("shop/db").of("StatefulSet", "web").least(7).most(9)], "2"
)]
fn bounds(#[case] facts: Vec<Value>, #[case] expected: &str) {
    let policy = enforce("guard").with("/spec/maxUnavailable", "100%");
    let plan = format!("maxUnavailable: {expected}, AlwaysAllow; budget-missing (medium)");
    check(facts.into_iter().chain([policy]).collect(), &plan);
}

/// When several rows would apply, the first one decides.
#[rstest]
#[case::not_selected_before_all(
    given![web().selector(Value::Null), enforce("guard").with("/spec/kinds", json!(["StatefulSet"]))], "none: not selected"
)]
#[case::excepted_before_owned(
    given![web().owned_by("example.com/v1", "App", "x"), exception(&["*"])],
    "none: excepted; budget-missing (medium, excepted)"
)]
#[case::owned_before_invalid(
    given![web().selector(Value::Null).owned_by("postgresql.cnpg.io/v1", "Cluster", "db")],
    "none: Cluster db makes its own"
)]
#[case::shared_before_yielded(
    given![web(), pod("shop/m").labels(APP), over_web("theirs")], "none: shared with Nobody; selector-shared (high)"
)]
#[case::shared_before_scaled_to_zero(
    given![web().replicas(0), pod("shop/m").labels(APP)], "none: shared with Nobody; selector-shared (high)"
)]
#[case::yielded_before_scaled_to_zero(given![web().replicas(0), over_web("theirs")], "none: yielded to theirs")]
#[case::yielded_before_singleton(given![web().replicas(1), over_web("theirs")], "none: yielded to theirs")]
#[case::quorum_before_a_small_floor(
    given![etcd(3), hpa("shop/web").of("StatefulSet", "web").least(1).most(5)],
    "maxUnavailable: 1, IfHealthyBudget; budget-missing (medium)"
)]
#[case::singleton_before_quorum(
    given![etcd(3), hpa("shop/web").of("StatefulSet", "web").least(1).most(1)], "none: singleton; singleton (info)"
)]
fn the_first_row_that_applies_decides(#[case] facts: Vec<Value>, #[case] plan: &str) {
    check(facts, plan);
}

#[test]
fn without_any_policy_everything_is_judged_and_nothing_written() {
    let plan = World::of(given![namespace("shop"), web()]).plan("shop");
    let web = &plan.outcomes[0];
    assert_eq!((&web.policy, web.enforced, &web.wanted), (&None, false, &None));
    assert_eq!(plan.findings.len(), 1);
    assert_eq!((plan.findings[0].severity, &plan.findings[0].policy), (Severity::Medium, &None));
    assert!(plan.writes.is_empty());
}

#[rstest]
#[case::by_priority(&[("a", 0), ("b", 5)], "b", &["a"])]
#[case::by_name_when_equal(&[("b", 5), ("a", 5), ("c", 9)], "c", &["a", "b"])]
#[case::negative_priorities_are_lower(&[("a", -1), ("b", 0)], "b", &["a"])]
fn the_policy_with_the_highest_priority_decides(
    #[case] policies: &[(&str, i64)],
    #[case] decides: &str,
    #[case] overruled: &[&str],
) {
    let policies = policies.iter().map(|(name, priority)| enforce(name).with("/spec/priority", *priority));
    let plan = World::of(given![namespace("shop"), web()].into_iter().chain(policies)).plan("shop");
    let web = &plan.outcomes[0];
    assert_eq!(web.policy.as_deref(), Some(decides));
    assert_eq!(web.overruled.iter().map(|name| name.as_str()).collect::<Vec<_>>(), overruled);
    assert_eq!(web.wanted.as_ref().map(|wanted| wanted.policy.0.as_str()), Some(decides));
}

#[test]
fn daemon_sets_jobs_and_bare_pods_never_get_a_budget() {
    let plan = World::of(given![
        namespace("shop"),
        enforce("guard"),
        daemon_set("shop/agent"),
        job("shop/migrate"),
        cron_job("shop/backup"),
        replica_set("shop/old").replicas(3),
        pod("shop/alone").labels([("app", "alone")]),
    ])
    .plan("shop");
    assert!(plan.outcomes.is_empty() && plan.writes.is_empty(), "{plan:?}");
}
