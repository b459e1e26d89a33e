//! Kinds of software that need not be installed come and go without a restart, and the controller stays ready.
//!
//! 1. It starts where Flux and KEDA are unknown, and is ready.
//! 2. Their definitions are installed: a ScaledObject's floor makes a budget, findings name the HelmRelease and the
//!    Kustomization, and events are told on them.
//! 3. The definitions are deleted: the floor is forgotten, the budget goes, nobody is named who isn't there.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use holdfast_e2e::{Cluster, PATIENCE, Tenant, checkout, deployment, set};
use holdfast_testkit::{ControlPlane, ControllerProcess, Manifests, eventually};
use k8s_openapi::api::events::v1::Event;
use kube::Api;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, ListParams, Patch, PatchParams};
use serde_json::{Value, json};

const FLUX_AND_KEDA: [(&str, &str); 3] = [
    ("helmreleases.yaml", "HelmRelease"),
    ("kustomizations.yaml", "Kustomization"),
    ("scaledobjects.yaml", "ScaledObject"),
];
/// A server that just learned of a kind asks to wait for a second. The chart's probe takes a pod out of service when two
/// looks, five seconds apart, fail.
const LAPSE: Duration = Duration::from_secs(5);

#[tokio::test]
async fn flux_and_keda_come_and_go_without_a_restart() -> Result<()> {
    let cluster = Cluster::on(ControlPlane::builder().nodes(2).start().await?).await?;
    cluster.install(&json!({})).await?;
    let controller = cluster.controller().await?;
    let tenant = Tenant::move_in(cluster.admin(), "optional").await?;
    tokio::select! {
        lapsed = stays_ready(&controller) => lapsed,
        done = come_and_go(&tenant, &controller) => done,
    }?;
    controller.terminate(PATIENCE).await?;
    Ok(())
}

async fn come_and_go(tenant: &Tenant, controller: &ControllerProcess) -> Result<()> {
    tenant.govern(json!({})).await?;
    tenant.apply(deployment("optional", "scaled", 1)).await?;
    tenant.apply(deployment("optional", "released", 2)).await?;
    tenant.apply(deployment("optional", "kustomized", 2)).await?;
    tenant.budget("released-deployment").await?;
    tenant.no_budget("scaled-deployment").await?;
    ensure!(synced(controller, "HelmRelease").await? == Some(1.0), "a kind that isn't installed is in step");

    let definitions = definitions()?;
    definitions.apply(&tenant.client, "e2e").await?;
    tenant.apply(scaled_object()).await?;
    tenant.budget("scaled-deployment").await?;
    release(tenant).await?;
    tenant.apply(kustomization()).await?;
    for (_, kind) in FLUX_AND_KEDA {
        seen(controller, kind, 1.0).await?;
    }
    tenant.apply(blocking("released")).await?;
    let labels = json!({
        "kustomize.toolkit.fluxcd.io/namespace": "optional", "kustomize.toolkit.fluxcd.io/name": "apps",
    });
    tenant.apply(set(blocking("kustomized"), "/metadata/labels", labels)).await?;
    owned(tenant, "released", Some("HelmRelease optional/shop")).await?;
    owned(tenant, "kustomized", Some("Kustomization optional/apps")).await?;
    told_on(tenant, "HelmRelease", "shop").await?;
    told_on(tenant, "Kustomization", "apps").await?;

    definitions.delete(&tenant.client).await?;
    for (_, kind) in FLUX_AND_KEDA {
        seen(controller, kind, 0.0).await?;
    }
    tenant.no_budget("scaled-deployment").await?;
    owned(tenant, "released", None).await?;
    eventually("a kind that is gone to be in step", PATIENCE, async || {
        ensure!(synced(controller, "ScaledObject").await? == Some(1.0));
        Ok(())
    })
    .await?;
    ensure!(controller.ended()?.is_none());
    Ok(())
}

/// Returns only when the controller wasn't ready for too long.
async fn stays_ready(controller: &ControllerProcess) -> Result<()> {
    let mut since: Option<Instant> = None;
    loop {
        let (code, text) = controller.readyz().await?;
        since = if code == 200 { None } else { Some(since.unwrap_or_else(Instant::now)) };
        ensure!(since.is_none_or(|since| since.elapsed() < LAPSE), "not ready any more: {text}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn definitions() -> Result<Manifests> {
    let texts = FLUX_AND_KEDA.iter().map(|(file, _)| std::fs::read_to_string(checkout().join("e2e/crds").join(file)));
    Manifests::parse(&texts.collect::<Result<Vec<_>, _>>()?.join("\n---\n"))
}

fn scaled_object() -> Value {
    json!({
        "apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": { "name": "scaled" },
        "spec": { "scaleTargetRef": { "name": "scaled" }, "minReplicaCount": 2, "maxReplicaCount": 5 },
    })
}

fn kustomization() -> Value {
    json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "metadata": { "name": "apps" },
        "spec": {},
    })
}

/// A HelmRelease whose inventory lists one budget.
async fn release(tenant: &Tenant) -> Result<()> {
    let release = json!({
        "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "metadata": { "name": "shop" }, "spec": {},
    });
    tenant.apply(release).await?;
    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("helm.toolkit.fluxcd.io", "v2", "HelmRelease"));
    let releases: Api<DynamicObject> = Api::namespaced_with(tenant.client.clone(), &tenant.name, &kind);
    let status = json!({ "status": { "inventory": { "entries": [{ "id": "optional_blocks-released_policy_PodDisruptionBudget", "v": "v1" }] } } });
    releases.patch_status("shop", &PatchParams::default(), &Patch::Merge(status)).await?;
    Ok(())
}

/// Somebody's budget under which nothing may ever go.
fn blocking(app: &str) -> Value {
    json!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": { "name": format!("blocks-{app}") },
        "spec": { "minAvailable": "100%", "selector": { "matchLabels": { "app": app } } },
    })
}

async fn synced(controller: &ControllerProcess, kind: &str) -> Result<Option<f64>> {
    Ok(controller.metrics().await?.sum("holdfast_view_synced", &[("kind", kind)]))
}

/// Waits until the view holds so many objects of a kind.
async fn seen(controller: &ControllerProcess, kind: &str, expected: f64) -> Result<()> {
    eventually(&format!("{expected} {kind} in the view"), PATIENCE * 2, async || {
        let count = controller.metrics().await?.sum("holdfast_view_objects", &[("kind", kind)]);
        ensure!(count == Some(expected), "{count:?}");
        Ok(())
    })
    .await
}

/// Waits until the finding about the blocking budget names this owner.
async fn owned(tenant: &Tenant, app: &str, owner: Option<&str>) -> Result<()> {
    let budget = format!("blocks-{app}");
    tenant
        .told(|status| {
            let mut findings = status.worst.iter();
            let finding = findings.find(|finding| finding.name == budget && finding.rule == "drain-blocked");
            let finding = finding.with_context(|| format!("no finding: {:?}", status.worst))?;
            ensure!(finding.owner.as_deref() == owner, "{finding:?}");
            Ok(())
        })
        .await
}

/// Waits until an event about the finding stands on a Flux object.
async fn told_on(tenant: &Tenant, kind: &str, name: &str) -> Result<()> {
    let events: Api<Event> = Api::namespaced(tenant.client.clone(), &tenant.name);
    eventually(&format!("an event on {kind} {name}"), PATIENCE, async || {
        let events = events.list(&ListParams::default()).await?;
        let regarding = |event: &&Event| {
            let regarding = event.regarding.as_ref();
            regarding.is_some_and(|it| it.kind.as_deref() == Some(kind) && it.name.as_deref() == Some(name))
        };
        let reasons: Vec<_> = events.iter().filter(regarding).filter_map(|event| event.reason.clone()).collect();
        ensure!(reasons.iter().any(|reason| reason == "DrainBlocked"), "{reasons:?}");
        Ok(())
    })
    .await
}
