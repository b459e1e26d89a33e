//! What the controller was permitted equals what it used, and what it isn't permitted is told, never tried.
//!
//! On a server that streams lists, one run that does everything:
//! 1. The roles that Helm bound are those of the table `access`: no more, no less, no wildcard, no Secret.
//! 2. No request is outside the table, none is refused, and no row but `list` is unused.
//!
//! On a server that doesn't stream lists, where the role `budgets` isn't bound:
//! 3. Every kind is listed; an Enforce policy says NotPermitted and names what is missing; nothing is tried; it is ready.
//! 4. The role is bound: it enforces, without a restart.
//! 5. The role is taken away while it runs: NotPermitted again, each write tried once at most, then only asked for.
//! 6. It may not watch Pods: not ready, the policy says ViewStale, nothing is written.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use holdfast_api::{ConditionType, DisruptionPolicyStatus, DrainReadiness, NamespaceSecurityPolicy};
use holdfast_controller::access::{Concern, Source};
use holdfast_e2e::rights::{Right, granted_by_roles, granted_by_table, uncovered, unused};
use holdfast_e2e::{
    Cluster, NAMESPACE, PATIENCE, ServiceAccount, Tenant, checkout, deployment, has_condition, lacks_condition,
};
use holdfast_testkit::audit::Mark;
use holdfast_testkit::{AuditEvent, ControlPlane, ControllerProcess, Manifests, eventually};
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding};
use kube::Api;
use kube::api::{DeleteParams, ListParams, PostParams};
use serde_json::{Value, json};

/// What the chart binds to the controller's account.
const BOUND: [Concern; 4] = [Concern::Observe, Concern::Budgets, Concern::PodSecurity, Concern::Lease];
const BUDGETS: &str = "poddisruptionbudgets.policy";
const REVIEWS: &str = "selfsubjectaccessreviews.authorization.k8s.io";

#[tokio::test]
async fn what_was_permitted_is_what_was_used() -> Result<()> {
    let cluster = Cluster::start_with(&json!({ "concerns": { "podSecurityEnforce": true } })).await?;
    let table = granted_by_table(&BOUND);
    let roles = granted_by_roles(&cluster.admin(), "holdfast").await?;
    ensure!(roles == table, "the roles and the table differ:\n{:#?}", roles.symmetric_difference(&table));
    for right in &roles {
        let wild = [&right.verb, &right.group, &right.resource].into_iter().any(|text| text.contains('*'));
        ensure!(!wild && right.resource != "secrets", "{right}");
    }

    let controller = cluster.controller().await?;
    let tenant = Tenant::move_in(cluster.admin(), "used").await?;
    do_everything(&tenant).await?;
    controller.terminate(PATIENCE).await?;

    let used = requests(&cluster)?;
    let refused: Vec<&AuditEvent> = used.iter().filter(|event| event.code == 403).collect();
    ensure!(refused.is_empty(), "{refused:#?}");
    let outside = uncovered(&table, &used);
    ensure!(outside.is_empty(), "not in the table: {outside:#?}");
    let unused = unused(&table, &used);
    let lists: BTreeSet<Right> = table.iter().filter(|right| right.verb == "list").cloned().collect();
    let differing: Vec<&Right> = unused.symmetric_difference(&lists).collect();
    ensure!(differing.is_empty(), "unused, beside lists: {differing:#?}");
    Ok(())
}

/// A budget created, updated and withdrawn, an exception, the drain forecast, an event, a label raised and taken back.
async fn do_everything(tenant: &Tenant) -> Result<()> {
    tenant.govern(json!({})).await?;
    tenant.apply(deployment("used", "web", 4)).await?;
    tenant.apply(deployment("used", "api", 4)).await?;
    tenant.budget("web-deployment").await?;
    tenant.govern(json!({ "maxUnavailable": "50%" })).await?;
    eventually("an updated budget", PATIENCE, async || {
        let spec = tenant.budgets().get("web-deployment").await?.spec.unwrap_or_default();
        ensure!(spec.max_unavailable.is_some_and(|out| serde_json::to_string(&out).is_ok_and(|it| it == "\"50%\"")));
        Ok(())
    })
    .await?;
    tenant
        .apply(json!({
            "apiVersion": "holdfast.dev/v1alpha1", "kind": "PolicyException", "metadata": { "name": "api" },
            "spec": {
                "target": { "kind": "Deployment", "name": "api" }, "rules": ["budget-missing"],
                "reason": "a test", "owner": "e2e",
            },
        }))
        .await?;
    tenant.no_budget("api-deployment").await?;
    eventually("the exception's status", PATIENCE, async || {
        let exceptions: Api<holdfast_api::PolicyException> = Api::namespaced(tenant.client.clone(), "used");
        ensure!(exceptions.get("api").await?.status.is_some());
        Ok(())
    })
    .await?;
    eventually("the drain forecast's status", PATIENCE, async || {
        let readiness: Api<DrainReadiness> = Api::all(tenant.client.clone());
        ensure!(readiness.get(holdfast_api::CLUSTER).await?.status.is_some());
        Ok(())
    })
    .await?;
    let events: Api<Event> = Api::namespaced(tenant.client.clone(), "used");
    eventually("an event about a withdrawal", PATIENCE, async || {
        let events = events.list(&ListParams::default()).await?;
        ensure!(events.iter().any(|event| event.reason.as_deref() == Some("BudgetWithdrawn")));
        Ok(())
    })
    .await?;
    levels(tenant).await
}

async fn levels(tenant: &Tenant) -> Result<()> {
    tenant.enforce_levels(json!({ "soak": "0s" })).await?;
    tenant.enforces(Some("baseline")).await?;
    tenant.enforce_levels(json!({ "mode": "Report" })).await?;
    tenant.enforces(None).await?;
    eventually("a status, and no finalizer", PATIENCE, async || {
        let policies: Api<NamespaceSecurityPolicy> = Api::all(tenant.client.clone());
        let policy = policies.get("used").await?;
        ensure!(policy.metadata.finalizers.is_none() && policy.status.is_some());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_is_not_permitted_is_told_and_not_tried() -> Result<()> {
    let plane = ControlPlane::builder().api_server_argument("--feature-gates=WatchList=false").start().await?;
    let cluster = Cluster::on(plane).await?;
    Manifests::read(&checkout().join("e2e/crds"))?.apply(&cluster.admin(), "e2e").await?;
    cluster.install(&json!({ "concerns": { "budgets": false } })).await?;
    let tenant = Tenant::move_in(cluster.admin(), "lacking").await?;
    tenant.govern(json!({})).await?;
    tenant.apply(deployment("lacking", "web", 2)).await?;
    let controller = cluster.controller().await?;

    nothing_is_tried(&cluster, &tenant).await?;
    let (code, text) = controller.readyz().await?;
    ensure!(code == 200, "{text}");

    bind(&tenant).await?;
    tenant.budget("web-deployment").await?;
    tenant.told(|status| lacks_condition(status, ConditionType::NotPermitted)).await?;

    unbind(&tenant).await?;
    each_write_is_tried_once_at_most(&cluster, &tenant, &controller).await?;
    bind(&tenant).await?;
    controller.terminate(PATIENCE).await?;

    nothing_is_written_without_pods(&cluster, &tenant).await
}

/// Lists only, the condition, and no write of a budget.
async fn nothing_is_tried(cluster: &Cluster, tenant: &Tenant) -> Result<()> {
    not_permitted(tenant).await?;
    let table = granted_by_table(&[Concern::Observe, Concern::Lease]);
    let reads = |verb: &str| table.iter().filter(|right| right.verb == verb).cloned().collect::<BTreeSet<_>>();
    let (lists, watches) = (reads("list"), reads("watch"));
    ensure!(lists.len() == Source::all().count(), "{lists:#?}");
    let used = eventually("each kind listed and watched", PATIENCE, async || {
        let used = requests(cluster)?;
        let (not_listed, not_watched) = (unused(&lists, &used), unused(&watches, &used));
        ensure!(not_listed.is_empty() && not_watched.is_empty(), "{not_listed:#?} {not_watched:#?}");
        Ok(used)
    })
    .await?;
    let tried: Vec<_> = used.iter().filter(|event| event.is_about(BUDGETS) && event.is_write()).collect();
    ensure!(tried.is_empty(), "{tried:#?}");
    let outside = uncovered(&table, &used);
    ensure!(outside.is_empty(), "not in the table: {outside:#?}");
    Ok(())
}

/// Waits for the condition, which names everything that is missing.
async fn not_permitted(tenant: &Tenant) -> Result<()> {
    tenant
        .told(|status: &DisruptionPolicyStatus| {
            let lacking = has_condition(status, ConditionType::NotPermitted, ("True", "NotPermitted"))?;
            let all = format!("create {BUDGETS}, patch {BUDGETS}, delete {BUDGETS}");
            ensure!(lacking.message.contains(&all), "{lacking:?}");
            has_condition(status, ConditionType::Ready, ("True", "Succeeded")).map(drop)
        })
        .await
}

async fn each_write_is_tried_once_at_most(
    cluster: &Cluster,
    tenant: &Tenant,
    controller: &ControllerProcess,
) -> Result<()> {
    const WORKLOADS: usize = 30;
    let mark = cluster.plane.audit().mark()?;
    for index in 0..WORKLOADS {
        tenant.apply(deployment("lacking", &format!("late-{index}"), 2)).await?;
    }
    not_permitted(tenant).await?;
    // Two rounds of asking later still nobody tried again.
    let asked = eventually("two more rounds of asking", PATIENCE, async || {
        let asked = since(cluster, mark)?.iter().filter(|event| event.is_about(REVIEWS)).count();
        ensure!(9 <= asked, "asked {asked} times");
        Ok(asked)
    })
    .await?;
    let events = since(cluster, mark)?;
    let tried: Vec<_> = events.iter().filter(|event| event.is_about(BUDGETS) && event.is_write()).collect();
    ensure!(!tried.is_empty() && tried.len() <= WORKLOADS, "tried {} times", tried.len());
    ensure!(tried.iter().all(|event| event.code == 403), "{tried:#?}");
    ensure!(asked <= 12, "asked {asked} times");
    ensure!(controller.ended()?.is_none() && controller.readyz().await?.0 == 200);
    Ok(())
}

async fn nothing_is_written_without_pods(cluster: &Cluster, tenant: &Tenant) -> Result<()> {
    let roles: Api<ClusterRole> = Api::all(tenant.client.clone());
    let mut observe = roles.get("holdfast-system:holdfast:observe").await?;
    let rules = observe.rules.iter_mut().flatten();
    for rule in rules.filter(|rule| rule.resources.as_ref().is_some_and(|all| all.contains(&"pods".to_owned()))) {
        rule.verbs = vec!["get".to_owned()];
    }
    roles.replace(&observe.metadata.name.clone().unwrap_or_default(), &PostParams::default(), &observe).await?;
    let mark = cluster.plane.audit().mark()?;
    let blind = cluster.controller_builder().await?.start()?;
    tenant
        .told(|status| {
            let stale = has_condition(status, ConditionType::Ready, ("False", "ViewStale"))?;
            ensure!(stale.message.contains("Pod: ") && stale.message.contains("forbidden"), "{stale:?}");
            Ok(())
        })
        .await?;
    let (code, text) = blind.readyz().await?;
    ensure!(code == 503 && text.contains("not in step: Pod\n"), "{code} {text}");
    let tried = since(cluster, mark)?.into_iter().find(|event| event.is_about(BUDGETS) && event.is_write());
    ensure!(tried.is_none(), "{tried:#?}");
    ensure!(blind.ended()?.is_none());
    Ok(())
}

async fn bind(tenant: &Tenant) -> Result<()> {
    tenant.apply(binding()).await?;
    Ok(())
}

async fn unbind(tenant: &Tenant) -> Result<()> {
    let bindings: Api<ClusterRoleBinding> = Api::all(tenant.client.clone());
    bindings.delete("e2e-budgets", &DeleteParams::default()).await?;
    Ok(())
}

fn binding() -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": { "name": "e2e-budgets" },
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "holdfast-system:holdfast:budgets",
        },
        "subjects": [{ "kind": "ServiceAccount", "name": "holdfast", "namespace": NAMESPACE }],
    })
}

/// Everything the controller's account ever asked for.
fn requests(cluster: &Cluster) -> Result<Vec<AuditEvent>> {
    let events = cluster.plane.audit().events()?.into_iter();
    Ok(events.filter(|event| event.user == ServiceAccount::USER).collect())
}

fn since(cluster: &Cluster, mark: Mark) -> Result<Vec<AuditEvent>> {
    let events = cluster.plane.audit().since(mark)?.into_iter();
    Ok(events.filter(|event| event.user == ServiceAccount::USER).collect())
}
