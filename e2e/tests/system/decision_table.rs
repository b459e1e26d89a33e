//! The decision table of DisruptionPolicy on the real API server, row by row in its order, with the real disruption
//! controller and the Eviction API as judges: every budget that is made must let a pod go.
//!
//! 1. A namespace of its own, a policy that selects only it, the objects of the row, and a canary behind them.
//! 2. What is seen then, budgets and findings, is compared with the row's lines; where one of ours is, a pod is evicted
//!    as a dry run.
//! 3. Rows that say "ours is withdrawn" go on from there, and back.
//!
//! Not here: workloads without a selector or with one that doesn't parse, which no API server has accepted for years (the
//! tests of `policy` have them), and the row about placement, which needs volumes.

use std::future::Future;
use std::panic::Location;

use anyhow::{Context as _, Result, anyhow, ensure};
use futures::FutureExt as _;
use futures::future::{LocalBoxFuture, join_all};
use holdfast_e2e::{PATIENCE, ServiceAccount, Shared, Tenant, deployment, namespace, set};
use holdfast_testkit::{Stopwatch, eventually};
use jiff::SignedDuration;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;
use kube::api::{Api, DeleteParams, ListParams};
use serde_json::{Value, json};

const ONE_OF_3: &str = "web-deployment: maxUnavailable 1, AlwaysAllow; 1 of 3 may go";
const SINGLETON: &str = "singleton (info) on Deployment web: a budget that keeps it would block the drain";

/// What a row is about.
struct Row {
    spec: Value,
    objects: Vec<Value>,
    canary: bool,
}

fn row(objects: impl IntoIterator<Item = Value>) -> Row {
    Row { spec: json!({}), objects: objects.into_iter().collect(), canary: true }
}

impl Row {
    /// With these fields in the spec of the policy.
    fn under(self, spec: Value) -> Self {
        Self { spec, ..self }
    }

    /// Without a canary, where it would be treated like the rest: the last object has to tell.
    fn alone(self) -> Self {
        Self { canary: false, ..self }
    }
}

#[track_caller]
fn check<'a>(name: &'a str, row: Row, expected: &'a [&'a str]) -> LocalBoxFuture<'a, Result<()>> {
    let at = Location::caller();
    let story = async move {
        let tenant = settle(name, row).await?;
        tenant.shows(expected).await
    };
    story.map(move |result| result.with_context(|| format!("{name}, at {at}"))).boxed_local()
}

async fn settle(name: &str, row: Row) -> Result<Tenant> {
    let tenant = Shared::tenant(name).await?;
    tenant.govern(row.spec).await?;
    for object in row.objects {
        tenant.apply(object).await?;
    }
    if row.canary {
        tenant.send_canary().await?;
    }
    Ok(tenant)
}

/// All at once, since each mostly waits; every one that fails is told.
async fn all(stories: impl IntoIterator<Item = impl Future<Output = Result<()>>>) -> Result<()> {
    let failed: Vec<String> =
        join_all(stories).await.into_iter().filter_map(|result| Some(format!("{:#}", result.err()?))).collect();
    ensure!(failed.is_empty(), "{}", failed.join("\n\n"));
    Ok(())
}

fn web(replicas: u32) -> Value {
    deployment("", "web", replicas)
}

fn labelled(object: Value, key: &str, value: &str) -> Value {
    set(object, &format!("/metadata/labels/{}", key.replace('/', "~1")), json!(value))
}

fn annotated(object: Value, key: &str, value: &str) -> Value {
    set(object, &format!("/metadata/annotations/{}", key.replace('/', "~1")), json!(value))
}

fn owned(object: Value, api_version: &str, kind: &str, name: &str) -> Value {
    let owner = json!([{ "apiVersion": api_version, "kind": kind, "name": name, "controller": true }]);
    set(object, "/metadata/ownerReferences", owner)
}

fn object(api_version: &str, kind: &str, name: &str, spec: Value) -> Value {
    json!({ "apiVersion": api_version, "kind": kind, "metadata": { "name": name }, "spec": spec })
}

/// A template whose pods look like those of `web`.
fn template() -> Value {
    web(1)["spec"]["template"].clone()
}

fn pod(name: &str) -> Value {
    set(object("v1", "Pod", name, template()["spec"].clone()), "/metadata/labels/app", json!("web"))
}

fn job_spec() -> Value {
    let template = set(template(), "/spec/restartPolicy", json!("Never"));
    json!({ "template": set(template, "/metadata/labels/finishes", json!("true")) })
}

fn stateful(name: &str, replicas: u32, image: &str) -> Value {
    let set_of = set(deployment("", name, replicas), "/kind", json!("StatefulSet"));
    let set_of = set(set_of, "/spec/podManagementPolicy", json!("Parallel"));
    set(set(set_of, "/spec/serviceName", json!(name)), "/spec/template/spec/containers/0/image", json!(image))
}

fn hpa(spec: Value) -> Value {
    let target = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "name": "web" });
    object("autoscaling/v2", "HorizontalPodAutoscaler", "web", set(spec, "/scaleTargetRef", target))
}

fn scaled(spec: Value) -> Value {
    object("keda.sh/v1alpha1", "ScaledObject", "web", set(spec, "/scaleTargetRef/name", json!("web")))
}

fn exception(target: Value, rules: &[&str]) -> Value {
    let spec = json!({ "target": target, "rules": rules, "reason": "a gap at night is fine", "owner": "media team" });
    object("holdfast.dev/v1alpha1", "PolicyException", "calm", spec)
}

fn budget(name: &str, app: &str) -> Value {
    let selector = json!({ "matchLabels": { "app": app } });
    let spec = json!({ "maxUnavailable": 2, "unhealthyPodEvictionPolicy": "AlwaysAllow", "selector": selector });
    object("policy/v1", "PodDisruptionBudget", name, spec)
}

#[tokio::test]
async fn an_excepted_workload_gets_none_and_is_shown_as_excepted() -> Result<()> {
    const BY_EXCEPTION: &str =
        "budget-missing on Deployment web, excepted by PolicyException calm: a gap at night is fine";
    const BY_ANNOTATION: &str =
        "budget-missing on Deployment web, excepted by annotation holdfast.dev/ignore: we sleep at night";
    let opted_out = |object, rules| {
        annotated(annotated(object, "holdfast.dev/ignore", rules), "holdfast.dev/reason", "we sleep at night")
    };
    let by_name = exception(json!({ "kind": "Deployment", "name": "web" }), &["budget-missing"]);
    let by_labels = json!({ "kind": "Deployment", "selector": { "matchLabels": { "tier": "batch" } } });
    let another_rule = exception(json!({ "kind": "Deployment", "name": "web" }), &["selector-shared"]);
    all([
        check("excepted-by-name", row([by_name, web(3)]), &[BY_EXCEPTION]),
        check(
            "excepted-by-labels",
            row([exception(by_labels, &["*"]), labelled(web(3), "tier", "batch")]),
            &[BY_EXCEPTION],
        ),
        check("excepted-by-annotation", row([opted_out(web(3), "singleton, budget-missing")]), &[BY_ANNOTATION]),
        check(
            "excepted-by-namespace",
            row([opted_out(namespace("excepted-by-namespace"), "*"), web(3)]).alone(),
            &[BY_ANNOTATION],
        ),
        check("excepted-from-another-rule", row([another_rule, web(3)]), &[ONE_OF_3]),
    ])
    .await
}

#[tokio::test]
async fn an_exception_withdraws_ours_and_its_end_brings_it_back() -> Result<()> {
    let tenant = settle("excepted-later", row([web(3)])).await?;
    tenant.shows(&[ONE_OF_3]).await?;
    let calm = exception(json!({ "kind": "Deployment", "name": "web" }), &["budget-missing"]);
    tenant.apply(calm.clone()).await?;
    tenant
        .shows(&["budget-missing on Deployment web, excepted by PolicyException calm: a gap at night is fine"])
        .await?;
    tenant.delete(calm).await?;
    tenant.shows(&[ONE_OF_3]).await
}

#[tokio::test]
async fn what_no_policy_selects_gets_none() -> Result<()> {
    let stranger = Shared::tenant("not-selected-namespace-2").await?;
    stranger.apply(web(3)).await?;
    let daemons = set(object("apps/v1", "DaemonSet", "agent", json!({})), "/spec", web(1)["spec"].clone());
    let mut daemons = daemons;
    daemons["spec"].as_object_mut().context("a spec")?.remove("replicas");
    let front = json!({ "workloadSelector": { "matchExpressions": [{ "key": "tier", "operator": "In", "values": ["front"] }] } });
    all([
        check("not-selected-namespace", row([web(3)]), &[ONE_OF_3]),
        check(
            "not-selected-labels",
            row([deployment("", "back", 3), labelled(web(3), "tier", "front")]).under(front).alone(),
            &[ONE_OF_3],
        ),
        check(
            "not-selected-kind",
            row([web(3), stateful("db", 3, "postgres:17")]).under(json!({ "kinds": ["StatefulSet"] })).alone(),
            &["db-statefulset: maxUnavailable 1, AlwaysAllow; 1 of 3 may go"],
        ),
        check("a-daemonset-never", row([daemons]), &[]),
    ])
    .await?;
    stranger.shows(&[]).await
}

#[tokio::test]
async fn what_a_custom_resource_owns_is_left_to_it() -> Result<()> {
    let cluster = object("postgresql.cnpg.io/v1", "Cluster", "db", json!({}));
    let database = object("db.example.com/v1", "Database", "db", json!({}));
    all([
        check(
            "owned-by-an-operator",
            row([cluster, owned(web(3), "postgresql.cnpg.io/v1", "Cluster", "db")]),
            &["1 yielded"],
        ),
        check(
            "owned-by-another",
            row([database, owned(web(3), "db.example.com/v1", "Database", "db")]),
            &["budget-without-controller (info) on Deployment web: Database db"],
        ),
    ])
    .await
}

#[tokio::test]
async fn a_selector_that_others_share_gets_none() -> Result<()> {
    let shared = |other: &str| format!("selector-shared (high) on Deployment web: {other}");
    let cron = json!({ "schedule": "0 3 * * *", "suspend": true, "jobTemplate": { "spec": job_spec() } });
    let daemons = json!({ "selector": { "matchLabels": { "app": "web" } }, "template": template() });
    let second = set(web(2), "/metadata/name", json!("web-2"));
    let database = object("db.example.com/v1", "Database", "db", json!({}));
    let rollout = object("argoproj.io/v1alpha1", "Rollout", "canaries", json!({}));
    let replicas = json!({ "replicas": 0, "selector": { "matchLabels": { "app": "web" } }, "template": template() });
    let replicas =
        owned(object("apps/v1", "ReplicaSet", "of-a-rollout", replicas), "argoproj.io/v1alpha1", "Rollout", "canaries");
    let on_node = set(owned(pod("static"), "v1", "Node", "node-0"), "/spec/nodeName", json!("node-0"));
    all([
        check(
            "shared-with-cronjob",
            row([object("batch/v1", "CronJob", "nightly", cron), web(3)]),
            &[&shared("CronJob nightly")],
        ),
        check(
            "shared-with-daemonset",
            row([object("apps/v1", "DaemonSet", "agent", daemons), web(3)]),
            &[&shared("DaemonSet agent")],
        ),
        check(
            "shared-with-deployment",
            row([web(3), second]),
            &[&shared("Deployment web-2"), "selector-shared (high) on Deployment web-2: Deployment web"],
        ),
        check("shared-with-bare-pod", row([pod("lonely"), web(3)]), &[&shared("without a controller")]),
        check(
            "shared-with-custom-pod",
            row([database, owned(pod("db-0"), "db.example.com/v1", "Database", "db"), web(3)]),
            &[&shared("Database db")],
        ),
        check("shared-with-static-pod", row([on_node, web(3)]), &[&shared("static pods of node node-0")]),
        check("shared-with-rollout", row([rollout, replicas, web(3)]), &[&shared("ReplicaSet of-a-rollout")]),
    ])
    .await
}

#[tokio::test]
async fn a_finished_pod_of_a_job_shares_the_selector_until_it_is_gone() -> Result<()> {
    let tenant = settle("shared-later", row([web(3)])).await?;
    tenant.shows(&[ONE_OF_3]).await?;
    let import = object("batch/v1", "Job", "import", job_spec());
    tenant.apply(import.clone()).await?;
    let pods: Api<Pod> = Api::namespaced(tenant.client.clone(), &tenant.name);
    let finished = eventually("the pod of the Job to have finished", PATIENCE, async || {
        let finished = pods.list(&ListParams::default().fields("status.phase=Succeeded")).await?.items;
        finished.into_iter().next().context("none has")
    })
    .await?;
    tenant.shows(&["selector-shared (high) on Deployment web: Job import"]).await?;
    // A Job that is deleted through the API leaves its pods behind unless told otherwise.
    tenant.delete(import).await?;
    tenant.shows(&["selector-shared (high) on Deployment web: without a controller"]).await?;
    pods.delete(&finished.name_any(), &DeleteParams::default()).await?;
    tenant.shows(&[ONE_OF_3]).await
}

#[tokio::test]
async fn a_foreign_budget_keeps_ours_away() -> Result<()> {
    all([
        check("foreign-before", row([budget("guard", "web"), web(3)]), &["1 yielded", "guard (theirs)"]),
        check(
            "foreign-over-another",
            row([budget("guard", "api"), web(3)]),
            &["guard (theirs)", ONE_OF_3, "budget-matches-nothing (low) on PodDisruptionBudget guard: selector"],
        ),
    ])
    .await
}

#[tokio::test]
async fn a_foreign_budget_makes_ours_go_within_a_second_and_its_end_brings_it_back() -> Result<()> {
    let tenant = settle("foreign-after", row([web(3)])).await?;
    tenant.shows(&[ONE_OF_3]).await?;
    let shared = Shared::get().await?;
    let watch = shared.cluster.plane.stopwatch([shared.controller.id()]);
    tenant.apply(budget("guard", "web")).await?;
    tenant.shows(&["1 yielded", "guard (theirs)"]).await?;
    overlap_ended_in_time(&tenant, &watch).await?;
    tenant.delete(budget("guard", "web")).await?;
    tenant.shows(&[ONE_OF_3]).await
}

/// From the answer to the foreign create until the answer to our delete, by the API server's own clock.
async fn overlap_ended_in_time(tenant: &Tenant, watch: &Stopwatch) -> Result<()> {
    let log = Shared::get().await?.cluster.plane.audit();
    let (began, ended) = eventually("both writes in the audit log", PATIENCE, async || {
        let events = log.events()?.into_iter();
        let events: Vec<_> = events.filter(|event| event.namespace == tenant.name && event.succeeded()).collect();
        let find = |name: &str, verb: &str| {
            let mut writes = events.iter().filter(|event| event.is_about("poddisruptionbudgets.policy"));
            let found = writes.find(|event| event.name == name && event.verb == verb && event.subresource.is_empty());
            found.cloned().with_context(|| format!("no {verb} of {name}"))
        };
        Ok((find("guard", "patch")?, find("web-deployment", "delete")?))
    })
    .await?;
    ensure!(ended.user == ServiceAccount::USER, "{} deleted it", ended.user);
    let lasted = ended.done.duration_since(began.done);
    ensure!(lasted <= watch.allows(SignedDuration::from_secs(1))?, "the overlap lasted {lasted:#}");
    Ok(())
}

#[tokio::test]
async fn nothing_and_one_get_none() -> Result<()> {
    let recreating = set(web(1), "/spec/strategy/type", json!("Recreate"));
    let single = |why: &str| format!("singleton (info) on Deployment web: {why}");
    let claim = json!([{ "name": "data", "persistentVolumeClaim": { "claimName": "data" } }]);
    let mounting = set(web(1), "/spec/template/spec/volumes", claim);
    let paused =
        |replicas| annotated(scaled(json!({ "minReplicaCount": 2 })), "autoscaling.keda.sh/paused-replicas", replicas);
    all([
        check("ceiling-0", row([web(0)]), &[]),
        check("ceiling-0-despite-autoscaler", row([hpa(json!({ "minReplicas": 2, "maxReplicas": 5 })), web(0)]), &[]),
        check("ceiling-0-paused", row([paused("0"), web(3)]), &[]),
        check("ceiling-1", row([web(1)]), &[SINGLETON]),
        check("ceiling-1-recreate", row([recreating]), &[&single("strategy Recreate")]),
        check("ceiling-1-volume", row([mounting]), &[&single("persistent volume")]),
        check(
            "ceiling-1-scaled",
            row([scaled(json!({ "minReplicaCount": 1, "maxReplicaCount": 1 })), web(3)]),
            &[SINGLETON],
        ),
    ])
    .await
}

#[tokio::test]
async fn ours_goes_when_a_workload_is_scaled_to_nothing_or_one() -> Result<()> {
    let tenant = settle("scaled-down", row([web(3)])).await?;
    tenant.shows(&[ONE_OF_3]).await?;
    tenant.apply(web(0)).await?;
    tenant.shows(&[]).await?;
    tenant.apply(web(3)).await?;
    tenant.shows(&[ONE_OF_3]).await?;
    tenant.apply(web(1)).await?;
    tenant.shows(&[SINGLETON]).await
}

#[tokio::test]
async fn voters_go_one_by_one() -> Result<()> {
    let generous = || json!({ "maxUnavailable": "50%" });
    let voters = |replicas| stateful("db", replicas, "quay.io/coreos/etcd:v3.5.21");
    let declared = |replicas| annotated(stateful("db", replicas, "example.com/db:1"), "holdfast.dev/quorum", "true");
    let one_of = |replicas: u32| format!("db-statefulset: maxUnavailable 1, IfHealthyBudget; 1 of {replicas} may go");
    all([
        check("quorum-3", row([voters(3)]).under(generous()), &[&one_of(3)]),
        check("quorum-5-declared", row([declared(5)]).under(generous()), &[&one_of(5)]),
        check(
            "quorum-4",
            row([voters(4)]).under(generous()),
            &[&one_of(4), "quorum-even (low) on StatefulSet db: 4 voters"],
        ),
        check("quorum-2", row([voters(2)]), &["quorum-even (high) on StatefulSet db: 2 voters"]),
    ])
    .await
}

#[tokio::test]
async fn what_may_be_scaled_to_one_keeps_a_budget_that_never_blocks() -> Result<()> {
    // Of neither does anything show: at a floor of 0 or 1 the terms are fixed.
    let strict = || json!({ "maxUnavailable": "50%", "unhealthyPodEvictionPolicy": "IfHealthyBudget" });
    let of = |replicas: u32| format!("web-deployment: maxUnavailable 1, AlwaysAllow; 1 of {replicas} may go");
    let within = |least: u32, most: u32| json!({ "minReplicas": least, "maxReplicas": most });
    all([
        check("hpa-1-to-5-at-1", row([hpa(within(1, 5)), web(1)]).under(strict()), &[&of(1)]),
        check("hpa-1-to-5-at-4", row([hpa(within(1, 5)), web(4)]).under(strict()), &[&of(4)]),
        check("keda-0-at-4", row([scaled(json!({ "maxReplicaCount": 6 })), web(4)]).under(strict()), &[&of(4)]),
        check(
            "keda-idle",
            row([scaled(json!({ "minReplicaCount": 3, "idleReplicaCount": 0 })), web(4)]).under(strict()),
            &[&of(4)],
        ),
    ])
    .await
}

#[tokio::test]
async fn two_and_more_get_what_the_policy_asks_for_less_than_all() -> Result<()> {
    let asked = |amount: Value| json!({ "maxUnavailable": amount });
    let says = |limit: &str, allowed: u32, replicas: u32| {
        format!("web-deployment: maxUnavailable {limit}, AlwaysAllow; {allowed} of {replicas} may go")
    };
    let hpa_2 = || hpa(json!({ "minReplicas": 2, "maxReplicas": 10 }));
    let keda = scaled(json!({ "minReplicaCount": 2, "maxReplicaCount": 6 }));
    let of_keda = owned(hpa(json!({ "minReplicas": 1, "maxReplicas": 6 })), "keda.sh/v1alpha1", "ScaledObject", "web");
    let of_keda = set(of_keda, "/metadata/name", json!("keda-hpa-web"));
    let paused = annotated(scaled(json!({})), "autoscaling.keda.sh/paused-replicas", "3");
    all([
        check("by-default-1", row([web(2)]), &[&says("1", 1, 2)]),
        check("integer-2", row([web(3)]).under(asked(json!(2))), &[&says("2", 2, 3)]),
        check("integer-5-reduced", row([web(3)]).under(asked(json!(5))), &[&says("2", 2, 3)]),
        check("percentage", row([web(4)]).under(asked(json!("50%"))), &[&says("50%", 2, 4)]),
        check("percentage-rounds-up", row([web(5)]).under(asked(json!("30%"))), &[&says("30%", 2, 5)]),
        check("percentage-100-reduced", row([web(3)]).under(asked(json!("100%"))), &[&says("2", 2, 3)]),
        check("percentage-60-of-2-reduced", row([web(2)]).under(asked(json!("60%"))), &[&says("1", 1, 2)]),
        check("percentage-at-the-floor", row([hpa_2(), web(4)]).under(asked(json!("60%"))), &[&says("1", 1, 4)]),
        check("percentage-fits-the-floor", row([hpa_2(), web(4)]).under(asked(json!("50%"))), &[&says("50%", 2, 4)]),
        check("keda-paused-at-3", row([paused, web(3)]).under(asked(json!("50%"))), &[&says("50%", 2, 3)]),
        check("keda-counts-alone", row([keda, of_keda, web(4)]).under(asked(json!("50%"))), &[&says("50%", 2, 4)]),
        check(
            "policy-says-if-healthy",
            row([web(3)]).under(json!({ "unhealthyPodEvictionPolicy": "IfHealthyBudget" })),
            &[
                "web-deployment: maxUnavailable 1, IfHealthyBudget; 1 of 3 may go",
                "drain-blocked-when-unready (low) on PodDisruptionBudget web-deployment: ready",
            ],
        ),
        check(
            "stateful",
            row([stateful("db", 3, "postgres:17")]),
            &["db-statefulset: maxUnavailable 1, AlwaysAllow; 1 of 3 may go"],
        ),
    ])
    .await
}

#[tokio::test]
async fn without_enforcement_the_missing_budget_is_only_told() -> Result<()> {
    let missing = "budget-missing (medium) on Deployment web: 3 replicas";
    check("only-reports", row([web(3)]).under(json!({ "mode": "Report" })).alone(), &[missing]).await
}

#[tokio::test]
async fn a_selector_is_kept_exactly_as_it_is() -> Result<()> {
    let selector = json!({
        "matchLabels": { "app": "web" },
        "matchExpressions": [
            { "key": "tier", "operator": "In", "values": ["b", "a"] },
            { "key": "track", "operator": "NotIn", "values": ["canary"] },
            { "key": "app", "operator": "Exists" },
            { "key": "legacy", "operator": "DoesNotExist" },
        ],
    });
    let workload =
        set(set(web(3), "/spec/selector", selector.clone()), "/spec/template/metadata/labels/tier", json!("a"));
    let tenant = settle("expressions", row([workload])).await?;
    tenant.shows(&[ONE_OF_3]).await?;
    let budget = tenant.budget("web-deployment").await?;
    let written = budget.spec.as_ref().and_then(|spec| spec.selector.clone());
    let written = serde_json::to_value(written.ok_or_else(|| anyhow!("{} has no selector", budget.name_any()))?)?;
    ensure!(written == selector, "{written:#}");
    Ok(())
}
