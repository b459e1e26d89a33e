//! A cluster with the chart, and for each sealed server a StatefulSet, its pod, the Secret of its token and the resource that looks
//! after it. Nobody else works there, so what was created stays as it is.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use anyhow::{Context as _, Result};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use holdfast_api::VaultTransitUnseal;
use holdfast_e2e::Cluster;
use holdfast_e2e::vault::{ACCOUNT, AUDIENCE, condition, merge};
use holdfast_testkit::{ControlPlane, Manifests, eventually};
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ListParams, Patch, PatchParams, PostParams};
use kube::{Client, ResourceExt as _};
use serde_json::{Value, json};

use super::fleet::{self, Fleet};
use super::transit::{self, Transit};
use crate::bench::stage::PATIENCE;

/// Requests under way while creating.
const AT_ONCE: usize = 16;
const REVISION: &str = "vault-6f7d8c9b5d";
const BORN: &str = "2026-11-22T08:00:00Z";
const RESTARTED: &str = "2026-11-23T08:00:00Z";

/// What the resources ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// What they ask for unless told: that somebody looks.
    Observe,
    /// Tokens are made and pods restarted, for which the controller logs in to the transit server.
    Manage,
}

/// Where the sealed servers are, by number, spread over namespaces.
#[derive(Clone, Debug)]
pub(super) struct Places {
    pub(super) servers: usize,
    pub(super) namespaces: usize,
}

impl Places {
    pub(super) fn namespaces(&self) -> Vec<String> {
        (0..self.namespaces).map(|number| format!("bench-{number:03}")).collect()
    }

    fn namespace(&self, server: usize) -> String {
        format!("bench-{:03}", server % self.namespaces)
    }

    fn numbers(&self) -> std::ops::Range<usize> {
        0..self.servers
    }
}

fn name(server: usize) -> String {
    format!("vault-{server:04}")
}

fn secret(server: usize) -> String {
    format!("seal-{server:04}")
}

/// The transit key of each server.
pub(super) fn keys(places: &Places) -> Vec<String> {
    places.numbers().map(name).collect()
}

/// A control plane with the chart and all of the namespaces.
pub(super) async fn start(places: &Places, scope: Scope) -> Result<Cluster> {
    let plane = ControlPlane::builder().without_controllers().start().await?;
    let cluster = Cluster::on(plane).await?;
    let admin = cluster.admin();
    let namespaces = places.namespaces();
    let made = namespaces
        .iter()
        .map(|name| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}))
        .collect();
    apply(&admin, made).await?;
    cluster.install(&values(places, scope)).await?;
    let resources: Api<VaultTransitUnseal> = Api::all(admin);
    let served = async || Ok(resources.list(&ListParams::default().limit(1)).await.map(drop)?);
    eventually("the resources to be served", PATIENCE, served).await?;
    Ok(cluster)
}

fn values(places: &Places, scope: Scope) -> Value {
    let mut entries = BTreeMap::<String, (Vec<String>, Vec<String>)>::new();
    for server in places.numbers() {
        let (sets, secrets) = entries.entry(places.namespace(server)).or_default();
        sets.push(name(server));
        secrets.push(secret(server));
    }
    let manages = scope == Scope::Manage;
    let entries: Vec<Value> = entries
        .into_iter()
        .map(|(namespace, (sets, mut secrets))| {
            secrets.extend(["transit-ca".to_owned(), "sealed-ca".to_owned()]);
            json!({
                "name": namespace, "statefulSets": sets, "secrets": secrets, "serviceAccounts": [ACCOUNT],
                "manage": {"token": manages, "initialize": false, "restart": manages},
            })
        })
        .collect();
    json!({"vault": {"enabled": true, "replicas": 1, "namespaces": entries}})
}

/// Creates what each server is to the cluster, and the resources last.
pub(super) async fn populate(
    cluster: &Cluster,
    places: &Places,
    scope: Scope,
    fleet: &Fleet,
    transit: &Transit,
) -> Result<()> {
    let admin = cluster.admin();
    apply(&admin, places.namespaces().iter().flat_map(|namespace| shared(namespace, fleet, transit)).collect()).await?;
    let tokens = transit.grant(&keys(places)).await?;
    let (admin, url) = (&admin, &transit.url);
    let each = places.numbers().zip(tokens).zip(&fleet.ips).map(|((server, token), ip)| async move {
        let namespace = places.namespace(server);
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": secret(server), "namespace": namespace},
            "stringData": {"token": token},
        });
        apply(admin, vec![secret]).await?;
        run(admin, &namespace, server, *ip).await?;
        let resources: Api<VaultTransitUnseal> = Api::namespaced(admin.clone(), &namespace);
        let resource = serde_json::from_value(resource(server, url, scope))?;
        resources.create(&PostParams::default(), &resource).await.map(drop).context("creating a resource")
    });
    stream::iter(each).buffer_unordered(AT_ONCE).try_collect::<()>().await
}

/// What the servers of a namespace share.
fn shared(namespace: &str, fleet: &Fleet, transit: &Transit) -> Vec<Value> {
    let authority = |name: &str, pem: &str| {
        json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace},
            "stringData": {"ca.crt": pem},
        })
    };
    let account =
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": ACCOUNT, "namespace": namespace}});
    vec![authority("transit-ca", transit.authority()), authority("sealed-ca", &fleet.authority), account]
}

/// The StatefulSet and its pod, which runs.
async fn run(admin: &Client, namespace: &str, server: usize, ip: Ipv4Addr) -> Result<()> {
    let sets: Api<StatefulSet> = Api::namespaced(admin.clone(), namespace);
    let set = sets.create(&PostParams::default(), &serde_json::from_value(set(server))?).await?;
    let status =
        json!({"status": {"replicas": 1, "readyReplicas": 1, "currentRevision": REVISION, "updateRevision": REVISION}});
    sets.patch_status(&set.name_any(), &PatchParams::default(), &Patch::Merge(status)).await?;
    let uid = set.uid().context("a StatefulSet without UID")?;
    let pods: Api<Pod> = Api::namespaced(admin.clone(), namespace);
    pods.create(&PostParams::default(), &serde_json::from_value(pod(server, &uid))?).await?;
    live(&pods, server, ip, 0).await
}

/// Says that the container of a pod runs, after so many restarts.
async fn live(pods: &Api<Pod>, server: usize, ip: Ipv4Addr, restarts: u32) -> Result<()> {
    let since = if restarts == 0 { BORN } else { RESTARTED };
    let condition = |kind: &str| json!({"type": kind, "status": "True", "lastTransitionTime": since});
    let conditions: Vec<Value> = ["Initialized", "Ready", "ContainersReady", "PodScheduled"].map(condition).into();
    let status = json!({"status": {
        "phase": "Running", "conditions": conditions, "hostIP": "10.0.0.7", "podIP": ip, "podIPs": [{"ip": ip}], "startTime": BORN,
        "containerStatuses": [{
            "name": "vault", "image": "quay.io/openbao/openbao:2.7.2", "imageID": format!("quay.io/openbao/openbao@sha256:{}", "a".repeat(64)),
            "containerID": format!("containerd://{}", "b".repeat(64)), "ready": true, "started": true, "restartCount": restarts,
            "state": {"running": {"startedAt": since}},
        }],
    }});
    let name = format!("{}-0", name(server));
    pods.patch_status(&name, &PatchParams::default(), &Patch::Merge(status)).await?;
    Ok(())
}

/// All servers start anew, as after an upgrade of all nodes.
pub(super) async fn restart(cluster: &Cluster, places: &Places, fleet: &Fleet) -> Result<()> {
    let admin = &cluster.admin();
    let each = places.numbers().zip(&fleet.ips).map(|(server, ip)| async move {
        live(&Api::namespaced(admin.clone(), &places.namespace(server)), server, *ip, 1).await
    });
    stream::iter(each).buffer_unordered(AT_ONCE).try_collect::<()>().await
}

/// What the resources say of their servers' next start, with how many say so.
pub(super) async fn would_start(cluster: &Cluster) -> Result<BTreeMap<String, usize>> {
    let resources: Api<VaultTransitUnseal> = Api::all(cluster.admin());
    let mut told = BTreeMap::new();
    for resource in resources.list(&ListParams::default()).await? {
        let status = resource.status.unwrap_or_default();
        let cause = status.diagnosis.as_ref().map(|found| found.cause.as_str()).unwrap_or_default();
        let (_, reason) = condition(&status, "WouldStart");
        *told.entry(format!("{reason}{cause}")).or_default() += 1;
    }
    Ok(told)
}

async fn apply(client: &Client, objects: Vec<Value>) -> Result<()> {
    let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
    Manifests::parse(&list.to_string())?.apply(client, "bench").await.map(drop)
}

/// With the interval and the time-out that a resource has unless told.
fn resource(server: usize, url: &str, scope: Scope) -> Value {
    let key = name(server);
    let mut resource = json!({
        "apiVersion": "holdfast.dev/v1alpha1", "kind": "VaultTransitUnseal", "metadata": {"name": key},
        "spec": {
            "target": {
                "statefulSetRef": {"name": key}, "port": fleet::PORT,
                "tls": {"caSecretRef": {"name": "sealed-ca", "key": "ca.crt"}, "serverName": fleet::NAME},
            },
            "seal": {"transit": {
                "address": url, "key": key,
                "tls": {"caSecretRef": {"name": "transit-ca", "key": "ca.crt"}, "serverName": transit::NAME},
            }},
            "token": {"secretRef": {"name": secret(server), "key": "token"}},
        },
    });
    if scope == Scope::Manage {
        let account = json!({"name": ACCOUNT, "mount": "jwt", "role": ACCOUNT, "audience": AUDIENCE});
        let managed = json!({
            "mode": "Manage", "token": {"role": key},
            "seal": {"transit": {"provision": "Token", "auth": {"serviceAccount": account}}},
        });
        merge(&mut resource["spec"], &managed);
    }
    resource
}

fn labels(server: usize) -> Value {
    json!({"app.kubernetes.io/name": "openbao", "app.kubernetes.io/instance": name(server), "component": "server"})
}

fn set(server: usize) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": name(server), "labels": labels(server)},
        "spec": {
            "replicas": 1, "serviceName": format!("{}-internal", name(server)), "podManagementPolicy": "Parallel",
            "selector": {"matchLabels": labels(server)},
            "template": {"metadata": {"labels": labels(server)}, "spec": pod_spec(server)},
        },
    })
}

fn pod(server: usize, set: &str) -> Value {
    let mut labels = labels(server);
    labels["controller-revision-hash"] = json!(REVISION);
    labels["statefulset.kubernetes.io/pod-name"] = json!(format!("{}-0", name(server)));
    let owner = json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet", "name": name(server), "uid": set, "controller": true, "blockOwnerDeletion": true,
    });
    let mut spec = pod_spec(server);
    spec["nodeName"] = json!("node-000");
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": format!("{}-0", name(server)), "labels": labels, "ownerReferences": [owner]},
        "spec": spec,
    })
}

/// As large as the one of the usual chart.
fn pod_spec(server: usize) -> Value {
    let plain = |name: &str, value: &str| json!({"name": name, "value": value});
    let field = |name: &str, path: &str| json!({"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}});
    let from = json!({"secretKeyRef": {"name": secret(server), "key": "token"}});
    let probe = json!({"httpGet": {"path": "/v1/sys/health?standbyok=true", "port": "https"}, "periodSeconds": 5});
    json!({
        "terminationGracePeriodSeconds": 10,
        "securityContext": {"runAsNonRoot": true, "runAsUser": 100, "fsGroup": 1000},
        "containers": [{
            "name": "vault", "image": "quay.io/openbao/openbao:2.7.2", "args": ["server", "-config=/openbao/config"],
            "ports": [{"name": "https", "containerPort": fleet::PORT}, {"name": "internal", "containerPort": 8201}],
            "env": [
                field("HOST_IP", "status.hostIP"), field("POD_IP", "status.podIP"), field("BAO_K8S_POD_NAME", "metadata.name"),
                plain("BAO_API_ADDR", "https://$(POD_IP):8200"), plain("BAO_CLUSTER_ADDR", "https://$(HOSTNAME).vault-internal:8201"),
                plain("SKIP_CHOWN", "true"), plain("HOME", "/home/openbao"),
                {"name": "VAULT_TRANSIT_SEAL_TOKEN", "valueFrom": from},
            ],
            "readinessProbe": probe, "livenessProbe": probe,
            "resources": {"requests": {"cpu": "250m", "memory": "256Mi"}, "limits": {"memory": "256Mi"}},
            "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
            "volumeMounts": [{"name": "data", "mountPath": "/openbao/data"}, {"name": "config", "mountPath": "/openbao/config"}],
        }],
        "volumes": [{"name": "data", "emptyDir": {}}, {"name": "config", "configMap": {"name": "config"}}],
    })
}
