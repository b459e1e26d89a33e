//! A cluster of any size, created directly: Deployments with their ReplicaSets and Pods as a real one would hold them.
//!
//! The objects are as large as those of ordinary charts (six labels, probes, resources, environment, volumes, field
//! managers), since a reader of small objects would look better than it is.

use anyhow::{Context as _, Result};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use http::Request;
use kube::Client;
use serde_json::{Value, json};

use super::stage::NAME;

/// Requests under way while creating.
const AT_ONCE: usize = 32;
/// One namespace for so many workloads.
const PER_NAMESPACE: usize = 50;
/// The nodes that the pods are on.
const NODES: usize = 100;
/// As a real ReplicaSet's, for references; nobody collects garbage here.
const UID: &str = "6b2f7f4e-5f0c-4a51-9a0a-0d6c4a3c2f10";

/// Workloads from one number to another, each with so many pods.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) pods: usize,
}

/// Creates a part of the world. The pods are scheduled, running and ready.
pub(super) async fn create(client: &Client, part: Part) -> Result<()> {
    if part.from == 0 {
        create_nodes(client).await?;
    }
    let namespaces = part.from.div_ceil(PER_NAMESPACE)..part.to.div_ceil(PER_NAMESPACE);
    post_all(client, namespaces.map(|index| ("/api/v1/namespaces".to_owned(), namespace(index)))).await?;
    let workloads = part.from..part.to;
    post_all(client, workloads.clone().map(|index| (apps(index, "deployments"), deployment(index, part.pods)))).await?;
    post_all(client, workloads.clone().map(|index| (apps(index, "replicasets"), replica_set(index, part.pods))))
        .await?;
    let pods = || workloads.clone().flat_map(|index| (0..part.pods).map(move |pod| (index, pod)));
    post_all(client, pods().map(|(index, number)| (pods_in(index), pod(index, number)))).await?;
    let statuses = pods().map(|(index, number)| set_ready(client, index, number, true));
    stream::iter(statuses).buffer_unordered(AT_ONCE).try_collect::<()>().await
}

/// The namespace of a workload.
pub(super) fn home(index: usize) -> String {
    format!("bench-{:04}", index / PER_NAMESPACE)
}

/// The path under which Deployments of a workload's namespace are created.
pub(super) fn deployments_in(index: usize) -> String {
    apps(index, "deployments")
}

/// Creates an object.
pub(super) async fn post(client: &Client, path: &str, object: &Value) -> Result<()> {
    let request = Request::post(path).header("content-type", "application/json").body(serde_json::to_vec(object)?)?;
    client.request_text(request).await.with_context(|| format!("creating {} in {path}", object["metadata"]["name"]))?;
    Ok(())
}

/// Says through the status whether a pod is ready, as its kubelet would.
pub(super) async fn set_ready(client: &Client, index: usize, number: usize, ready: bool) -> Result<()> {
    let path = format!("{}/{}/status", pods_in(index), pod_name(index, number));
    let status = if ready { "True" } else { "False" };
    let condition =
        |kind: &str| json!({ "type": kind, "status": status, "lastTransitionTime": "2026-11-22T08:00:00Z" });
    let conditions: Vec<Value> =
        ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"].map(condition).into();
    let body = json!({ "status": {
        "phase": "Running", "conditions": conditions, "hostIP": "10.0.0.7", "podIP": "10.1.2.3", "startTime": "2026-11-22T08:00:00Z",
        "containerStatuses": [{
            "name": "main", "image": "registry.example.com/platform/app:1.42.0", "imageID": format!("registry.example.com/platform/app@sha256:{}", "a".repeat(64)),
            "containerID": format!("containerd://{}", "b".repeat(64)), "ready": ready, "started": true, "restartCount": 0,
            "state": { "running": { "startedAt": "2026-11-22T08:00:00Z" } },
        }],
    } });
    let request = Request::patch(&path)
        .header("content-type", "application/merge-patch+json")
        .body(serde_json::to_vec(&body)?)?;
    client.request_text(request).await.with_context(|| format!("the status of {path}"))?;
    Ok(())
}

/// A Deployment with this number.
pub(super) fn deployment(index: usize, replicas: usize) -> Value {
    let name = app(index);
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {
            "name": name, "namespace": home(index), "labels": labels(index),
            "annotations": { "meta.helm.sh/release-name": name, "meta.helm.sh/release-namespace": home(index), "deployment.kubernetes.io/revision": "1" },
        },
        "spec": {
            "replicas": replicas.max(2), "revisionHistoryLimit": 3,
            "selector": { "matchLabels": selector(index) },
            "template": template(index),
        },
    })
}

async fn post_all(client: &Client, objects: impl Iterator<Item = (String, Value)>) -> Result<()> {
    let posts = objects.map(|(path, object)| async move { post(client, &path, &object).await });
    stream::iter(posts).buffer_unordered(AT_ONCE).try_collect::<()>().await
}

fn apps(index: usize, plural: &str) -> String {
    format!("/apis/apps/v1/namespaces/{}/{plural}", home(index))
}

fn pods_in(index: usize) -> String {
    format!("/api/v1/namespaces/{}/pods", home(index))
}

fn app(index: usize) -> String {
    format!("application-{index:05}")
}

fn set_name(index: usize) -> String {
    format!("{}-7d9f8b6c5d", app(index))
}

fn pod_name(index: usize, number: usize) -> String {
    format!("{}-{:05x}", set_name(index), index * 31 + number * 7)
}

fn node_name(number: usize) -> String {
    format!("node-{number:03}")
}

async fn create_nodes(client: &Client) -> Result<()> {
    post_all(client, (0..NODES).map(|number| ("/api/v1/nodes".to_owned(), node(&node_name(number), number)))).await?;
    // Without controllers nobody takes away the taint that every new node begins with.
    let untainted = (0..NODES).map(|number| async move { untaint(client, &node_name(number)).await });
    stream::iter(untainted).buffer_unordered(AT_ONCE).try_collect::<()>().await
}

async fn untaint(client: &Client, node: &str) -> Result<()> {
    let request = Request::patch(format!("/api/v1/nodes/{node}"))
        .header("content-type", "application/merge-patch+json")
        .body(serde_json::to_vec(&json!({ "spec": { "taints": null } }))?)?;
    client.request_text(request).await.with_context(|| format!("the taints of {node}"))?;
    Ok(())
}

/// A ready node with room for many pods.
pub(super) fn node(name: &str, number: usize) -> Value {
    let zone = format!("zone-{}", number % 3);
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": { "name": name, "labels": {
            "kubernetes.io/hostname": name, "topology.kubernetes.io/zone": zone, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
        } },
        "status": {
            "allocatable": { "cpu": "64", "memory": "256Gi", "pods": "1000" },
            "conditions": [{ "type": "Ready", "status": "True", "lastTransitionTime": "2026-11-22T08:00:00Z" }],
        },
    })
}

fn namespace(index: usize) -> Value {
    let labels = json!({ NAME: "true", "pod-security.kubernetes.io/enforce": "baseline", "team": format!("team-{}", index % 7) });
    json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": home(index * PER_NAMESPACE), "labels": labels } })
}

fn selector(index: usize) -> Value {
    json!({ "app.kubernetes.io/name": app(index), "app.kubernetes.io/instance": app(index) })
}

fn labels(index: usize) -> Value {
    json!({
        "app.kubernetes.io/name": app(index), "app.kubernetes.io/instance": app(index), "app.kubernetes.io/version": "1.42.0",
        "app.kubernetes.io/component": "server", "app.kubernetes.io/managed-by": "Helm", "helm.sh/chart": "app-4.2.1",
    })
}

fn pod_labels(index: usize) -> Value {
    let mut labels = labels(index);
    labels["pod-template-hash"] = json!("7d9f8b6c5d");
    labels
}

fn template(index: usize) -> Value {
    json!({ "metadata": { "labels": labels(index), "annotations": { "checksum/config": "c".repeat(64) } }, "spec": pod_spec() })
}

/// The ReplicaSet of a workload.
pub(super) fn replica_set(index: usize, replicas: usize) -> Value {
    let mut template = template(index);
    template["metadata"]["labels"] = pod_labels(index);
    json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": { "name": set_name(index), "namespace": home(index), "labels": pod_labels(index), "ownerReferences": [owner("Deployment", &app(index))] },
        "spec": { "replicas": replicas, "selector": { "matchLabels": pod_labels(index) }, "template": template },
    })
}

/// One of its pods.
pub(super) fn pod(index: usize, number: usize) -> Value {
    let mut spec = pod_spec();
    spec["nodeName"] = json!(node_name((index + number) % NODES));
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": pod_name(index, number), "namespace": home(index), "labels": pod_labels(index),
            "annotations": { "checksum/config": "c".repeat(64) }, "ownerReferences": [owner("ReplicaSet", &set_name(index))],
        },
        "spec": spec,
    })
}

fn owner(kind: &str, name: &str) -> Value {
    json!({ "apiVersion": "apps/v1", "kind": kind, "name": name, "uid": UID, "controller": true, "blockOwnerDeletion": true })
}

fn pod_spec() -> Value {
    let variable =
        |number: usize| json!({ "name": format!("SETTING_{number}"), "value": "a value of ordinary length" });
    let probe = json!({ "httpGet": { "path": "/healthz", "port": "http" }, "periodSeconds": 10, "timeoutSeconds": 2 });
    json!({
        "terminationGracePeriodSeconds": 30,
        "securityContext": { "runAsNonRoot": true, "fsGroup": 1000 },
        "tolerations": [{ "key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300 }],
        "volumes": [{ "name": "config", "configMap": { "name": "config" } }, { "name": "tmp", "emptyDir": {} }],
        "containers": [{
            "name": "main", "image": "registry.example.com/platform/app:1.42.0", "args": ["serve", "--config=/etc/app/config.yaml"],
            "ports": [{ "name": "http", "containerPort": 8080 }, { "name": "metrics", "containerPort": 9090 }],
            "env": (0..6).map(variable).collect::<Vec<_>>(),
            "resources": { "requests": { "cpu": "50m", "memory": "64Mi" }, "limits": { "memory": "128Mi" } },
            "readinessProbe": probe, "livenessProbe": probe,
            "securityContext": { "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": { "drop": ["ALL"] } },
            "volumeMounts": [{ "name": "config", "mountPath": "/etc/app" }, { "name": "tmp", "mountPath": "/tmp" }],
        }],
    })
}
