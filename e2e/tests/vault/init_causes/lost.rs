//! What is lost with a controller that is killed in the midst of an initialisation, and its spool with it.
//!
//! 1. `outcome`: the server got the request. Its storage has to go, and the attempt with it.
//! 2. `abandoned`: the server never got it. The attempt has to go.
//! 3. `rootless` and `rootless-bao`: the keys are stored, and the administrator wasn't seen to get in. Where the recovery keys make
//!    another root token, the claim goes when that is done; where they make none, the storage goes before.

use std::net::Ipv4Addr;

use anyhow::{Context as _, Result, ensure};
use holdfast_e2e::Cluster;
use holdfast_testkit::vault::{Endpoint, Product};
use holdfast_testkit::{ControllerProcess, eventually};
use holdfast_vault::cause::Cause;
use k8s_openapi::ByteString;
use kube::api::DeleteParams;
use serde_json::{Value, json};

use crate::init::people::People;
use crate::init::{self, Birth, CLAIM};
use crate::stage::{DEADLINE, Shape, condition};
use crate::wire::{Half, Wire};

pub(super) const NAMESPACES: [&str; 4] = ["outcome", "abandoned", "rootless", "rootless-bao"];

const INIT: &str = "/v1/sys/init HTTP";
const TAKEN: &str = "token is mounted";

pub(super) async fn tells(cluster: &Cluster) -> Result<()> {
    let outcome = Birth::expect(cluster, "outcome", &Shape::single(Product::Vault)).await?;
    let abandoned = Birth::expect(cluster, "abandoned", &Shape::single(Product::OpenBao)).await?;
    let vault = Birth::expect(cluster, "rootless", &Shape::single(Product::Vault)).await?;
    let bao = Birth::expect(cluster, "rootless-bao", &Shape::single(Product::OpenBao)).await?;
    let wires = [on_a_wire(&outcome, Half::Answer).await?, on_a_wire(&abandoned, Half::Request).await?];
    let people = People::new();
    for birth in [&vault, &bao] {
        let mut wanted = people.initialization();
        wanted["admin"]["mount"] = json!("token");
        birth.ask(&wanted).await?;
    }
    let spool = tempfile::tempdir()?;
    let first = another(cluster, &spool).await?;
    let midst = async {
        tokio::try_join!(is_sent(&wires[0]), is_sent(&wires[1]))?;
        outcome.pair.kubelet.endpoint("vault-0")?.await_health(&[200], DEADLINE).await?;
        tokio::try_join!(vault.is_told(Cause::AdminNotProven, TAKEN), bao.is_told(Cause::AdminNotProven, TAKEN))
    };
    midst.await.map_err(|error| first.explain(error))?;
    first.kill()?;
    drop(spool);
    wires.iter().for_each(Wire::heal);
    let spool = tempfile::tempdir()?;
    let second = another(cluster, &spool).await?;
    let all = async {
        tokio::try_join!(
            Box::pin(outcome_is_unknown(&outcome)),
            Box::pin(nothing_came_of_it(&abandoned)),
            Box::pin(root_is_made_anew(&vault, &people)),
            Box::pin(server_is_given_up(&bao)),
        )?;
        init::is_empty(spool.path())
    };
    all.await.map_err(|error| second.explain(error))
}

async fn is_sent(wire: &Wire) -> Result<()> {
    eventually("an initialisation to be sent", DEADLINE, async || {
        ensure!(wire.sent().iter().any(|sent| sent.contains(INIT)), "it isn't");
        Ok(())
    })
    .await
}

/// Its initialisation is asked for, and goes astray.
async fn on_a_wire(birth: &Birth<'_>, what: Half) -> Result<Wire> {
    let ip: Ipv4Addr = birth.pair.kubelet.ip("vault-0")?;
    let wire = Wire::to((ip, 8200).into(), (ip, 0)).await?;
    wire.lose(what, INIT);
    let wanted = People::new().initialization();
    birth.ask_with(&json!({"initialization": wanted, "target": {"port": wire.port()}})).await?;
    Ok(wire)
}

/// A controller for these, which needn't wait for the Lease of the other.
async fn another(cluster: &Cluster, spool: &tempfile::TempDir) -> Result<ControllerProcess> {
    let builder = cluster.vault_controller_builder(&NAMESPACES).await?.without_leader_election();
    let builder = builder.argument(format!("--spool={}", spool.path().display()));
    let controller = builder.log_level("info,holdfast_vault=debug").start()?;
    controller.ready(DEADLINE).await?;
    Ok(controller)
}

async fn outcome_is_unknown(birth: &Birth<'_>) -> Result<()> {
    birth.age_claim().await?;
    let claim = birth.claim().await?;
    birth.is_told(Cause::InitOutcomeUnknown, "its storage: data-vault-0").await?;
    let given_up = json!({"initialization": {"discardAttempt": claim.attempt}});
    birth.change(&given_up).await?;
    birth.pair.look().await?;
    ensure!(birth.claim().await? == claim, "given up though the server is initialised");
    birth.pair.kubelet.wipe_disk("vault-0")?;
    birth.pair.kubelet.endpoint("vault-0")?.await_health(&[501], DEADLINE).await?;
    birth.is_cured_of(Cause::InitOutcomeUnknown).await?;
    birth.is_complete().await?;
    ensure!(birth.claim().await?.attempt != claim.attempt, "{claim:?}");
    Ok(())
}

async fn nothing_came_of_it(birth: &Birth<'_>) -> Result<()> {
    birth.age_claim().await?;
    let claim = birth.claim().await?;
    birth.is_told(Cause::InitAbandoned, "its request may have been sent, and the server isn't initialised").await?;
    birth.change(&json!({"initialization": {"discardAttempt": "another"}})).await?;
    birth.pair.look().await?;
    ensure!(birth.claim().await? == claim, "it isn't this attempt that was given up");
    birth.change(&json!({"initialization": {"discardAttempt": claim.attempt}})).await?;
    birth.is_cured_of(Cause::InitAbandoned).await?;
    birth.is_complete().await?;
    ensure!(birth.claim().await?.attempt != claim.attempt, "{claim:?}");
    Ok(())
}

/// Of Vault: two people make another root token, and from then on the server is theirs.
async fn root_is_made_anew(birth: &Birth<'_>, people: &People) -> Result<()> {
    birth.age_claim().await?;
    birth.is_told(Cause::AdminNotProven, "the root token is lost").await?;
    let shares = people.shares(&birth.cluster.admin(), birth.namespace).await?;
    let b = birth.pair.kubelet.endpoint("vault-0")?;
    let root = root_of(&b, &shares[..2]).await?;
    let (status, _) = b.request("GET", "auth/token/lookup-self", Some(&root), &Value::Null).await?;
    ensure!(status == 200, "the token isn't one: {status}");
    birth.secrets().delete(CLAIM, &DeleteParams::default()).await?;
    birth.is_cured_of(Cause::AdminNotProven).await?;
    let status =
        birth.pair.eventually("a server of somebody's", |status| condition(status, "Ready").0 == "True").await?;
    ensure!(condition(&status, "RecoveryKeysStored") == ("Unknown", "External"), "{}", json!(status));
    ensure!(status.initialization.is_none(), "{}", json!(status));
    let kept = people.shares(&birth.cluster.admin(), birth.namespace).await?;
    ensure!(kept == shares, "the keys went with the claim");
    Ok(())
}

async fn root_of(b: &Endpoint, shares: &[String]) -> Result<String> {
    let (status, begun) = b.request("POST", "sys/generate-root/attempt", None, &json!({})).await?;
    ensure!(status == 200, "{status} {}", begun["errors"]);
    let mut last = Value::Null;
    for share in shares {
        let part = json!({"key": share, "nonce": begun["nonce"]});
        let (status, answer) = b.request("POST", "sys/generate-root/update", None, &part).await?;
        ensure!(status == 200, "{status} {}", answer["errors"]);
        last = answer;
    }
    let (encoded, otp) =
        (last["encoded_token"].as_str().context("no token")?, begun["otp"].as_str().context("no otp")?);
    let padded = format!("{encoded:=<length$}", length = encoded.len().next_multiple_of(4));
    let bytes: ByteString = serde_json::from_value(json!(padded))?;
    Ok(String::from_utf8(bytes.0.iter().zip(otp.bytes()).map(|(one, other)| one ^ other).collect())?)
}

/// Of OpenBao: recovery keys make no root token there. Nobody has put anything into it, so it is begun anew.
async fn server_is_given_up(birth: &Birth<'_>) -> Result<()> {
    birth.age_claim().await?;
    birth.is_told(Cause::AdminNotProven, "the root token is lost").await?;
    let before = birth.claim().await?;
    let b = birth.pair.kubelet.endpoint("vault-0")?;
    let (status, _) = b.request("POST", "sys/generate-root/attempt", None, &json!({})).await?;
    ensure!(status == 405, "it makes root tokens: {status}");
    birth.change(&json!({"initialization": {"admin": {"mount": "kubernetes"}}})).await?;
    birth.pair.kubelet.wipe_disk("vault-0")?;
    birth.is_told(Cause::StorageLost, "no pod knows of it any more").await?;
    birth.secrets().delete(CLAIM, &DeleteParams::default()).await?;
    birth.is_cured_of(Cause::StorageLost).await?;
    birth.is_complete().await?;
    ensure!(birth.claim().await?.attempt != before.attempt, "{before:?}");
    Ok(())
}
