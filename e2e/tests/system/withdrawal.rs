//! Whatever is deleted, in whatever way: no budget of ours remains, and nothing hangs.
//!
//! 1. While the controller runs: a policy is deleted, deleted with orphans, set to Report; a workload is deleted; a
//!    namespace is deleted.
//! 2. While it doesn't: a policy is deleted, and garbage collection does it alone; one is deleted with orphans, and the
//!    controller does it when it is back.
//! 3. The definition is deleted: everything goes, the controller is not ready and lives; the definition comes back and it
//!    works again, without a restart.
//! 4. `helm uninstall` with its pre-delete hook, while the controller runs: no budget remains and none is made again;
//!    definitions and policies stay. The hook's account may do what it did, and no more.

use anyhow::{Result, ensure};
use holdfast_api::{DisruptionPolicy, NamespaceSecurityPolicy};
use holdfast_controller::access::Concern;
use holdfast_e2e::rights::{Right, granted_by_roles, granted_by_table, uncovered, unused};
use holdfast_e2e::uninstall::{HOOK, uninstall};
use holdfast_e2e::{
    Cluster, NAMESPACE, PATIENCE, ServiceAccount, Tenant, await_budgets, budgets_of_ours, deployment, enforce,
    namespace,
};
use holdfast_testkit::{AuditEvent, ControllerProcess, Manifests, eventually};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PropagationPolicy};
use kube::{Client, Resource, ResourceExt as _};
use serde_json::json;

const DEFINITION: &str = "disruptionpolicies.holdfast.dev";
const TENANTS: [&str; 8] =
    ["deleted", "orphaned", "reported", "emptied", "removed", "collected", "abandoned", "lasting"];

#[tokio::test]
async fn nothing_of_ours_remains_whatever_is_deleted() -> Result<()> {
    let cluster = Cluster::start_with(&json!({ "concerns": { "podSecurityEnforce": true } })).await?;
    let client = cluster.admin();
    let controller = cluster.controller().await?;
    for name in TENANTS {
        let tenant = Tenant::move_in(client.clone(), name).await?;
        tenant.govern(json!({})).await?;
        tenant.apply(deployment(name, "web", 2)).await?;
    }
    for name in TENANTS {
        await_budgets(&client, name, &["web-deployment"]).await?;
    }

    while_it_runs(&cluster, &client).await?;
    controller.terminate(PATIENCE).await?;
    while_it_does_not(&cluster, &client).await?;
    let controller = cluster.controller().await?;
    await_budgets(&client, "abandoned", &[]).await?;
    without_the_definition(&client, &controller).await?;
    by_uninstalling(&cluster, &client, &controller).await?;
    ensure!(controller.ended()?.is_none(), "the controller ended");
    Ok(())
}

async fn while_it_runs(cluster: &Cluster, client: &Client) -> Result<()> {
    let mark = cluster.plane.audit().mark()?;
    let policies: Api<DisruptionPolicy> = Api::all(client.clone());
    policies.delete("deleted", &DeleteParams::default()).await?;
    policies.delete("orphaned", &orphan()).await?;
    let report = Patch::Merge(json!({ "spec": { "mode": "Report" } }));
    policies.patch("reported", &PatchParams::default(), &report).await?;
    Api::<Deployment>::namespaced(client.clone(), "emptied").delete("web", &DeleteParams::default()).await?;
    Manifests::parse(&namespace("removed").to_string())?.delete(client).await?;
    for name in ["deleted", "orphaned", "reported", "emptied", "removed"] {
        await_budgets(client, name, &[]).await?;
    }
    nothing_is_terminating(client).await?;
    await_budgets(client, "lasting", &["web-deployment"]).await?;
    let created: Vec<AuditEvent> = cluster.plane.audit().writes_by(ServiceAccount::USER, mark)?;
    let created: Vec<_> = created.iter().filter(|event| event.is_about("poddisruptionbudgets.policy")).collect();
    ensure!(created.iter().all(|event| event.verb == "delete"), "something was made again: {created:#?}");
    Ok(())
}

async fn while_it_does_not(cluster: &Cluster, client: &Client) -> Result<()> {
    let mark = cluster.plane.audit().mark()?;
    let policies: Api<DisruptionPolicy> = Api::all(client.clone());
    policies.delete("collected", &DeleteParams::default()).await?;
    await_budgets(client, "collected", &[]).await?;
    policies.delete("abandoned", &orphan()).await?;
    nothing_is_terminating(client).await?;
    let budgets: Api<PodDisruptionBudget> = Api::namespaced(client.clone(), "abandoned");
    ensure!(budgets.get("web-deployment").await?.owner_references().is_empty(), "it still has an owner");
    let written = cluster.plane.audit().writes_by(ServiceAccount::USER, mark)?;
    ensure!(written.is_empty(), "garbage collection wasn't alone: {written:#?}");
    Ok(())
}

async fn without_the_definition(client: &Client, controller: &ControllerProcess) -> Result<()> {
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    let definition = definitions.get(DEFINITION).await?;
    definitions.delete(DEFINITION, &DeleteParams::default()).await?;
    eventually("no budget of ours, and no definition", PATIENCE, async || {
        let left = budgets_of_ours(client).await?;
        ensure!(left.is_empty(), "{left:?}");
        ensure!(definitions.get_opt(DEFINITION).await?.is_none(), "the definition is still there");
        Ok(())
    })
    .await?;
    eventually("the controller not to be ready", PATIENCE, async || {
        let (code, text) = controller.readyz().await?;
        ensure!(code == 503 && text.contains("not in step: DisruptionPolicy\n"), "{code} {text}");
        Ok(())
    })
    .await?;
    let (code, text) = controller.livez().await?;
    ensure!(code == 200 && controller.ended()?.is_none(), "{text}");

    let mut again = serde_json::to_value(&definition)?;
    again["apiVersion"] = json!("apiextensions.k8s.io/v1");
    again["kind"] = json!("CustomResourceDefinition");
    again["metadata"] = json!({
        "name": DEFINITION, "labels": definition.labels(), "annotations": definition.annotations(),
    });
    again["status"].take();
    Manifests::parse(&again.to_string())?.apply(client, "e2e").await?;
    Manifests::parse(&enforce("lasting").to_string())?.apply(client, "e2e").await?;
    controller.ready(PATIENCE * 2).await?;
    await_budgets(client, "lasting", &["web-deployment"]).await?;
    Ok(())
}

async fn by_uninstalling(cluster: &Cluster, client: &Client, controller: &ControllerProcess) -> Result<()> {
    let lasting = Tenant { client: client.clone(), name: "lasting".to_owned() };
    lasting.enforce_levels(json!({ "soak": "0s" })).await?;
    lasting.enforces(Some("baseline")).await?;
    let mark = cluster.plane.audit().mark()?;
    let roles = uninstall(cluster, async || granted_by_roles(client, HOOK).await).await?;
    let left = budgets_of_ours(client).await?;
    ensure!(left.is_empty(), "{left:?}");
    lasting.enforces(None).await?;
    let levels = Api::<NamespaceSecurityPolicy>::all(client.clone()).get("lasting").await?;
    ensure!(levels.metadata.finalizers.is_none(), "it would hang when it is deleted");
    nothing_is_terminating(client).await?;
    let policies = Api::<DisruptionPolicy>::all(client.clone()).list(&ListParams::default()).await?;
    ensure!(policies.iter().any(|policy| policy.name_any() == "lasting"), "the policy is gone");
    Api::<CustomResourceDefinition>::all(client.clone()).get(DEFINITION).await?;
    ensure!(controller.ended()?.is_none(), "the controller wasn't there to make budgets again");

    let budgets = |events: Vec<AuditEvent>| -> Vec<AuditEvent> {
        events.into_iter().filter(|event| event.is_about("poddisruptionbudgets.policy")).collect()
    };
    let audit = cluster.plane.audit();
    let again = budgets(audit.writes_by(ServiceAccount::USER, mark)?);
    ensure!(again.is_empty(), "made again: {again:#?}");
    let hook = format!("system:serviceaccount:{NAMESPACE}:{HOOK}");
    ensure!(budgets(audit.writes_by(&hook, mark)?).len() == 1, "the hook withdrew nothing");

    let table = granted_by_table(&[Concern::Withdraw, Concern::Lease]);
    ensure!(roles == table, "the roles and the table differ:\n{:#?}", roles.symmetric_difference(&table));
    let used: Vec<AuditEvent> = audit.since(mark)?.into_iter().filter(|event| event.user == hook).collect();
    let outside = uncovered(&table, &used);
    ensure!(outside.is_empty() && used.iter().all(|event| event.code != 403), "{outside:#?}");
    // Only where no controller ever ran does it make the Lease itself, and only where lists aren't streamed does it list.
    let is_spare = |right: &Right| (right.verb == "create" && right.resource == "leases") || right.verb == "list";
    let unused: Vec<Right> = unused(&table, &used).into_iter().filter(|right| !is_spare(right)).collect();
    ensure!(unused.is_empty(), "unused: {unused:#?}");
    Ok(())
}

fn orphan() -> DeleteParams {
    DeleteParams { propagation_policy: Some(PropagationPolicy::Orphan), ..DeleteParams::default() }
}

async fn nothing_is_terminating(client: &Client) -> Result<()> {
    eventually("nothing to be Terminating", PATIENCE, async || {
        let mut hanging = terminating::<Namespace>(client).await?;
        hanging.extend(terminating::<CustomResourceDefinition>(client).await?);
        hanging.extend(terminating::<DisruptionPolicy>(client).await?);
        hanging.extend(terminating::<PodDisruptionBudget>(client).await?);
        hanging.extend(terminating::<Deployment>(client).await?);
        ensure!(hanging.is_empty(), "{hanging:?}");
        Ok(())
    })
    .await
}

async fn terminating<K: Resource<DynamicType = ()>>(client: &Client) -> Result<Vec<String>> {
    let objects: Api<DynamicObject> = Api::all_with(client.clone(), &ApiResource::erase::<K>(&()));
    let objects = objects.list(&ListParams::default()).await?;
    let hanging = objects.iter().filter(|object| object.metadata.deletion_timestamp.is_some());
    Ok(hanging.map(|object| format!("{} {}", K::kind(&()), object.name_any())).collect())
}
