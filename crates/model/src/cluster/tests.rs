//! What a change touches, what can't be read, whose pods and whose objects things are.

use std::collections::HashSet;

use rstest::rstest;
use serde_json::{Value, json};

use super::{Cluster, NamespaceView, PodOwner};
use crate::builders::{
    Manifest, budget, claim, daemon_set, deployment, helm_release, hpa, job, kustomization, namespace, node, observe,
    observe_all, pod, replica_set, scaled_object, stateful_set, talos_control_plane, talos_upgrade, unseal,
    upgrade_plan, volume,
};
use crate::{Kind, ObjectKey, Text, Touched, WorkloadKind, WorkloadRef};

fn touched(names: &[&str]) -> Touched {
    match names {
        [] => Touched::Nothing,
        names => Touched::Namespaces(names.iter().map(|name| Text::from(*name)).collect()),
    }
}

fn shop(cluster: &Cluster) -> NamespaceView<'_> {
    cluster.namespace(&"shop".into()).unwrap()
}

fn key(path: &str) -> ObjectKey {
    let (namespace, name) = path.split_once('/').unwrap_or(("", path));
    ObjectKey::new(namespace, name)
}

/// Applies `before`, then `after`, and says what the second one touched.
#[track_caller]
fn check(before: impl Manifest, after: impl Manifest, expected: &[&str]) {
    let mut cluster = Cluster::default();
    observe(&mut cluster, &before.build());
    assert_eq!(observe(&mut cluster, &after.build()), touched(expected));
}

#[test]
fn a_new_object_touches_its_namespace_and_the_same_again_nothing() {
    let mut cluster = Cluster::default();
    let web = deployment("shop/web").build();
    assert_eq!(observe(&mut cluster, &web), touched(&["shop"]));
    assert_eq!(observe(&mut cluster, &web), Touched::Nothing);
    let shop = namespace("shop").build();
    assert_eq!(observe(&mut cluster, &shop), touched(&["shop"]));
    assert_eq!(observe(&mut cluster, &shop), Touched::Nothing);
}

/// Everything else about a budget is looked at at once: one of theirs may overlap, one that was edited is theirs or was.
#[test]
fn only_a_budget_that_is_ours_and_was_nobody_elses_is_an_echo() {
    let ours =
        || budget("shop/web").max_unavailable(1).selecting([("app", "web")]).ours("guard", "u", "Deployment/web");
    let theirs = || budget("shop/web").max_unavailable(1).selecting([("app", "web")]);
    let echo = Touched::Echo("shop".into());
    let second = |before: Value, after: Value| {
        let mut cluster = Cluster::default();
        observe(&mut cluster, &before);
        observe(&mut cluster, &after)
    };
    let mut cluster = Cluster::default();
    assert_eq!(observe(&mut cluster, &ours().build()), echo);
    assert_eq!(observe(&mut cluster, &ours().build()), Touched::Nothing);
    assert_eq!(observe(&mut cluster, &ours().synced().build()), echo);
    assert_eq!(second(ours().build(), ours().edited_by("kubectl-edit").build()), touched(&["shop"]));
    assert_eq!(second(ours().edited_by("kubectl-edit").build(), ours().build()), touched(&["shop"]));
    assert_eq!(second(theirs().build(), ours().build()), touched(&["shop"]));
    assert_eq!(observe(&mut Cluster::default(), &theirs().build()), touched(&["shop"]));
    assert_eq!(cluster.delete(Kind::PodDisruptionBudget, &key("shop/web")), touched(&["shop"]));
}

#[rstest]
#[case::a_deployment(deployment("shop/web").build())]
#[case::a_stateful_set(stateful_set("shop/web").image("etcd:3").build())]
#[case::a_replica_set_of_a_deployment(replica_set("shop/web-1").of_deployment("web").build())]
#[case::a_pod(pod("shop/web-1-a").of_deployment("web").build())]
#[case::a_budget(budget("shop/web").min_available(1).selecting([("app", "web")]).build())]
#[case::an_autoscaler(hpa("shop/web").of("Deployment", "web").most(3).build())]
#[case::a_scaled_object(scaled_object("shop/web").of("Deployment", "web").build())]
#[case::a_release(helm_release("shop/web").listing("shop_web_apps_Deployment").build())]
#[case::a_namespace(namespace("shop").build())]
#[case::an_unseal(unseal("shop/vault").stays_sealed("TokenDead", "it is dead", "Make a new one.").build())]
fn a_new_resource_version_or_an_unread_field_touches_nothing(#[case] object: Value) {
    let later = object.clone().version("2").annotated("example.com/seen", "yes").with("/metadata/generation", 1);
    check(object, later, &[]);
}

#[test]
fn a_status_that_is_not_read_touches_nothing() {
    let web = deployment("shop/web").replicas(3);
    check(web.clone(), web.with("/status/readyReplicas", 2), &[]);
    let running = pod("shop/web-1");
    check(running.clone(), running.with("/status/podIP", "10.0.0.1").with("/spec/priority", 3), &[]);
}

#[test]
fn what_is_read_touches_the_namespace_when_it_changes() {
    let web = deployment("shop/web").replicas(3);
    check(web.clone(), web.clone().replicas(2), &["shop"]);
    check(web.clone(), web.clone().labels([("tier", "front")]), &["shop"]);
    check(web.clone(), web.template([("app", "other")]), &["shop"]);
    check(pod("shop/a"), pod("shop/a").ready(false), &["shop"]);
    check(pod("shop/a"), pod("shop/a").on_node("n1"), &["shop"]);
    check(pod("shop/a"), pod("shop/a").terminating(), &["shop"]);
    check(budget("shop/a"), budget("shop/a").synced(), &["shop"]);
    check(budget("shop/a"), budget("shop/a").edited_by("kubectl"), &["shop"]);
    check(namespace("shop"), namespace("shop").labelled([("team", "a")]), &["shop"]);
    check(namespace("shop"), namespace("shop").terminating(), &["shop"]);
    check(unseal("shop/vault").starts(), unseal("shop/vault").unproven("NoEvidence"), &["shop"]);
}

#[test]
fn the_newest_resource_version_of_a_budget_is_kept_though_it_touches_nothing() {
    let cluster = Cluster::default().with(budget("shop/web")).with(budget("shop/web").version("9"));
    assert_eq!(&*shop(&cluster).budget(&"web".into()).unwrap().version, "9");
}

#[test]
fn deleting_touches_once() {
    let mut cluster = Cluster::default().with(deployment("shop/web")).with(deployment("shop/db"));
    assert_eq!(cluster.delete(Kind::Deployment, &key("shop/web")), touched(&["shop"]));
    assert_eq!(cluster.delete(Kind::Deployment, &key("shop/web")), Touched::Nothing);
    assert_eq!(cluster.delete(Kind::StatefulSet, &key("shop/db")), Touched::Nothing, "another kind");
    assert_eq!(cluster.count(Kind::Deployment), 1);
}

#[test]
fn a_namespace_of_which_nothing_is_known_any_more_is_forgotten() {
    let mut cluster = Cluster::default().with(namespace("shop")).with(pod("shop/a"));
    cluster.delete(Kind::Namespace, &key("shop"));
    assert!(shop(&cluster).namespace().is_none(), "its pod is still there");
    cluster.delete(Kind::Pod, &key("shop/a"));
    assert_eq!(cluster, Cluster::default());
}

#[test]
fn a_reset_removes_what_was_not_listed_and_says_where() {
    let mut cluster = Cluster::default().with(pod("a/x")).with(pod("b/x")).with(pod("c/x")).with(deployment("a/x"));
    let listed = HashSet::from([key("b/x")]);
    assert_eq!(cluster.reset(Kind::Pod, |key| listed.contains(key)), touched(&["a", "c"]));
    assert_eq!(cluster.reset(Kind::Pod, |key| listed.contains(key)), Touched::Nothing);
    assert_eq!((cluster.count(Kind::Pod), cluster.count(Kind::Deployment)), (1, 1));
}

#[test]
fn a_reset_of_every_kind_to_nothing_leaves_nothing() {
    let mut cluster = observe_all(&one_of_each());
    for kind in Kind::ALL {
        assert_eq!(cluster.count(kind), 1, "{kind}");
        cluster.reset(kind, |_| false);
        assert_eq!(cluster.count(kind), 0, "{kind}");
    }
    assert_eq!(cluster, Cluster::default());
}

fn one_of_each() -> Vec<Value> {
    vec![
        namespace("shop").build(),
        deployment("shop/web").build(),
        stateful_set("shop/db").build(),
        daemon_set("shop/agent").build(),
        replica_set("shop/web-1").of_deployment("web").build(),
        job("shop/migrate").build(),
        crate::builders::cron_job("shop/backup").build(),
        pod("shop/web-1-a").of_deployment("web").build(),
        budget("shop/web").build(),
        crate::builders::failed_create("shop/web-1.a", "web-1", "violates PodSecurity"),
        hpa("shop/web").of("Deployment", "web").most(3).build(),
        scaled_object("shop/db").of("StatefulSet", "db").build(),
        helm_release("shop/web").listing("shop_web_apps_Deployment").build(),
        kustomization("shop/apps").build(),
        node("a").build(),
        volume("v").build(),
        claim("shop/data").bound_to("v").build(),
        talos_upgrade("talos").build(),
        crate::builders::kubernetes_upgrade("kubernetes").build(),
        upgrade_plan("shop/agents").build(),
        talos_control_plane("shop/cp").build(),
        unseal("shop/vault").of_stateful_set("vault").starts().build(),
    ]
}

#[test]
fn every_kind_is_read_and_counted() {
    let cluster = observe_all(&one_of_each());
    assert!(Kind::ALL.iter().all(|kind| cluster.count(*kind) == 1));
    assert_eq!(shop(&cluster).unreadable().count(), 0);
}

#[rstest]
#[case(Kind::Deployment, deployment("shop/x").with("/spec/replicas", "three"))]
#[case(Kind::StatefulSet, stateful_set("shop/x").with("/spec/template", "none"))]
#[case(Kind::Pod, pod("shop/x").with("/status/conditions", "Ready"))]
#[case(Kind::PodDisruptionBudget, budget("shop/x").with("/spec/selector/matchLabels", "app=web"))]
#[case(Kind::ScaledObject, scaled_object("shop/x").with("/spec/maxReplicaCount", "ten"))]
#[case(Kind::HelmRelease, helm_release("shop/x").with("/status/inventory/entries", "all"))]
#[case(Kind::Plan, upgrade_plan("shop/x").with("/status/applying", "all"))]
#[case(Kind::VaultTransitUnseal, unseal("shop/x").with("/status/conditions", "all"))]
fn an_object_that_does_not_decode_is_noted_and_stops_nothing(#[case] kind: Kind, #[case] broken: impl Manifest) {
    let mut cluster = Cluster::default().with(deployment("shop/web"));
    let broken = broken.build();
    assert_eq!(observe(&mut cluster, &broken), touched(&["shop"]));
    assert_eq!(observe(&mut cluster, &broken), Touched::Nothing, "the same error again");
    let view = shop(&cluster);
    assert!(view.is_unreadable(kind, None) && view.is_unreadable(kind, Some(&"x".into())));
    assert!(!view.is_unreadable(kind, Some(&"web".into())));
    assert_eq!(view.unreadable().map(|(kind, name, _)| (kind, name.as_str())).collect::<Vec<_>>(), [(kind, "x")]);
    assert_eq!(view.workloads().count(), 1, "the others are still there");
    assert_eq!(cluster.reset(kind, |listed| *listed == key("shop/web")), touched(&["shop"]));
    assert_eq!(cluster, Cluster::default().with(deployment("shop/web")));
}

#[test]
fn what_was_known_of_an_unreadable_object_is_dropped_until_it_can_be_read_again() {
    let good = deployment("shop/web").replicas(3);
    let mut cluster = Cluster::default().with(good.clone()).with(good.clone().with("/spec/replicas", "three"));
    assert_eq!(shop(&cluster).workloads().count(), 0);
    assert_eq!(observe(&mut cluster, &good.clone().build()), touched(&["shop"]));
    assert_eq!(cluster, Cluster::default().with(good));
}

#[test]
fn a_flux_object_that_can_be_read_again_leaves_no_empty_namespace_behind() {
    let good = helm_release("flux/web");
    let cluster = Cluster::default().with(good.clone().with("/status/inventory/entries", "all")).with(good.clone());
    assert_eq!(cluster.namespace_names().count(), 0);
    assert_eq!(cluster, Cluster::default().with(good));
}

#[test]
fn an_unreadable_namespace_is_noted_at_home() {
    let mut cluster = Cluster::default().with(pod("shop/a"));
    cluster.apply_unreadable(Kind::Namespace, &key("shop"), "invalid type");
    assert!(shop(&cluster).is_unreadable(Kind::Namespace, None));
    assert_eq!(cluster.delete(Kind::Namespace, &key("shop")), touched(&["shop"]));
    assert_eq!(cluster, Cluster::default().with(pod("shop/a")));
}

/// Says who owns the pod `shop/p`.
#[track_caller]
fn check_owner(cluster: &Cluster, expected: &PodOwner) {
    let view = shop(cluster);
    let (_, pod) = view.pods().find(|(name, _)| **name == "p").unwrap();
    assert_eq!(&view.owner_of(pod), expected);
}

fn workload(kind: WorkloadKind, name: &str) -> PodOwner {
    PodOwner::Workload(WorkloadRef { kind, name: name.into() })
}

#[test]
fn a_pod_belongs_to_the_deployment_behind_its_replica_set_in_any_order_of_events() {
    let events =
        [deployment("shop/web").build(), replica_set("shop/web-1").of_deployment("web").build(), pod_of_web().build()];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let cluster = observe_all(order.map(|at| &events[at]));
        check_owner(&cluster, &workload(WorkloadKind::Deployment, "web"));
    }
}

fn pod_of_web() -> impl Manifest + Clone {
    pod("shop/p").of_deployment("web")
}

#[test]
fn until_its_replica_set_is_seen_a_pods_owner_is_unknown() {
    let mut cluster = Cluster::default().with(deployment("shop/web")).with(pod_of_web());
    let PodOwner::Unknown(owner) = shop(&cluster).owner_of(shop(&cluster).pods().next().unwrap().1) else {
        panic!("nothing is known of web-1")
    };
    assert_eq!(owner.to_string(), "ReplicaSet web-1");
    let seen = replica_set("shop/web-1").of_deployment("web").build();
    assert_eq!(observe(&mut cluster, &seen), touched(&["shop"]));
    check_owner(&cluster, &workload(WorkloadKind::Deployment, "web"));
    cluster.delete(Kind::ReplicaSet, &key("shop/web-1"));
    assert_eq!(cluster, Cluster::default().with(deployment("shop/web")).with(pod_of_web()));
}

#[test]
fn a_replica_set_that_is_orphaned_stands_for_itself_and_back() {
    let of_web = replica_set("shop/web-1").of_deployment("web");
    let alone = replica_set("shop/web-1");
    let mut cluster = Cluster::default().with(of_web.clone()).with(pod_of_web());
    assert_eq!(observe(&mut cluster, &alone.clone().build()), touched(&["shop"]));
    check_owner(&cluster, &workload(WorkloadKind::ReplicaSet, "web-1"));
    assert_eq!(cluster, Cluster::default().with(alone).with(pod_of_web()));
    assert_eq!(observe(&mut cluster, &of_web.clone().build()), touched(&["shop"]));
    assert_eq!(cluster, Cluster::default().with(of_web).with(pod_of_web()));
}

#[rstest]
#[case::a_bare_pod(pod("shop/p").bare(), PodOwner::Nobody)]
#[case::a_static_pod(pod("shop/p").of_node("n1"), PodOwner::Node("n1".into()))]
#[case::a_job_that_is_not_seen(pod("shop/p").of_job("migrate"), workload(WorkloadKind::Job, "migrate"))]
#[case::a_daemon_set_that_is_not_seen(pod("shop/p").of_daemon_set("agent"), workload(WorkloadKind::DaemonSet, "agent"))]
#[case::a_custom_resource(
    pod("shop/p").owned_by("postgresql.cnpg.io/v1", "Cluster", "db"),
    PodOwner::Custom(crate::OwnerRef { group: "postgresql.cnpg.io".into(), kind: "Cluster".into(), name: "db".into() })
)]
#[case::a_kind_of_the_same_name_in_another_group(
    pod("shop/p").owned_by("apps.kruise.io/v1beta1", "StatefulSet", "db"),
    PodOwner::Custom(crate::OwnerRef { group: "apps.kruise.io".into(), kind: "StatefulSet".into(), name: "db".into() })
)]
fn whose_a_pod_is(#[case] pod: impl Manifest, #[case] expected: PodOwner) {
    check_owner(&Cluster::default().with(pod), &expected);
}

#[test]
fn the_controller_is_the_owner_though_another_is_named_first() {
    let owners = json!([
        { "apiVersion": "v1", "kind": "ConfigMap", "name": "c", "uid": "1" },
        { "apiVersion": "batch/v1", "kind": "Job", "name": "j", "uid": "2", "controller": true },
    ]);
    let cluster = Cluster::default().with(pod("shop/p").with("/metadata/ownerReferences", owners));
    check_owner(&cluster, &workload(WorkloadKind::Job, "j"));
}

/// Says who owns the Deployment `shop/web` in Git.
#[track_caller]
fn check_flux(cluster: &Cluster, expected: Option<&str>) {
    let view = shop(cluster);
    let web = view.workload(&WorkloadRef { kind: WorkloadKind::Deployment, name: "web".into() }).unwrap();
    let owner = view.flux_owner(Kind::Deployment, &web.id.name, &web.flux).map(|owner| owner.to_string());
    assert_eq!(owner.as_deref(), expected);
}

const BY_FLUX: [(&str, &str); 2] =
    [("helm.toolkit.fluxcd.io/name", "labelled"), ("helm.toolkit.fluxcd.io/namespace", "flux")];
const BY_KUSTOMIZATION: [(&str, &str); 2] =
    [("kustomize.toolkit.fluxcd.io/name", "apps"), ("kustomize.toolkit.fluxcd.io/namespace", "flux-system")];

#[test]
fn the_flux_owner_is_told_by_inventory_then_labels_then_annotations_then_kustomization() {
    let web = deployment("shop/web")
        .labels(BY_FLUX)
        .labels(BY_KUSTOMIZATION)
        .labels([("app.kubernetes.io/managed-by", "Helm")])
        .annotated("meta.helm.sh/release-name", "web")
        .annotated("meta.helm.sh/release-namespace", "shop");
    let named = helm_release("flux/annotated").releasing("web").into_namespace("shop");
    let all = Cluster::default().with(web).with(named.clone());

    let listing = helm_release("flux/listed").listing("shop_web_apps_Deployment");
    check_flux(&all.clone().with(listing), Some("HelmRelease flux/listed"));
    check_flux(&all, Some("HelmRelease flux/labelled"));

    let web = deployment("shop/web")
        .labels(BY_KUSTOMIZATION)
        .labels([("app.kubernetes.io/managed-by", "Helm")])
        .annotated("meta.helm.sh/release-name", "web")
        .annotated("meta.helm.sh/release-namespace", "shop");
    check_flux(&Cluster::default().with(web.clone()).with(named), Some("HelmRelease flux/annotated"));
    check_flux(&Cluster::default().with(web), Some("Kustomization flux-system/apps"));
}

#[rstest]
#[case::its_own_name(helm_release("shop/web"), Some("HelmRelease shop/web"))]
#[case::the_target_namespace_and_its_name(
    helm_release("flux/web").into_namespace("shop"), None
)]
#[case::a_release_name(helm_release("shop/x").releasing("web"), Some("HelmRelease shop/x"))]
#[case::another_name(helm_release("shop/x"), None)]
#[case::another_namespace(helm_release("other/web"), None)]
fn annotations_name_the_release_not_the_helm_release(#[case] release: impl Manifest, #[case] expected: Option<&str>) {
    let web = deployment("shop/web")
        .labels([("app.kubernetes.io/managed-by", "Helm")])
        .annotated("meta.helm.sh/release-name", "web")
        .annotated("meta.helm.sh/release-namespace", "shop");
    check_flux(&Cluster::default().with(web).with(release), expected);
}

#[test]
fn a_release_into_another_namespace_is_called_after_it() {
    let web = deployment("shop/web")
        .labels([("app.kubernetes.io/managed-by", "Helm")])
        .annotated("meta.helm.sh/release-name", "shop-web")
        .annotated("meta.helm.sh/release-namespace", "shop");
    let release = helm_release("flux/web").into_namespace("shop");
    check_flux(&Cluster::default().with(web).with(release), Some("HelmRelease flux/web"));
}

#[test]
fn annotations_without_the_label_of_helm_are_a_copy() {
    let web = deployment("shop/web")
        .annotated("meta.helm.sh/release-name", "web")
        .annotated("meta.helm.sh/release-namespace", "shop");
    check_flux(&Cluster::default().with(web).with(helm_release("shop/web")), None);
}

#[test]
fn a_release_touches_the_namespaces_of_what_it_lists_and_listed() {
    let mut cluster = Cluster::default().with(deployment("shop/web"));
    let before = helm_release("flux/web")
        .listing("shop_web_apps_Deployment")
        .listing("_web_rbac.authorization.k8s.io_ClusterRole");
    assert_eq!(observe(&mut cluster, &before.build()), touched(&["flux", "shop"]));
    check_flux(&cluster, Some("HelmRelease flux/web"));
    let after = helm_release("flux/web").listing("db_web_apps_StatefulSet");
    assert_eq!(observe(&mut cluster, &after.build()), touched(&["db", "flux", "shop"]));
    check_flux(&cluster, None);
    assert_eq!(cluster.delete(Kind::HelmRelease, &key("flux/web")), touched(&["db", "flux"]));
    assert_eq!(cluster, Cluster::default().with(deployment("shop/web")));
}

#[test]
fn of_two_releases_that_list_an_object_the_first_by_name_owns_it_in_any_order() {
    let releases = ["flux/b", "flux/a"].map(|path| helm_release(path).listing("shop_web_apps_Deployment").build());
    let web = deployment("shop/web").build();
    check_flux(&observe_all([&web, &releases[0], &releases[1]]), Some("HelmRelease flux/a"));
    check_flux(&observe_all([&releases[1], &releases[0], &web]), Some("HelmRelease flux/a"));
}

#[test]
fn an_opt_out_is_read_from_annotations() {
    let written = deployment("shop/web")
        .annotated("holdfast.dev/ignore", "budget-missing, singleton,,*")
        .annotated("holdfast.dev/reason", "batch only");
    let cluster = Cluster::default().with(written).with(namespace("shop").annotated("holdfast.dev/ignore", "*"));
    let view = shop(&cluster);
    let opt_out = &view.workloads().next().unwrap().opt_out;
    let rules: Vec<&str> = opt_out.rules().iter().map(Text::as_str).collect();
    assert_eq!(
        (rules, opt_out.reason().map(Text::as_str)),
        (vec!["budget-missing", "singleton", "*"], Some("batch only"))
    );
    assert_eq!(view.namespace().unwrap().opt_out.rules().len(), 1);
    assert!(view.namespace().unwrap().opt_out.reason().is_none());
}

#[test]
fn an_upgrade_touches_no_namespace_and_only_when_it_gets_on() {
    let mut cluster = Cluster::default();
    let draining = talos_upgrade("talos").phase("Draining").doing(["a"]);
    assert_eq!(observe(&mut cluster, &draining.clone().build()), Touched::Upgrades);
    assert_eq!(observe(&mut cluster, &draining.clone().with("/status/message", "soon").build()), Touched::Nothing);
    assert_eq!(cluster.upgrades().count(), 1);
    observe(&mut cluster, &draining.with("/status/phase", 7).build());
    assert_eq!((cluster.upgrades().count(), cluster.unreadable(Kind::TalosUpgrade).count()), (0, 1));
    cluster.delete(Kind::TalosUpgrade, &key("talos"));
    assert_eq!(cluster, Cluster::default());
}
