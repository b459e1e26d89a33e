//! Two controllers, of which one leads.
//!
//! 1. Both are ready; only one writes.
//! 2. The leader is killed: the other, which was warm, writes within 20 seconds, and never did both write at once.
//! 3. The new leader is told to stop: a third writes within 5 seconds of the Lease being given back.
//!
//! Who wrote is told by the token: each controller has one of its own, which the audit log names.

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use holdfast_e2e::{Cluster, PATIENCE, ServiceAccount, Tenant, deployment};
use holdfast_testkit::{AuditEvent, AuditLog, ControllerProcess, eventually};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use serde_json::json;

/// Of a leader that can't say good-bye, and of one that can.
const TAKEOVER: SignedDuration = SignedDuration::from_secs(20);
const HANDOVER: SignedDuration = SignedDuration::from_secs(5);

#[tokio::test]
async fn one_leads_and_another_takes_over_warm() -> Result<()> {
    let cluster = Cluster::start().await?;
    let tenant = Tenant::move_in(cluster.admin(), "led").await?;
    tenant.govern(json!({})).await?;
    let audit = cluster.plane.audit();

    let first = candidate(&cluster, "first").await?;
    tenant.apply(deployment("led", "one", 3)).await?;
    tenant.budget("one-deployment").await?;
    let second = candidate(&cluster, "second").await?;
    ensure!(holder(&tenant).await?.starts_with("first_"), "the second took the Lease from the first");
    let leads = first.metrics().await?.sum("holdfast_leader", &[]);
    ensure!(leads == Some(1.0) && second.metrics().await?.sum("holdfast_leader", &[]) == Some(0.0), "{leads:?}");

    let killed = Timestamp::now();
    first.kill()?;
    tenant.apply(deployment("led", "two", 3)).await?;
    tenant.budget("two-deployment").await?;
    let (_, ready) = second.readyz().await?;
    ensure!(ready.contains("[+]view ok"), "it took over without a view: {ready}");
    let writers = writers(&audit)?;
    let [old, new] = writers.as_slice() else { panic!("two tokens wrote: {writers:#?}") };
    ensure!(old.last < new.first, "both wrote at once: {old:#?} {new:#?}");
    ensure!(new.first.duration_since(killed) <= TAKEOVER, "killed at {killed}, but {new:#?}");
    ensure!(new.listed_before(&audit, killed)?, "it began to look when it was needed");

    let third = candidate(&cluster, "third").await?;
    let before = new.clone();
    second.terminate(PATIENCE).await?;
    tenant.apply(deployment("led", "three", 3)).await?;
    tenant.budget("three-deployment").await?;
    ensure!(holder(&tenant).await?.starts_with("third_"));
    let writers = self::writers(&audit)?;
    let [_, old, new] = writers.as_slice() else { panic!("three tokens wrote: {writers:#?}") };
    let released = last_of(&audit, &before.credential)?;
    ensure!(released.is_about("leases.coordination.k8s.io"), "the Lease is given back last: {released:?}");
    ensure!(old.last < new.first, "both wrote at once: {old:#?} {new:#?}");
    let handover = new.first.duration_since(released.done);
    ensure!(!handover.is_negative() && handover <= HANDOVER, "{released:?} {new:#?}");
    third.terminate(PATIENCE).await?;
    Ok(())
}

/// A controller under this name, with a token of its own, once it is ready.
async fn candidate(cluster: &Cluster, name: &str) -> Result<ControllerProcess> {
    let shared: PathBuf = cluster.account().await?;
    let own = cluster.plane.dir().join(format!("{name}.kubeconfig"));
    std::fs::copy(&shared, &own)?;
    let controller = ControllerProcess::builder(own).argument(format!("--pod={name}")).start()?;
    controller.ready(PATIENCE).await?;
    if name == "first" {
        let leads = async || {
            let leads = controller.metrics().await?.sum("holdfast_leader", &[]);
            ensure!(leads == Some(1.0), "{leads:?}");
            Ok(())
        };
        eventually("the first to lead", PATIENCE, leads).await?;
    }
    Ok(controller)
}

async fn holder(tenant: &Tenant) -> Result<String> {
    let leases: Api<Lease> = Api::namespaced(tenant.client.clone(), "holdfast-system");
    let spec = leases.get("holdfast").await?.spec.context("a Lease without a spec")?;
    Ok(spec.holder_identity.unwrap_or_default())
}

/// Who wrote anything but the Lease, and from when to when.
#[derive(Clone, Debug)]
struct Writer {
    credential: String,
    first: Timestamp,
    last: Timestamp,
}

impl Writer {
    /// Whether it watched Deployments before this moment.
    fn listed_before(&self, audit: &AuditLog, moment: Timestamp) -> Result<bool> {
        let events = audit.events()?;
        Ok(events.iter().any(|event| {
            event.credential == self.credential
                && event.verb == "watch"
                && event.is_about("deployments.apps")
                && event.at < moment
        }))
    }
}

/// The writers in the order in which they began.
fn writers(audit: &AuditLog) -> Result<Vec<Writer>> {
    let mut writers: Vec<Writer> = Vec::new();
    for event in written(audit)?.iter().filter(|event| is_policy_write(event)) {
        match writers.iter_mut().find(|writer| writer.credential == event.credential) {
            Some(writer) => writer.last = writer.last.max(event.done),
            None => {
                writers.push(Writer { credential: event.credential.clone(), first: event.at, last: event.done });
            }
        }
    }
    writers.sort_by_key(|writer| writer.first);
    Ok(writers)
}

/// A standby asks what it may do, says nothing and changes nothing.
fn is_policy_write(event: &AuditEvent) -> bool {
    event.is_about("poddisruptionbudgets.policy") || event.group == "holdfast.dev" || event.group == "events.k8s.io"
}

fn last_of(audit: &AuditLog, credential: &str) -> Result<AuditEvent> {
    let written = written(audit)?.into_iter().filter(|event| event.credential == credential);
    written.max_by_key(|event| event.done).context("it wrote nothing")
}

fn written(audit: &AuditLog) -> Result<Vec<AuditEvent>> {
    let events = audit.events()?.into_iter();
    let ours = events.filter(|event| event.user == ServiceAccount::USER && event.is_write());
    Ok(ours.collect())
}
