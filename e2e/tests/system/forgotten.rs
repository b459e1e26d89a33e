//! The namespace of the controller is deleted by hand, without uninstalling: the one way of leaving that needs a remedy.
//!
//! 1. With the namespace its ServiceAccount and Lease are gone, and the controller can't do anything any more; its budgets stay, for
//!    their policy is still there, and so do the labels.
//! 2. `holdfast withdraw --kubeconfig`, from a laptop, takes them back all the same.
//! 3. The definitions and the cluster-wide roles go with two commands of kubectl, and nothing has the chart's label any more.

use std::process::Output;

use anyhow::{Result, ensure};
use holdfast_e2e::{Cluster, Kubectl, NAMESPACE, PATIENCE, Tenant, await_budgets, deployment};
use holdfast_testkit::controller::holdfast_binary;
use serde_json::json;
use tokio::process::Command;

const NAME: &str = "forgotten";
const LABEL: &str = "app.kubernetes.io/name=holdfast";

#[tokio::test]
async fn what_a_forgotten_installation_left_is_taken_back_from_a_laptop() -> Result<()> {
    let cluster = Cluster::start_with(&json!({ "concerns": { "podSecurityEnforce": true } })).await?;
    let (controller, kubectl) = (cluster.controller().await?, Kubectl::of(&cluster.plane).await?);
    let tenant = Tenant::move_in(cluster.admin(), NAME).await?;
    tenant.govern(json!({})).await?;
    tenant.apply(deployment(NAME, "web", 2)).await?;
    await_budgets(&tenant.client, NAME, &["web-deployment"]).await?;
    tenant.enforce_levels(json!({ "soak": "0s" })).await?;
    tenant.enforces(Some("baseline")).await?;

    // The kubelet would end the pods; their account is gone in any case.
    controller.terminate(PATIENCE).await?;
    kubectl.run(["delete", "namespace", NAMESPACE, "--timeout=60s"]).await?;
    await_budgets(&tenant.client, NAME, &["web-deployment"]).await?;

    let Output { status, stderr, .. } = Command::new(holdfast_binary()?)
        .args(["withdraw", "--log-format=text", "--kubeconfig"])
        .arg(cluster.plane.kubeconfig())
        .kill_on_drop(true)
        .output()
        .await?;
    let said = String::from_utf8_lossy(&stderr);
    ensure!(status.success(), "{status}: {said}");
    ensure!(said.contains("no such namespace") && said.contains("everything of ours is withdrawn"), "{said}");
    await_budgets(&tenant.client, NAME, &[]).await?;
    tenant.enforces(None).await?;

    let definitions = [
        "disruptionpolicies",
        "namespacesecuritypolicies",
        "policyexceptions",
        "drainreadinesses",
        "vaulttransitunseals",
    ];
    let definitions = definitions.map(|kind| format!("crd/{kind}.holdfast.dev"));
    let delete = ["delete", "--timeout=60s"].into_iter().chain(definitions.iter().map(String::as_str));
    kubectl.run(delete).await?;
    let cluster_wide = "clusterroles,clusterrolebindings,validatingadmissionpolicies,validatingadmissionpolicybindings";
    kubectl.run(["delete", cluster_wide, "-l", LABEL]).await?;
    let everything = "crd,clusterroles,clusterrolebindings,validatingadmissionpolicies,validatingadmissionpolicybindings,pdb,deployments,serviceaccounts,roles,rolebindings,services,jobs";
    let left = kubectl.run(["get", everything, "-A", "-l", LABEL, "-o", "name"]).await?;
    ensure!(left.is_empty(), "left: {left}");
    Ok(())
}
