//! `helm uninstall` where no kubelet runs containers: this plays it for the pre-delete hook.
//!
//! The hook's pod is scheduled to a fake node; its program is run here, with the Job's arguments and environment and the
//! token of the Job's ServiceAccount, and the pod's end is told to the API server.

use anyhow::{Context as _, Result, bail, ensure};
use holdfast_testkit::controller::holdfast_binary;
use holdfast_testkit::eventually;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Container, Pod};
use kube::ResourceExt as _;
use kube::api::{Api, ListParams, Patch, PatchParams};
use serde_json::json;
use tokio::process::Command;

use crate::{Cluster, NAMESPACE, PATIENCE};

/// The Job and the account of the chart's hook.
pub const HOOK: &str = "holdfast-withdraw";

/// Uninstalls the release and plays the kubelet; `meanwhile` is asked once the program has ended and its roles are there.
pub async fn uninstall<T>(cluster: &Cluster, meanwhile: impl AsyncFnOnce() -> Result<T>) -> Result<T> {
    let (uninstalled, seen) = tokio::join!(cluster.uninstall(), play(cluster, meanwhile));
    let seen = seen?;
    uninstalled?;
    Ok(seen)
}

async fn play<T>(cluster: &Cluster, meanwhile: impl AsyncFnOnce() -> Result<T>) -> Result<T> {
    let client = cluster.admin();
    let jobs: Api<Job> = Api::namespaced(client.clone(), NAMESPACE);
    let job = eventually("the hook's Job", PATIENCE, async || Ok(jobs.get(HOOK).await?)).await?;
    let pods: Api<Pod> = Api::namespaced(client, NAMESPACE);
    let of_job = ListParams::default().labels(&format!("batch.kubernetes.io/job-name={HOOK}"));
    let pod = eventually("the hook's pod to run", PATIENCE, async || {
        let pod = pods.list(&of_job).await?.items.into_iter().next().context("no pod")?;
        let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
        ensure!(phase == Some("Running"), "{phase:?}");
        Ok(pod)
    })
    .await?;
    let spec = job.spec.and_then(|spec| spec.template.spec).context("a Job without a pod template")?;
    let account = spec.service_account_name.context("a hook without an account")?;
    let container = spec.containers.first().context("a hook without a container")?;
    run(cluster, &account, container).await?;
    let seen = meanwhile().await?;
    let status = finished(container);
    pods.patch_status(&pod.name_any(), &PatchParams::default(), &Patch::Merge(status)).await?;
    Ok(seen)
}

/// Runs the container's program; fails with its log when it does.
async fn run(cluster: &Cluster, account: &str, container: &Container) -> Result<()> {
    ensure!(container.command.is_none(), "the image's own program is meant");
    let kubeconfig = cluster.plane.service_account_kubeconfig(NAMESPACE, account).await?;
    let mut command = Command::new(holdfast_binary()?);
    command.env_clear().env("HOLDFAST_KUBECONFIG", kubeconfig).kill_on_drop(true);
    command.args(container.args.iter().flatten());
    for variable in container.env.iter().flatten() {
        let value = variable.value.as_ref().with_context(|| format!("{} has no plain value", variable.name))?;
        command.env(&variable.name, value);
    }
    let output = command.output().await?;
    if !output.status.success() {
        bail!("{command:?} ended with {}:\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

fn finished(container: &Container) -> serde_json::Value {
    json!({ "status": {
        "phase": "Succeeded",
        "conditions": [{ "type": "Ready", "status": "False", "reason": "PodCompleted" }],
        "containerStatuses": [{
            "name": container.name, "image": container.image, "imageID": "", "restartCount": 0,
            "ready": false, "started": false,
            "state": { "terminated": { "exitCode": 0, "reason": "Completed" } },
        }],
    }})
}
