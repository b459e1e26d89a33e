//! Waiting until the disruption controller has counted everything that is there.
//!
//! It learns of pods by one watch and counts budgets one after the other, so what it says of a pod that comes last it says
//! after it has looked at everything before that pod.

use anyhow::{Result, ensure};
use holdfast_testkit::eventually;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::Client;
use kube::api::{Api, DeleteParams, PostParams};
use serde_json::json;

use crate::PATIENCE;

/// Waits until every change of pods so far is in the budgets' statuses. The pod that shows it runs on this node, and is
/// gone afterwards.
pub async fn everything_is_counted(client: &Client, node: &str) -> Result<()> {
    let name = format!("last-{:08x}", fastrand::u32(..));
    let labels = json!({ "last": name });
    let budget = json!({
        "metadata": { "name": name }, "spec": { "minAvailable": 1, "selector": { "matchLabels": labels } },
    });
    let container = json!({ "name": "main", "image": "example.com/last:1" });
    let pod = json!({
        "metadata": { "name": name, "labels": labels },
        "spec": { "nodeName": node, "terminationGracePeriodSeconds": 0, "containers": [container] },
    });
    let budgets: Api<PodDisruptionBudget> = Api::default_namespaced(client.clone());
    let pods: Api<Pod> = Api::default_namespaced(client.clone());
    budgets.create(&PostParams::default(), &serde_json::from_value(budget)?).await?;
    pods.create(&PostParams::default(), &serde_json::from_value(pod)?).await?;
    eventually("the last pod to be counted", PATIENCE * 4, async || {
        let status = budgets.get(&name).await?.status.unwrap_or_default();
        ensure!(status.current_healthy == 1, "{status:?}");
        Ok(())
    })
    .await?;
    budgets.delete(&name, &DeleteParams::default()).await?;
    pods.delete(&name, &DeleteParams::default()).await?;
    eventually("the end of the last pod", PATIENCE, async || {
        ensure!(pods.get_opt(&name).await?.is_none(), "it is still there");
        Ok(())
    })
    .await
}
