//! What the controller does when it may: a token that is never missing, and pods that don't stay stuck.
//!
//! The token:
//! 1. The Secret has no token. One is made by A's role, through a login of the namespace's ServiceAccount, and the server,
//!    which couldn't start, comes up. Its initialisation is a person's.
//! 2. It is revoked: another is there within ten seconds, and the server starts with it. The old one wasn't used any more.
//! 3. The Secret is edited into nonsense: the same.
//! 4. The login's policy is taken away while the token is dead: nothing is made, the cause is told; given back, it goes on.
//!
//! The end, with `deletionPolicy: Revoke`:
//! 1. The resource is deleted while the server is there: it goes, and the token lives.
//! 2. It is made anew, and deleted when StatefulSet and volumes are gone: the token is dead.
//! 3. The same while A is down: it goes within a minute or so.
//!
//! Two pods, with a kubelet that waits as long as a real one:
//! 1. A hangs, and the server is killed: it hangs in its start, and nothing is done. A goes on: the server goes on by
//!    itself, or its pod is deleted; nobody has to come.
//! 2. A is down for long, and the server waits in CrashLoopBackOff for ever longer; meanwhile somebody changes the template. A is
//!    back: the pod would come back as another, so it stays, and `PendingTemplateChange` says why. The template is as before: the
//!    pod is deleted at once.
//!
//! That one then says that it needs itself to start: `ColdStart` tells the circle, until it doesn't say so any more.

use std::time::Duration;

use anyhow::{Result, ensure};
use holdfast_api::VaultTransitUnsealStatus;
use holdfast_e2e::Cluster;
use holdfast_e2e::vault::{ACCOUNT, minting_policy};
use holdfast_testkit::server_kubelet::Builder;
use holdfast_testkit::vault::{Product, Server, TransitServer};
use holdfast_testkit::{ControllerProcess, Stopwatch, eventually};
use jiff::SignedDuration;
use serde_json::json;

use crate::stage::{self, DEADLINE, KEY, NAME, Pair, START, condition};

/// What has to be there this soon is there this soon.
const SOON: SignedDuration = SignedDuration::from_secs(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_never_missing_and_no_pod_stays_stuck() -> Result<()> {
    let namespaces = ["token", "hangs", "waits", "goes", "down"];
    let cluster = stage::cluster(&namespaces).await?;
    let controller = stage::controller(&cluster, &namespaces).await?;
    let token = Box::pin(token(&cluster, &controller));
    let (hangs, waits) = (Box::pin(hangs(&cluster)), Box::pin(waits(&cluster, &controller)));
    let (goes, down) = (Box::pin(goes(&cluster)), Box::pin(goes_while_a_is_down(&cluster)));
    tokio::try_join!(token, hangs, waits, goes, down).map_err(|error| controller.explain(error))?;
    Ok(())
}

/// What was waited for since then is there.
fn is_soon(watch: &Stopwatch) -> Result<()> {
    let (took, limit) = (watch.elapsed(), watch.allows(SOON)?);
    ensure!(took < limit, "it took {took:#}, not {limit:#}");
    Ok(())
}

async fn token(cluster: &Cluster, controller: &ControllerProcess) -> Result<()> {
    let a = TransitServer::start_as(Server::builder(Product::OpenBao).inmem()).await?;
    a.grant(KEY, "24h").await?;
    stage::trust(&a, cluster, "token").await?;
    let pair = Pair::prepare(cluster, "token", Product::OpenBao, a, |kubelet| kubelet).await?;
    pair.apply(&stage::managed()).await?;
    pair.initialise().await?;
    // The canary is there before the restart.
    pair.eventually("no evidence", |status| condition(status, "WouldStart") == ("Unknown", "NoEvidence")).await?;
    ensure!(pair.restarts(START).await?, "it doesn't start with the token that was made");
    pair.eventually("evidence", |status| condition(status, "WouldStart").0 == "True").await?;

    let first = pair.secret().await?;
    pair.a.revoke(&first["accessor"]).await?;
    let watch = cluster.plane.stopwatch([controller.id(), std::process::id()]);
    let second = pair.another_token(&first["token"]).await?;
    is_soon(&watch)?;
    ensure!(pair.restarts(START).await?, "it doesn't start with the second token");

    pair.write_secret("broken\n").await?;
    let third = pair.another_token("broken\n").await?;
    ensure!(third["token"] != second["token"]);
    let (status, _) =
        pair.a.request("POST", "auth/token/lookup-accessor", &json!({"accessor": second["accessor"]})).await?;
    ensure!(status == 200, "a token was revoked that a server may be using: {status}");

    pair.a.write_policy(ACCOUNT, "path \"none\" { capabilities = [\"read\"] }").await?;
    pair.a.revoke(&third["accessor"]).await?;
    pair.eventually("the dead token to be told", |status| {
        status.diagnosis.as_ref().is_some_and(|found| found.cause == "TokenDead")
            && status.next_step.as_ref().is_some_and(|step| step.reason == "FailedJustNow")
    })
    .await?;
    pair.a.write_policy(ACCOUNT, &minting_policy()).await?;
    pair.another_token(&third["token"]).await?;
    pair.eventually("health", |status| condition(status, "Ready").0 == "True").await.map(drop)
}

/// A server that was seen to unseal, so that it is known that it would start.
async fn proven(cluster: &Cluster, namespace: &'static str) -> Result<Pair> {
    let a = TransitServer::start(Product::OpenBao).await?;
    let token = a.grant(KEY, "24h").await?.token;
    // As a real kubelet waits.
    let patient = |kubelet: Builder| kubelet.back_off(Duration::from_secs(10), Duration::from_secs(300));
    let pair = Pair::prepare(cluster, namespace, Product::OpenBao, a, patient).await?;
    pair.write_secret(&token).await?;
    pair.initialise().await?;
    pair.apply(&json!({"mode": "Manage", "restart": {"bootGrace": "5s"}})).await?;
    pair.eventually("no evidence", |status| condition(status, "WouldStart") == ("Unknown", "NoEvidence")).await?;
    ensure!(pair.restarts(START).await?, "it doesn't start though nothing is wrong");
    pair.eventually("evidence", |status| condition(status, "WouldStart").0 == "True").await?;
    Ok(pair)
}

async fn hangs(cluster: &Cluster) -> Result<()> {
    let pair = proven(cluster, "hangs").await?;
    let before = pair.uid().await?;
    pair.a.server.pause()?;
    pair.kubelet.kill("vault-0")?;
    pair.eventually("A to hang", |status| status.diagnosis.as_ref().is_some_and(|found| found.cause == "TransitHangs"))
        .await?;
    ensure!(pair.uid().await? == before, "a pod was deleted while A couldn't decrypt");
    pair.a.server.resume()?;
    pair.eventually("health", |status| condition(status, "Ready").0 == "True").await.map(drop)
}

async fn waits(cluster: &Cluster, controller: &ControllerProcess) -> Result<()> {
    let pair = proven(cluster, "waits").await?;
    let before = pair.uid().await?;
    pair.a.server.kill()?;
    pair.kubelet.kill("vault-0")?;
    eventually("the server to wait in back-off", DEADLINE, async || {
        let status = pair.status().await?;
        let waits = status.pods.iter().any(|pod| pod.state.as_str() == "CrashLooping" && 3 <= pod.restarts);
        ensure!(waits, "{:?}", status.pods);
        Ok(())
    })
    .await?;
    ensure!(pair.uid().await? == before, "a pod was deleted while A couldn't decrypt");
    pair.set.mark_template(Some("another")).await?;
    pair.a.start_again().await?;
    pair.eventually("what keeps the pod from being deleted", |status| {
        let told = status.diagnosis.as_ref().is_some_and(|found| found.cause == "PendingTemplateChange");
        told && status.next_step.as_ref().is_some_and(|step| step.reason == "PendingTemplateChange")
    })
    .await?;
    ensure!(pair.uid().await? == before, "the pod was deleted, and came back from another template");
    pair.set.mark_template(None).await?;
    let watch = cluster.plane.stopwatch([controller.id(), std::process::id()]);
    eventually("the pod to be replaced", DEADLINE, async || {
        ensure!(pair.uid().await? != before, "it waits in back-off");
        Ok(())
    })
    .await?;
    is_soon(&watch)?;
    pair.eventually("health", |status| condition(status, "Ready").0 == "True").await?;

    let spec = json!({"mode": "Manage", "restart": {"bootGrace": "5s"}});
    let mut in_a_circle = spec.clone();
    in_a_circle["coldStart"] = json!({"dependsOn": [NAME]});
    pair.apply(&in_a_circle).await?;
    pair.eventually("the circle", |status| condition(status, "ColdStart") == ("False", "Circular")).await?;
    pair.apply(&spec).await?;
    let broken = |status: &VaultTransitUnsealStatus| condition(status, "ColdStart").1 != "Circular";
    pair.eventually("the circle to be gone", broken).await.map(drop)
}

/// A server whose token was made by the controller, which takes it back in the end.
async fn revoking(cluster: &Cluster, namespace: &'static str) -> Result<Pair> {
    let a = TransitServer::start_as(Server::builder(Product::OpenBao).inmem()).await?;
    a.grant(KEY, "24h").await?;
    stage::trust(&a, cluster, namespace).await?;
    let pair = Pair::prepare(cluster, namespace, Product::OpenBao, a, |kubelet| kubelet).await?;
    let mut spec = stage::managed();
    spec["deletionPolicy"] = json!("Revoke");
    pair.apply(&spec).await?;
    pair.another_token("").await?;
    pair.eventually("a healthy token", |status| condition(status, "TokenHealthy").0 == "True").await?;
    Ok(pair)
}

async fn goes(cluster: &Cluster) -> Result<()> {
    let pair = revoking(cluster, "goes").await?;
    let held = pair.secret().await?;
    let lives = async || {
        let asked = json!({"accessor": held["accessor"]});
        anyhow::Ok(pair.a.request("POST", "auth/token/lookup-accessor", &asked).await?.0 == 200)
    };
    pair.delete(DEADLINE).await?;
    ensure!(lives().await?, "the token of a server that is there was revoked");

    let mut spec = stage::managed();
    spec["deletionPolicy"] = json!("Revoke");
    pair.apply(&spec).await?;
    pair.eventually("a healthy token", |status| condition(status, "TokenHealthy").0 == "True").await?;
    ensure!(pair.secret().await? == held, "another token was made though the first one lives");
    pair.delete_server(cluster, "goes").await?;
    pair.delete(DEADLINE).await?;
    ensure!(!lives().await?, "the token lives though nobody can want it any more");
    ensure!(pair.a.keys().await? == [KEY], "the key is gone");
    Ok(())
}

async fn goes_while_a_is_down(cluster: &Cluster) -> Result<()> {
    let pair = revoking(cluster, "down").await?;
    pair.delete_server(cluster, "down").await?;
    pair.a.server.kill()?;
    pair.delete(Duration::from_secs(90)).await
}
