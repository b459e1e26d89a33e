//! Namespaces on their way to a level: what is written when, and what never is.

use std::time::Duration;

use holdfast_api::{NamespaceSecurityPolicy, NamespaceState};
use holdfast_model::builders::{Manifest, NamespaceBuilder, cron_job, deployment, failed_create, namespace, pod};
use holdfast_model::{Cluster, Text};
use holdfast_pod_security::Level;
use jiff::Timestamp;
use rstest::rstest;
use serde_json::{Value, json};

use super::{Advice, Moment, Progress, Rehearsal, Server, Settings, advise, deciding};
use crate::{Exception, Policies};

const HOUR: Duration = Duration::from_secs(3600);

/// A namespace `shop`, and what is remembered of it.
struct World {
    cluster: Cluster,
    policies: Policies,
    server: Server,
    progress: Progress,
    frozen: bool,
}

/// A policy that enforces up to restricted after a day, with these fields of its spec besides.
fn policy(spec: &Value) -> Settings {
    let mut whole = json!({ "mode": "Enforce", "ceiling": "restricted", "soak": "1d" });
    whole.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    let raw = json!({ "apiVersion": "holdfast.dev/v1alpha1", "kind": "NamespaceSecurityPolicy",
        "metadata": { "name": "levels" }, "spec": whole });
    Settings::try_from(&serde_json::from_value::<NamespaceSecurityPolicy>(raw).unwrap()).unwrap()
}

/// A template that meets restricted.
fn hardened() -> Value {
    json!({ "securityContext": { "runAsNonRoot": true, "seccompProfile": { "type": "RuntimeDefault" } }, "containers": [{
        "name": "app", "securityContext": { "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"] } } }] })
}

/// A template that meets baseline.
fn ordinary() -> Value {
    json!({ "containers": [{ "name": "app" }] })
}

/// A template that meets neither.
fn privileged() -> Value {
    json!({ "hostNetwork": true, "containers": [{ "name": "app" }] })
}

fn web(spec: &Value) -> Value {
    deployment("shop/web").with("/spec/template/spec", spec.clone()).build()
}

impl World {
    fn new(shop: NamespaceBuilder, spec: &Value) -> Self {
        let server = Server { minor: Some(35), own: Some("holdfast".into()), ..Server::default() };
        let cluster = Cluster::default().with(shop).with(web(spec));
        let world =
            Self { cluster, policies: Policies::default(), server, progress: Progress::default(), frozen: false };
        world.under(policy(&json!({})))
    }

    fn under(mut self, settings: Settings) -> Self {
        self.policies = Policies::default().securing([settings], false, self.server.clone());
        self
    }

    fn with(mut self, object: impl Manifest) -> Self {
        self.cluster = self.cluster.with(object);
        self
    }

    /// Looks at it after it has been watched for so long.
    fn after(&mut self, watched: Duration) -> Advice {
        let view = self.cluster.namespace(&"shop".into()).unwrap();
        let (settings, _) = deciding(view.namespace().unwrap(), &self.policies);
        let moment = Moment { watched, now: Timestamp::UNIX_EPOCH, frozen: self.frozen };
        advise(view, settings.as_deref(), &self.policies, &mut self.progress, moment).unwrap()
    }

    /// Looks at it twice, a day apart.
    fn soaked(&mut self) -> Advice {
        self.after(Duration::ZERO);
        self.after(24 * HOUR)
    }

    /// Takes note of what is written, as the controller does, and shows it.
    fn write(mut self, advice: &Advice) -> Self {
        let step = advice.step.as_ref().unwrap();
        self.progress.written(step.labels.keys().cloned());
        let name = |label: &Text| label.rsplit('/').next().unwrap().to_owned();
        let labels = step.labels.iter().map(|(label, value)| (name(label), value.clone()));
        let shop = labels.fold(namespace("shop"), |shop, (label, value)| shop.secured_by_us(&label, &value));
        self.with(shop)
    }
}

/// What is written, as `label=value`.
fn labels(advice: &Advice) -> Vec<String> {
    let step = advice.step.iter().flat_map(|step| &step.labels);
    step.map(|(label, value)| format!("{}={value}", label.rsplit('/').next().unwrap())).collect()
}

const WARNED: [&str; 4] = ["audit=restricted", "audit-version=latest", "warn=restricted", "warn-version=latest"];

fn warned() -> NamespaceBuilder {
    let shop = namespace("shop").secured_by_us("audit", "restricted").secured_by_us("audit-version", "latest");
    shop.secured_by_us("warn", "restricted").secured_by_us("warn-version", "latest")
}

#[test]
fn what_is_met_is_warned_of_at_once_and_enforced_after_the_soak_and_a_rehearsal() {
    let mut world = World::new(namespace("shop"), &hardened());
    let first = world.after(Duration::ZERO);
    assert_eq!((first.state, first.level), (NamespaceState::Soaking, Some(Level::Restricted)));
    assert_eq!(labels(&first), WARNED);
    assert_eq!(first.step.as_ref().unwrap().rehearsal, Rehearsal::None);
    let mut world = world.write(&first);
    let waiting = world.after(23 * HOUR);
    assert_eq!((waiting.state, &waiting.step), (NamespaceState::Soaking, &None));
    assert_eq!(waiting.message.as_deref(), Some("watched for 23h of 1d"));
    assert!(waiting.recheck_after.is_some_and(|after| after <= HOUR));
    let rising = world.after(HOUR);
    assert_eq!(rising.state, NamespaceState::Rising);
    assert_eq!(labels(&rising)[2..4], ["enforce=restricted", "enforce-version=v1.35"]);
    assert!(matches!(rising.step.as_ref().unwrap().rehearsal, Rehearsal::Raise(_)));
    let mut world = world.write(&rising);
    let there = world.after(HOUR);
    assert_eq!((there.state, there.target, there.step), (NamespaceState::Settled, None, None));
}

#[test]
fn a_violation_begins_the_soak_anew_and_nothing_goes_down() {
    let mut world = World::new(warned(), &hardened());
    world.after(Duration::ZERO);
    world.after(23 * HOUR);
    let mut world = world.with(web(&ordinary()));
    let down = world.after(HOUR);
    assert_eq!(
        (down.level, down.target, down.state),
        (Some(Level::Baseline), Some(Level::Baseline), NamespaceState::Rising)
    );
    let labels = labels(&down);
    let stays = ["warn=restricted", "audit=restricted", "enforce=baseline"];
    assert!(
        stays.iter().all(|label| labels.contains(&(*label).to_owned())),
        "baseline was met all the time: {labels:?}"
    );
    let mut world = world.with(web(&hardened()));
    world.after(HOUR);
    assert!(world.progress.soaked(Level::Restricted) < HOUR);
}

#[test]
fn a_stricter_goal_goes_by_way_of_what_has_soaked() {
    let mut world = World::new(warned(), &ordinary());
    world.after(Duration::ZERO);
    world.after(24 * HOUR);
    let mut world = world.with(web(&hardened()));
    let rising = world.after(HOUR);
    assert!(labels(&rising).contains(&"enforce=baseline".to_owned()), "{rising:?}");
}

#[rstest]
#[case::suspended(cron_job("shop/backup").with("/spec/suspend", true).with("/spec/jobTemplate/spec/template/spec", privileged()).build())]
#[case::without_replicas(deployment("shop/old").replicas(0).with("/spec/template/spec", privileged()).build())]
#[case::a_live_pod(pod("shop/agent").with("/spec", privileged()).build())]
fn whatever_may_run_here_counts(#[case] object: Value) {
    let mut world = World::new(namespace("shop"), &hardened()).with(object);
    let advice = world.soaked();
    assert_eq!((advice.level, advice.state, advice.step), (Some(Level::Privileged), NamespaceState::BelowFloor, None));
    assert!(advice.message.unwrap().contains("violates baseline: host namespaces (hostNetwork=true)"));
}

#[test]
fn pods_of_unknown_makers_keep_a_namespace_at_baseline() {
    let bare = pod("shop/of-an-operator").owned_by("example.org/v1", "Thing", "x").with("/spec", hardened());
    let mut world = World::new(namespace("shop"), &hardened()).with(bare);
    let advice = world.after(Duration::ZERO);
    assert_eq!((advice.level, advice.target), (Some(Level::Restricted), Some(Level::Baseline)));
}

#[test]
fn nothing_is_raised_during_an_upgrade() {
    let mut world = World::new(warned(), &hardened());
    world.frozen = true;
    let advice = world.soaked();
    assert_eq!((advice.state, advice.step), (NamespaceState::Waiting, None));
    world.frozen = false;
    assert_eq!(world.after(HOUR).state, NamespaceState::Rising);
}

#[test]
fn a_rehearsal_that_objects_is_tried_again_after_an_hour() {
    let mut world = World::new(warned(), &hardened());
    world.soaked();
    world.progress.refused("existing pods object".to_owned());
    let advice = world.after(HOUR / 2);
    assert_eq!((advice.state, &advice.step), (NamespaceState::Refused, &None));
    assert_eq!((advice.message.as_deref(), advice.recheck_after), (Some("existing pods object"), Some(HOUR / 2)));
    assert_eq!(world.after(HOUR / 2).state, NamespaceState::Rising);
}

#[rstest]
#[case::git(namespace("shop").secured_by("kustomize-controller", "enforce", "privileged"), "its enforce label is left to kustomize-controller")]
#[case::somebody(namespace("shop").secured("enforce", "privileged"), "its enforce label is left to whoever wrote it")]
fn a_label_of_somebody_else_is_left_alone(#[case] shop: NamespaceBuilder, #[case] message: &str) {
    let mut world = World::new(shop, &hardened());
    let advice = world.soaked();
    assert_eq!((advice.state, advice.message.as_deref()), (NamespaceState::Yielded, Some(message)));
    assert_eq!(advice.step, None, "nor is anything written beside it");
}

#[test]
fn a_label_of_ours_that_somebody_takes_away_is_not_put_back() {
    let mut world = World::new(warned(), &hardened());
    let rising = world.soaked();
    let world = world.write(&rising);
    let mut world = world.with(warned());
    let advice = world.after(48 * HOUR);
    assert_eq!((advice.state, advice.step), (NamespaceState::Yielded, None));
    assert_eq!(advice.message.as_deref(), Some("its enforce label is left to whoever took ours away"));
}

#[test]
fn a_warning_that_somebody_takes_away_is_not_put_back() {
    let mut world = World::new(namespace("shop"), &hardened());
    let first = world.after(Duration::ZERO);
    let mut world = world.write(&first).with(namespace("shop"));
    assert_eq!(world.after(HOUR).step, None);
}

#[test]
fn pods_that_are_refused_by_our_level_stop_the_ratchet() {
    let shop = warned().secured_by_us("enforce", "baseline").secured_by_us("enforce-version", "v1.35");
    let said = "violates PodSecurity \"baseline:v1.35\": host namespaces (hostNetwork=true)";
    let mut world = World::new(shop, &hardened()).with(failed_create("shop/web-1.x", "web-1", said));
    let advice = world.soaked();
    assert_eq!((advice.state, advice.step), (NamespaceState::Broken, None));
    assert!(advice.message.unwrap().starts_with("pods of ReplicaSet web-1 are refused: violates"));
    let mut world = World::new(warned(), &hardened()).with(failed_create("shop/web-1.x", "web-1", said));
    assert_eq!(world.soaked().state, NamespaceState::Rising, "it isn't our level that refuses them");
}

#[test]
fn the_version_moves_up_with_the_server_where_everything_meets_it() {
    let shop = || warned().secured_by_us("enforce", "baseline").secured_by_us("enforce-version", "v1.34");
    let under =
        |spec: &Value| World::new(shop(), spec).under(policy(&json!({ "ceiling": "baseline" }))).after(Duration::ZERO);
    assert!(labels(&under(&hardened())).contains(&"enforce-version=v1.35".to_owned()));
    assert_eq!(under(&privileged()).step, None);
}

#[rstest]
#[case::by_name(json!({ "exemptNamespaces": ["shop"] }), "exempt by the policy")]
fn an_exempt_namespace_is_left_alone(#[case] spec: Value, #[case] message: &str) {
    let mut world = World::new(namespace("shop"), &hardened()).under(policy(&spec));
    let advice = world.soaked();
    assert_eq!((advice.state, advice.step), (NamespaceState::Exempt, None));
    assert_eq!(advice.message.as_deref(), Some(message));
}

#[test]
fn the_namespace_that_we_run_in_is_exempt_unless_the_policy_says_which_are() {
    let own = Text::from("holdfast");
    let server = Server { own: Some(own.clone()), ..Server::default() };
    let exempts = |spec: Value, name: &Text, server: &Server| policy(&spec).exempts(name, server).is_some();
    assert!(exempts(json!({}), &own, &server) && exempts(json!({}), &"kube-system".into(), &Server::default()));
    assert!(!exempts(json!({ "exemptNamespaces": [] }), &own, &server));
}

#[test]
fn an_exception_from_the_floor_stops_what_would_cure_it() {
    let raw = json!({ "apiVersion": "holdfast.dev/v1alpha1", "kind": "PolicyException", "metadata": { "name": "later" },
        "spec": { "target": { "kind": "Namespace", "name": "shop" }, "rules": ["level-below-floor"], "reason": "in May", "owner": "me" } });
    let exception = Exception::try_from(&serde_json::from_value(raw).unwrap()).unwrap();
    let mut world = World::new(namespace("shop"), &hardened());
    let policies = Policies::new([], [], [("shop".into(), exception)]);
    world.policies = policies.securing([policy(&json!({}))], false, world.server.clone());
    let advice = world.soaked();
    assert_eq!((advice.state, advice.step), (NamespaceState::Exempt, None));
}

#[test]
fn nothing_is_written_where_nothing_runs_or_all_goes_or_something_cannot_be_read() {
    let mut empty = World::new(namespace("shop"), &hardened());
    empty.cluster = Cluster::default().with(namespace("shop"));
    assert_eq!((empty.soaked().state, empty.soaked().step), (NamespaceState::Empty, None));
    let mut going = World::new(namespace("shop").terminating(), &hardened());
    assert_eq!(going.soaked().step, None);
    let mut unread = World::new(namespace("shop"), &hardened()).with(pod("shop/x").with("/spec/containers", "none"));
    let advice = unread.soaked();
    assert_eq!((advice.state, advice.step), (NamespaceState::Waiting, None));
    assert_eq!(advice.message.as_deref(), Some("a Pod can't be read: nobody can tell what it meets"));
}

#[test]
fn reporting_writes_nothing_and_says_what_would_be() {
    let report = || policy(&json!({ "mode": "Report" }));
    let mut world = World::new(namespace("shop"), &hardened()).under(report());
    assert_eq!((world.soaked().state, world.soaked().step), (NamespaceState::Waiting, None));
    assert_eq!(world.progress.soaked(Level::Restricted), Duration::ZERO, "the soak begins with Enforce");
    let mut world = World::new(namespace("shop"), &privileged()).under(report());
    assert_eq!(world.soaked().state, NamespaceState::BelowFloor);
}

fn written() -> NamespaceBuilder {
    warned().secured_by_us("enforce", "baseline").secured_by_us("enforce-version", "v1.35")
}

#[rstest]
#[case::known_to_be_looser(Some(Level::Privileged), ordinary(), Some((vec![], false)))]
#[case::known_to_be_the_same(Some(Level::Baseline), ordinary(), Some((vec![], false)))]
#[case::known_to_be_stricter_and_all_is_alive(Some(Level::Restricted), ordinary(), Some((vec![], true)))]
#[case::unknown_but_all_meets_restricted(None, hardened(), Some((vec![], true)))]
#[case::unknown_and_something_sleeps(None, privileged(), Some((vec!["enforce=baseline", "enforce-version=v1.35"], false)))]
fn going_back_to_report_takes_labels_back_where_that_tightens_nothing(
    #[case] default: Option<Level>,
    #[case] spec: Value,
    #[case] expected: Option<(Vec<&str>, bool)>,
) {
    let mut world = World::new(written(), &spec);
    if spec == ordinary() {
        world = world
            .with(pod("shop/web-1-x").of_deployment("web").with("/spec", spec.clone()))
            .with(holdfast_model::builders::replica_set("shop/web-1").of_deployment("web"));
    }
    world.server.default = default;
    let mut world = world.under(policy(&json!({ "mode": "Report" })));
    let advice = world.after(Duration::ZERO);
    let step = advice.step.as_ref().map(|step| (labels(&advice), matches!(step.rehearsal, Rehearsal::Withdraw { .. })));
    assert_eq!(step, expected.map(|(labels, asks)| (labels.iter().map(|label| (*label).to_owned()).collect(), asks)));
}

#[test]
fn what_would_tighten_stays_and_is_not_rehearsed_again_and_again() {
    let mut world = World::new(written(), &hardened()).under(policy(&json!({ "mode": "Report" })));
    let advice = world.after(Duration::ZERO);
    let Rehearsal::Withdraw { otherwise } = advice.step.unwrap().rehearsal else { panic!("it is rehearsed") };
    world.progress.refused("pods object".to_owned());
    world.progress.withdrawn(otherwise.into_keys());
    let left = namespace("shop").secured_by_us("enforce", "baseline").secured_by_us("enforce-version", "v1.35");
    let mut world = world.with(left);
    let advice = world.after(HOUR / 2);
    assert_eq!(advice.step, None);
    assert_eq!(advice.message.as_deref(), Some("our enforce label stays: what holds without it might refuse pods"));
    assert!(world.after(HOUR).step.is_some(), "it is asked again after a while");
}

#[test]
fn a_policy_that_cannot_be_read_withdraws_nothing() {
    let mut world = World::new(written(), &hardened());
    world.policies = Policies::default().securing([], true, world.server.clone());
    assert_eq!(world.after(Duration::ZERO).step, None);
}

#[test]
fn what_no_policy_selects_any_more_is_taken_back() {
    let mut world = World::new(written(), &hardened());
    world.server.default = Some(Level::Privileged);
    let elsewhere = policy(&json!({ "namespaceSelector": { "matchLabels": { "team": "other" } } }));
    let mut world = world.under(elsewhere);
    let advice = world.after(Duration::ZERO);
    assert!(advice.step.is_some_and(|step| step.labels.is_empty() && step.withdraws));
}

#[rstest]
#[case::nobody_says(None, "low")]
#[case::restricted_is_asked_for(Some("restricted"), "low")]
#[case::baseline_is_enough(Some("baseline"), "info")]
fn what_only_restricted_forbids_matters_where_a_policy_asks_for_it(
    #[case] ceiling: Option<&str>,
    #[case] severity: &str,
) {
    let cluster = Cluster::default().with(namespace("shop")).with(web(&ordinary()));
    let asked = ceiling.map(|ceiling| policy(&json!({ "ceiling": ceiling })));
    let policies = Policies::default().securing(asked, false, Server::default());
    let plan = crate::plan_namespace(cluster.namespace(&"shop".into()).unwrap(), &policies, Timestamp::UNIX_EPOCH);
    let found = plan.findings.iter().find(|finding| finding.rule == crate::RuleId::CapabilitiesNotDropped).unwrap();
    assert_eq!(found.severity.as_str(), severity);
}

#[test]
fn a_label_of_ours_that_nobody_remembered_is_not_put_back_either() {
    let shop = warned().secured_by_us("enforce", "baseline").secured_by_us("enforce-version", "v1.35");
    let mut world = World::new(shop, &ordinary());
    world.after(Duration::ZERO);
    let mut world = world.with(warned());
    assert_eq!(world.after(48 * HOUR).state, NamespaceState::Yielded);
}

#[test]
fn what_is_found_out_of_the_server_is_no_change_of_what_is_asked_for() {
    let known = Policies::default().securing([], false, Server { minor: Some(35), ..Server::default() });
    assert!(known.asks_for_the_same_budgets(&Policies::default()) && known != Policies::default());
}
