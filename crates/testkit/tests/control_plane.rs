//! The test cluster is a real one.
//!
//! 1. A control plane with three nodes starts.
//! 2. A Deployment of two gets two Ready pods; the labels of `e2e/stages.yaml` do what they say.
//! 3. A ServiceAccount is refused, is given a role, and is let in.
//! 4. The audit log tells all of that, and nothing of the components' own reading.
//! 5. API server and etcd crash and come back with everything.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use holdfast_testkit::{ControlPlane, Manifests, client_from, eventually};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, Node, Pod};
use kube::Client;
use kube::api::{Api, ListParams};

const DEADLINE: Duration = Duration::from_secs(60);

const SHOP: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: web:1}]}
---
apiVersion: v1
kind: Pod
metadata: {name: broken, namespace: shop, labels: {unready: "true"}}
spec: {containers: [{name: c, image: broken:1}]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: migrate, namespace: shop}
spec:
  template:
    metadata: {labels: {finishes: "true"}}
    spec: {restartPolicy: Never, containers: [{name: c, image: migrate:1}]}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: reader, namespace: shop}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
"#;

const ROLE: &str = r#"
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: reader, namespace: shop}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: shop}
rules: [{apiGroups: [""], resources: [configmaps], verbs: [list]}]
"#;

#[tokio::test]
async fn a_control_plane_runs_pods_enforces_roles_and_survives_crashes() -> Result<()> {
    let plane = ControlPlane::builder().nodes(3).start().await?;
    let client = plane.admin();
    Manifests::parse(SHOP)?.apply(&client, "testkit").await?;
    pods_become_what_their_labels_say(&client).await?;
    a_service_account_is_let_in_by_a_role(&plane).await?;
    the_audit_log_tells_it(&plane).await?;
    crashes_lose_nothing(&plane).await
}

async fn pods_become_what_their_labels_say(client: &Client) -> Result<()> {
    let nodes: Api<Node> = Api::all(client.clone());
    ensure!(nodes.list(&ListParams::default()).await?.items.len() == 3);
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), "shop");
    eventually("two ready replicas", DEADLINE, async || {
        let status = deployments.get("web").await?.status.context("no status")?;
        ensure!(status.ready_replicas == Some(2), "{:?} are ready", status.ready_replicas);
        Ok(())
    })
    .await?;
    let jobs: Api<Job> = Api::namespaced(client.clone(), "shop");
    eventually("the Job to succeed", DEADLINE, async || {
        let status = jobs.get("migrate").await?.status.context("no status")?;
        ensure!(status.succeeded == Some(1), "{:?} succeeded", status.succeeded);
        Ok(())
    })
    .await?;
    let pods: Api<Pod> = Api::namespaced(client.clone(), "shop");
    eventually("the broken pod to run unready", DEADLINE, async || {
        let status = pods.get("broken").await?.status.context("no status")?;
        let ready = status.conditions.iter().flatten().find(|condition| condition.type_ == "Ready");
        ensure!(ready.is_some_and(|ready| ready.status == "False"), "Ready is {ready:?}");
        ensure!(status.phase.as_deref() == Some("Running"), "its phase is {:?}", status.phase);
        Ok(())
    })
    .await
}

async fn a_service_account_is_let_in_by_a_role(plane: &ControlPlane) -> Result<()> {
    let reader = client_from(&plane.service_account_kubeconfig("shop", "reader").await?).await?;
    let maps: Api<ConfigMap> = Api::namespaced(reader, "shop");
    let refused = maps.list(&ListParams::default()).await;
    ensure!(matches!(&refused, Err(kube::Error::Api(status)) if status.code == 403), "{refused:?}");
    Manifests::parse(ROLE)?.apply(&plane.admin(), "testkit").await?;
    eventually("the role to be in force", DEADLINE, async || {
        maps.list(&ListParams::default()).await?;
        Ok(())
    })
    .await
}

async fn the_audit_log_tells_it(plane: &ControlPlane) -> Result<()> {
    let user = "system:serviceaccount:shop:reader";
    eventually("the audit log to tell of the refusal and the success", DEADLINE, async || {
        let events = plane.audit().events()?;
        let lists = events.iter().filter(|event| event.user == user && event.is_about("configmaps"));
        let codes: Vec<u16> = lists.filter(|event| event.verb == "list").map(|event| event.code).collect();
        ensure!(codes.first() == Some(&403) && codes.last() == Some(&200), "the answers were {codes:?}");
        Ok(())
    })
    .await?;
    let events = plane.audit().events()?;
    let created = events.iter().find(|event| event.is_write() && event.is_about("deployments.apps"));
    let created = created.context("the Deployment's creation isn't in the audit log")?;
    ensure!(created.user == "admin" && created.name == "web" && created.code == 201, "{created:?}");
    ensure!(created.at <= created.done, "{created:?}");
    let noise = events.iter().find(|event| event.user == "system:kube-scheduler" && !event.is_write());
    ensure!(noise.is_none(), "the components' reading is logged: {noise:?}");
    Ok(())
}

async fn crashes_lose_nothing(plane: &ControlPlane) -> Result<()> {
    let deployments: Api<Deployment> = Api::namespaced(plane.admin(), "shop");
    plane.stop_api_server()?;
    ensure!(deployments.get("web").await.is_err(), "a dead API server answered");
    plane.start_api_server().await?;
    plane.stop_etcd()?;
    plane.start_etcd().await?;
    let web = deployments.get("web").await?;
    ensure!(web.spec.and_then(|spec| spec.replicas) == Some(2), "the Deployment was changed");
    Ok(())
}
