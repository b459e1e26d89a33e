//! Two controllers, of which one leads.
//!
//! 1. Both are ready; only one writes.
//! 2. The leader is killed: the other, which was warm, writes within 20 seconds, and never did both write at once.
//! 3. The new leader is told to stop: a third writes within 5 seconds of the Lease being given back.
//!
//! Who wrote is told by the token: each controller has one of its own, which the audit log names. What else may happen to a
//! leader and its Lease is in [`unseated`].

mod candidate;
mod reigns;
mod unseated;

use anyhow::{Result, ensure};
use holdfast_e2e::{Cluster, PATIENCE, Tenant, deployment};
use jiff::SignedDuration;
use serde_json::json;

use candidate::{Candidate, holder};
use reigns::{last_of, listed, reigns};

/// Of a leader that can't say good-bye, and of one that can.
const TAKEOVER: SignedDuration = SignedDuration::from_secs(20);
const HANDOVER: SignedDuration = SignedDuration::from_secs(5);

#[tokio::test]
async fn one_leads_and_another_takes_over_warm() -> Result<()> {
    let cluster = Cluster::start().await?;
    let tenant = Tenant::move_in(cluster.admin(), "led").await?;
    tenant.govern(json!({})).await?;
    let audit = cluster.plane.audit();

    let first = Candidate::start(&cluster, "first", &[]).await?;
    first.says_that_it_leads(true).await?;
    tenant.apply(deployment("led", "one", 3)).await?;
    tenant.budget("one-deployment").await?;
    let second = Candidate::start(&cluster, "second", &[&first]).await?;
    ensure!(holder(&tenant.client).await?.starts_with("first_"), "the second took the Lease from the first");
    first.says_that_it_leads(true).await?;
    second.says_that_it_leads(false).await?;

    let watch = cluster.plane.stopwatch([second.process.id()]);
    let killed = watch.began();
    first.process.kill()?;
    tenant.apply(deployment("led", "two", 3)).await?;
    tenant.budget("two-deployment").await?;
    let (_, ready) = second.process.readyz().await?;
    ensure!(ready.contains("[+]view ok"), "it took over without a view: {ready}");
    let reigns = self::reigns(&audit)?;
    let [_, new] = reigns.as_slice() else { panic!("two tokens wrote: {reigns:#?}") };
    ensure!(new.first.duration_since(killed) <= watch.allows(TAKEOVER)?, "killed at {killed}, but {new:#?}");
    let anew = listed(&audit, &second.credential, killed)?;
    ensure!(anew.is_empty(), "it began to look when it was needed: {anew:#?}");

    let third = Candidate::start(&cluster, "third", &[&first, &second]).await?;
    let watch = cluster.plane.stopwatch([second.process.id(), third.process.id()]);
    second.process.terminate(PATIENCE).await?;
    tenant.apply(deployment("led", "three", 3)).await?;
    tenant.budget("three-deployment").await?;
    ensure!(holder(&tenant.client).await?.starts_with("third_"));
    let reigns = self::reigns(&audit)?;
    let [_, _, new] = reigns.as_slice() else { panic!("three tokens wrote: {reigns:#?}") };
    let released = last_of(&audit, &second.credential)?;
    ensure!(released.is_about("leases.coordination.k8s.io"), "the Lease is given back last: {released:?}");
    let handover = new.first.duration_since(released.done);
    ensure!(!handover.is_negative() && handover <= watch.allows(HANDOVER)?, "{released:?} {new:#?}");
    third.process.terminate(PATIENCE).await?;
    Ok(())
}
