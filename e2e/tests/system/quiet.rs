//! A quiet cluster: when everything is as it should be, nothing is written but the Lease, counted by the API server.
//!
//! 1. 150 workloads (1,000 with `HOLDFAST_SOAK=1`), some with mistakes, under an Enforce policy; until every budget is
//!    there and computed, the status says so, and nothing has been written for a while.
//! 2. Twenty seconds (two minutes) in which nothing happens: no write of ours but renewals of the Lease, no list, and not a line
//!    in the log.
//! 3. The same while others work: statuses of Deployments, annotations of pods, ConfigMaps and Leases change all the time.
//! 4. The controller is started anew: nothing is persisted but the Lease. Beside it there are reviews of its own permissions,
//!    which aren't stored anywhere, and events about what is wrong, which are refused since they are there already.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use holdfast_api::DisruptionPolicy;
use holdfast_e2e::{Cluster, PATIENCE, ServiceAccount, deployment, enforce, is_soak, namespace, set};
use holdfast_testkit::audit::Mark;
use holdfast_testkit::{AuditEvent, ControllerProcess, Manifests, eventually};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::api::{Api, ListParams, Patch, PatchParams, PostParams};
use kube::{Client, ResourceExt as _};
use serde_json::{Value, json};

const LEASES: &str = "leases.coordination.k8s.io";
const REVIEWS: &str = "selfsubjectaccessreviews.authorization.k8s.io";
const EVENTS: &str = "events.events.k8s.io";
/// The policy and the label of the namespaces.
const NAME: &str = "quiet";
/// One namespace for so many workloads.
const PER_NAMESPACE: usize = 25;
/// One workload in so many has one replica and a budget that blocks its drain.
const MISTAKE: usize = 10;
/// Nothing was written for so long: everything has settled.
const SETTLED: SignedDuration = SignedDuration::from_secs(4);

/// How much, how long.
struct Size {
    workloads: usize,
    silence: Duration,
    noise: Duration,
}

impl Size {
    fn of_this_run() -> Self {
        let seconds = Duration::from_secs;
        match is_soak() {
            true => Self { workloads: 1_000, silence: seconds(120), noise: seconds(60) },
            false => Self { workloads: 150, silence: seconds(20), noise: seconds(8) },
        }
    }

    fn mistakes(&self) -> usize {
        self.workloads.div_ceil(MISTAKE)
    }

    fn namespaces(&self) -> usize {
        self.workloads.div_ceil(PER_NAMESPACE)
    }

    /// One that settles slowly on a slow machine isn't wrong.
    fn patience(&self) -> Duration {
        PATIENCE + Duration::from_millis(300) * u32::try_from(self.workloads).unwrap_or(u32::MAX)
    }
}

#[tokio::test]
async fn a_quiet_cluster_is_left_alone() -> Result<()> {
    let size = Size::of_this_run();
    let cluster = Cluster::start().await?;
    let client = cluster.admin();
    populate(&client, &size).await?;
    let start = async || -> Result<ControllerProcess> {
        let controller = cluster.controller_builder().await?.log_level("info").start()?;
        controller.ready(PATIENCE).await?;
        Ok(controller)
    };
    let controller = start().await?;
    settled(&cluster, &client, &size).await?;

    let (mark, log) = (cluster.plane.audit().mark()?, controller.log()?);
    // Not to wait for anything: this is how long it is watched.
    tokio::time::sleep(size.silence).await;
    only_the_lease(&cluster, mark, "while nothing happened")?;
    let requests = of_ours(&cluster, mark)?;
    let looks = |event: &&AuditEvent| event.verb == "list" || (event.verb == "get" && !event.is_about(LEASES));
    ensure!(requests.iter().find(looks).is_none(), "somebody looked around: {:#?}", summary(&requests));
    ensure!(controller.log()? == log, "the log at info: {}", &controller.log()?[log.len()..]);

    let mark = cluster.plane.audit().mark()?;
    let made = make_noise(&client, size.noise).await?;
    only_the_lease(&cluster, mark, "while others worked")?;
    ensure!(100 < made, "only {made} requests aren't noise");
    ensure!(controller.log()? == log, "the log at info: {}", &controller.log()?[log.len()..]);

    controller.terminate(PATIENCE).await?;
    let mark = cluster.plane.audit().mark()?;
    let controller = start().await?;
    leads_for_a_while(&cluster, &controller, mark).await?;
    nothing_persisted(&cluster, mark, &size)
}

async fn populate(client: &Client, size: &Size) -> Result<()> {
    let mut objects = Vec::new();
    for at in 0..size.workloads {
        let home = format!("quiet-{}", at / PER_NAMESPACE);
        if at % PER_NAMESPACE == 0 {
            let namespace = set(namespace(&home), "/metadata/labels/e2e", json!(NAME));
            Manifests::parse(&namespace.to_string())?.apply(client, "e2e").await?;
        }
        objects.push((home, format!("w{at}"), at % MISTAKE == 0));
    }
    stream::iter(objects)
        .map(|(home, name, mistaken)| async move {
            if mistaken {
                let selector = json!({ "matchLabels": { "app": name } });
                let budget =
                    json!({ "metadata": { "name": name }, "spec": { "minAvailable": 1, "selector": selector } });
                let api: Api<PodDisruptionBudget> = Api::namespaced(client.clone(), &home);
                api.create(&PostParams::default(), &serde_json::from_value(budget)?).await?;
            }
            let api: Api<Deployment> = Api::namespaced(client.clone(), &home);
            let workload = serde_json::from_value(deployment(&home, &name, if mistaken { 1 } else { 2 }))?;
            api.create(&PostParams::default(), &workload).await?;
            anyhow::Ok(())
        })
        .buffer_unordered(16)
        .try_collect::<()>()
        .await?;
    let policy = set(enforce(NAME), "/spec/namespaceSelector/matchLabels/e2e", json!(NAME));
    Manifests::parse(&policy.to_string())?.apply(client, "e2e").await.map(drop)
}

/// Until every budget is there and computed, the status tells it, and nobody has written about it for a while.
async fn settled(cluster: &Cluster, client: &Client, size: &Size) -> Result<()> {
    let budgets: Api<PodDisruptionBudget> = Api::all(client.clone());
    let policies: Api<DisruptionPolicy> = Api::all(client.clone());
    let managed = size.workloads - size.mistakes();
    eventually("everything to settle", size.patience(), async || {
        let status = policies.get(NAME).await?.status.context("no status")?;
        let told = [status.matched, status.managed, status.yielded].map(|count| count as usize);
        ensure!(told == [size.workloads, managed, size.mistakes()], "the status counts {told:?}");
        let ours = ListParams::default().labels("app.kubernetes.io/managed-by=holdfast");
        let allowing =
            |budget: &&PodDisruptionBudget| budget.status.as_ref().is_some_and(|s| s.disruptions_allowed == 1);
        let ready = budgets.list(&ours).await?.items.iter().filter(allowing).count();
        ensure!(managed <= ready, "{ready} of {managed} budgets allow an eviction");
        let about = |event: &&AuditEvent| event.is_write() && !event.is_about(LEASES);
        let last = cluster.plane.audit().events()?.iter().filter(about).map(|event| event.done).max();
        let calm = Timestamp::now().duration_since(last.context("no write at all")?);
        ensure!(SETTLED <= calm, "the last write was {calm:#} ago");
        Ok(())
    })
    .await
}

/// What goes on in any cluster all the time; how many requests that were.
async fn make_noise(client: &Client, duration: Duration) -> Result<usize> {
    let home = "quiet-0";
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), home);
    let pods: Api<Pod> = Api::namespaced(client.clone(), home);
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), home);
    let leases: Api<Lease> = Api::namespaced(client.clone(), home);
    let names: Vec<String> = pods.list(&ListParams::default()).await?.items.iter().map(|pod| pod.name_any()).collect();
    let (params, end) = (PatchParams::apply("noise").force(), tokio::time::Instant::now() + duration);
    let mut made = 0;
    while tokio::time::Instant::now() < end {
        let beat = json!(made.to_string());
        let annotated = json!({ "metadata": { "annotations": { "noise": beat } } });
        let workload = format!("w{}", made / 5 % PER_NAMESPACE);
        let condition = json!({ "type": "Noise", "status": "True", "reason": "Noise", "message": beat });
        let status = json!({ "status": { "conditions": [condition] } });
        deployments.patch_status(&workload, &PatchParams::default(), &Patch::Strategic(status)).await?;
        deployments.patch(&workload, &PatchParams::default(), &Patch::Merge(&annotated)).await?;
        pods.patch(&names[made / 5 % names.len()], &PatchParams::default(), &Patch::Merge(&annotated)).await?;
        maps.patch("noise", &params, &Patch::Apply(object("v1", "ConfigMap", json!({ "data": { "beat": beat } }))))
            .await?;
        let lease = json!({ "spec": { "holderIdentity": beat } });
        leases.patch("noise", &params, &Patch::Apply(object("coordination.k8s.io/v1", "Lease", lease))).await?;
        made += 5;
    }
    Ok(made)
}

fn object(version: &str, kind: &str, mut fields: Value) -> Value {
    fields["apiVersion"] = json!(version);
    fields["kind"] = json!(kind);
    set(fields, "/metadata/name", json!("noise"))
}

/// Until the new one leads, has decided, and has renewed its Lease three times since: its first statuses would be out by then.
async fn leads_for_a_while(cluster: &Cluster, controller: &ControllerProcess, mark: Mark) -> Result<()> {
    let renewals = || -> Result<usize> {
        let renewed = |event: &&AuditEvent| event.is_write() && event.is_about(LEASES) && event.succeeded();
        Ok(of_ours(cluster, mark)?.iter().filter(renewed).count())
    };
    let before = eventually("the new controller to lead and decide", PATIENCE, async || {
        let metrics = controller.metrics().await?;
        ensure!(metrics.sum("holdfast_leader", &[]) == Some(1.0), "it doesn't lead");
        let managed = metrics.sum("holdfast_workloads", &[("state", "managed")]).unwrap_or_default();
        ensure!(0.0 < managed, "nothing is decided");
        renewals()
    })
    .await?;
    eventually("three renewals of the Lease", PATIENCE, async || {
        ensure!(before + 3 <= renewals()?, "{} of {}", renewals()?, before + 3);
        Ok(())
    })
    .await
}

fn nothing_persisted(cluster: &Cluster, mark: Mark, size: &Size) -> Result<()> {
    let writes: Vec<AuditEvent> = of_ours(cluster, mark)?.into_iter().filter(AuditEvent::is_write).collect();
    let (refused, done): (Vec<_>, Vec<_>) =
        writes.into_iter().filter(|e| !e.is_about(LEASES) && !e.is_about(REVIEWS)).partition(|e| !e.succeeded());
    ensure!(done.is_empty(), "written after the start: {:#?}", summary(&done));
    let known = |event: &AuditEvent| event.is_about(EVENTS) && event.code == 409;
    ensure!(refused.iter().all(known), "refused after the start: {:#?}", summary(&refused));
    // Each budget that blocks is told on the workload and on the budget, and that a namespace states no level on itself.
    let most = 2 * size.mistakes() + size.namespaces();
    ensure!(refused.len() <= most, "{} events were told again, not {most}", refused.len());
    Ok(())
}

fn only_the_lease(cluster: &Cluster, mark: Mark, when: &str) -> Result<()> {
    let requests = of_ours(cluster, mark)?;
    let (renewals, others): (Vec<_>, Vec<_>) =
        requests.into_iter().filter(AuditEvent::is_write).partition(|event| event.is_about(LEASES));
    ensure!(others.is_empty(), "written {when}: {:#?}", summary(&others));
    // Else nobody was there who could have written.
    ensure!(!renewals.is_empty(), "the Lease wasn't renewed {when}");
    Ok(())
}

fn of_ours(cluster: &Cluster, mark: Mark) -> Result<Vec<AuditEvent>> {
    let events = cluster.plane.audit().since(mark)?.into_iter();
    Ok(events.filter(|event| event.user == ServiceAccount::USER).collect())
}

/// How often what was asked for, and what was answered.
fn summary(events: &[AuditEvent]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for event in events {
        let line = format!("{} {}/{} {}", event.verb, event.resource, event.subresource, event.code);
        *counts.entry(line).or_default() += 1;
    }
    counts
}
