//! Two controllers with a spool each, and whoever has the answer stores it, the Lease or not.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use holdfast_e2e::NAMESPACE;
use holdfast_testkit::fault_proxy::{Fault, Rule, Which};
use holdfast_testkit::{ControllerProcess, eventually};
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use kube::api::{Api, Patch, PatchParams};
use serde_json::json;

use super::DEADLINE;
use super::crossing::{Awaited, How, Then};
use super::end::End;
use super::lane::Lane;
use crate::init::people::KEYS;

/// In so many requests two controllers, of which one sends no other, have looked at the server more than once.
const LOOKS: usize = 6;

/// Both find the gate open, and both claim.
pub(super) async fn nobody_elects(lane: &Lane<'_>) -> Result<()> {
    let watchman = lane.blank().await?;
    let (one, other) = (tempfile::tempdir()?, tempfile::tempdir()?);
    // The second comes to the same point before the first is through.
    let slow = Rule::new(Which::writes().of("secrets").named(""), Fault::Delay(Duration::from_secs(2)));
    let slow = lane.proxy.inject(slow);
    let first = lane.controller(one.path())?;
    let second = lane.controller(other.path())?;
    first.ready(DEADLINE).await?;
    second.ready(DEADLINE).await?;
    lane.apply().await?;
    // Whoever was faster is held, so that whoever wasn't finds the server blank.
    lane.crossing.lay(Awaited::Init, How::Before);
    eventually("both to claim, and one to send", DEADLINE, async || {
        // Two of the trial, two of the claim.
        ensure!(4 <= slow.struck() && lane.crossing.struck(), "{} were made", slow.struck());
        Ok(())
    })
    .await
    .map_err(|error| first.explain(error))?;
    drop(slow);
    let asked = lane.crossing.asked();
    eventually("both to have looked again", DEADLINE, async || {
        ensure!(asked + LOOKS < lane.crossing.asked(), "not yet");
        Ok(())
    })
    .await?;
    lane.crossing.lift(Then::Pass);
    let end = lane.ends(first, one.path(), watchman).await.map_err(|error| second.explain(error))?;
    ensure!(end == End::Complete, "{end:?}");
    eventually("the other spool to be empty", DEADLINE, async || crate::init::is_empty(other.path())).await
}

/// Somebody takes the Lease while the server answers: the answer is stored all the same.
pub(super) async fn lease_lost(lane: &Lane<'_>) -> Result<()> {
    let (watchman, spool) = (lane.begin().await?, tempfile::tempdir()?);
    lane.crossing.lay(Awaited::Init, How::After);
    let controller = lane.candidate(spool.path()).start()?;
    let completed = async {
        eventually("the answer to be held", DEADLINE, async || {
            ensure!(lane.crossing.struck(), "it isn't");
            Ok(())
        })
        .await?;
        take_lease(lane).await?;
        leads(&controller, false).await?;
        lane.crossing.lift(Then::Pass);
        eventually("the answer to be stored, and all that follows", DEADLINE, async || {
            let claim = lane.claim().await?.context("no claim")?;
            ensure!(claim.phase(false).is_complete(), "{:?}", claim.stage);
            Ok(())
        })
        .await?;
        let status = lane.status().await?;
        ensure!(End::of(&status).is_none(), "whoever doesn't lead told an end: {}", json!(status));
        ensure!(controller.metrics().await?.sum("holdfast_vault_leader", &[]) == Some(0.0), "it leads again");
        // Nobody renews the Lease that was taken.
        leads(&controller, true).await
    };
    completed.await.map_err(|error| controller.explain(error))?;
    let end = lane.ends(controller, spool.path(), watchman).await?;
    ensure!(end == End::Complete, "{end:?}");
    Ok(())
}

/// The leader is killed with the answer in its spool. Another leads, and waits; the first comes back and carries on behind it.
pub(super) async fn leader_killed(lane: &Lane<'_>) -> Result<()> {
    let watchman = lane.begin().await?;
    let (one, other) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let keys = Which::writes().of("secrets").named(KEYS);
    // Tried once before there are any.
    let held = lane.proxy.inject(Rule::new(keys, Fault::Delay(DEADLINE)).after(1).times(1));
    let first = lane.candidate(one.path()).start()?;
    leads(&first, true).await?;
    let second = lane.candidate(other.path()).start()?;
    eventually("the write of the keys", DEADLINE, async || {
        ensure!(held.struck() == 1, "not yet");
        Ok(())
    })
    .await
    .map_err(|error| first.explain(error))?;
    first.kill()?;
    drop(held);
    leads(&second, true).await?;
    eventually("the second to see that another is at it", DEADLINE, async || {
        let reason = lane.status().await?.next_step.map(|step| step.reason);
        ensure!(reason.as_deref() == Some("AtWork"), "{reason:?}");
        Ok(())
    })
    .await
    .map_err(|error| second.explain(error))?;
    let back = lane.candidate(one.path()).start()?;
    let carried = carried_on(lane, &back, one.path()).await;
    carried.map_err(|error| back.explain(error)).map_err(|error| second.explain(error))?;
    let end = lane.ends(second, other.path(), watchman).await?;
    ensure!(end == End::Complete, "{end:?}");
    Ok(())
}

async fn carried_on(lane: &Lane<'_>, controller: &ControllerProcess, spool: &Path) -> Result<()> {
    eventually("whoever has the answer to carry on", DEADLINE, async || {
        let claim = lane.claim().await?.context("no claim")?;
        ensure!(claim.phase(false).is_complete(), "{:?}", claim.stage);
        Ok(())
    })
    .await?;
    eventually("its spool to be empty", DEADLINE, async || crate::init::is_empty(spool)).await?;
    leads(controller, false).await
}

async fn leads(controller: &ControllerProcess, wanted: bool) -> Result<()> {
    let leads = if wanted { 1.0 } else { 0.0 };
    eventually(&format!("holdfast_vault_leader to be {leads}"), DEADLINE, async || {
        let told = controller.metrics().await?.sum("holdfast_vault_leader", &[]);
        ensure!(told == Some(leads), "{told:?}");
        Ok(())
    })
    .await
    .map_err(|error| controller.explain(error))
}

/// As if another replica held it from now on, and died.
async fn take_lease(lane: &Lane<'_>) -> Result<()> {
    let leases: Api<Lease> = Api::namespaced(lane.ground.cluster.admin(), NAMESPACE);
    let now = format!("{:.6}", Timestamp::now());
    let spec =
        json!({"holderIdentity": "somebody else", "renewTime": now, "acquireTime": now, "leaseDurationSeconds": 15});
    leases.patch("holdfast-vault", &PatchParams::default(), &Patch::Merge(json!({"spec": spec}))).await?;
    Ok(())
}
