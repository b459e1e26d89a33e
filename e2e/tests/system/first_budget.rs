//! A Deployment with three replicas gets its budget from the real controller under the chart's account; without the policy it goes.

use std::time::Duration;

use anyhow::{Result, ensure};
use holdfast_e2e::{Cluster, deployment, enforce, namespace};
use holdfast_testkit::{Manifests, eventually};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::Api;

#[tokio::test]
async fn a_deployment_gets_its_budget_and_loses_it_with_the_policy() -> Result<()> {
    let cluster = Cluster::start().await?;
    let controller = cluster.controller().await?;
    let admin = cluster.admin();
    for object in [namespace("shop"), deployment("shop", "web", 3), enforce("shop")] {
        Manifests::parse(&object.to_string())?.apply(&admin, "e2e").await?;
    }
    let budgets: Api<PodDisruptionBudget> = Api::namespaced(admin.clone(), "shop");
    let budget = eventually("a budget that allows a disruption", Duration::from_secs(15), async || {
        let budget = budgets.get("web-deployment").await?;
        let allowed = budget.status.as_ref().map_or(0, |status| status.disruptions_allowed);
        ensure!(allowed == 1, "{budget:?}");
        Ok(budget)
    })
    .await?;
    ensure!(budget.metadata.owner_references.is_some_and(|owners| owners.len() == 1 && owners[0].name == "shop"));
    Manifests::parse(&enforce("shop").to_string())?.delete(&admin).await?;
    eventually("no budget", Duration::from_secs(15), async || {
        let left = budgets.list(&kube::api::ListParams::default()).await?.items;
        ensure!(left.is_empty(), "{left:?}");
        Ok(())
    })
    .await?;
    controller.terminate(Duration::from_secs(10)).await?;
    Ok(())
}
