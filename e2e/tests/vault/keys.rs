//! A's key changes while B is down, with every product.
//!
//! 1. The key is rotated: B comes up and wraps what it stored anew.
//! 2. A is put back to before the rotation: B stays sealed, "version is too new"; with the rotated key it comes up again.
//! 3. The key is rotated again, and older versions aren't decrypted any more before B has seen that: B stays sealed, "too old",
//!    and comes up by itself once they are.
//!
//! And what else a test may do on A: roles and their tokens, auth methods, namespaces.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use holdfast_testkit::eventually;
use holdfast_testkit::vault::{Product, SealedServer, Server, Shape, TransitServer};
use serde_json::{Value, json};

use crate::with_each;

const DEADLINE: Duration = Duration::from_secs(180);
const KEY: &str = "b";

#[tokio::test]
async fn every_server_follows_its_key_as_recorded() -> Result<()> {
    with_each(follows).await
}

async fn follows(product: Product) -> Result<()> {
    let transit = TransitServer::start(product).await?;
    let token = transit.grant(KEY, "24h").await?;
    let sealed = SealedServer::start(product, Shape::Single, &transit.seal_with(KEY, Some(&token.token))).await?;
    let before = transit.copy_storage().await?;
    transit.rotate_key(KEY).await?;
    let rotated = transit.copy_storage().await?;
    sealed.restart().await?;
    says(&sealed, "upgrading stored keys").await?;

    sealed.first().kill()?;
    transit.restore_storage(&before).await?;
    ensure!(transit.key(KEY).await?["latest_version"] == 1, "the copy of A's storage has the rotation");
    sealed.first().start().await?;
    says(&sealed, "invalid ciphertext: version is too new").await?;
    ensure!(sealed.first().endpoint().health().await? == 503);
    transit.restore_storage(&rotated).await?;
    sealed.unsealed().await?;

    sealed.first().kill()?;
    transit.rotate_key(KEY).await?;
    transit.set_min_decryption_version(KEY, 3).await?;
    sealed.first().start().await?;
    says(&sealed, "ciphertext or signature version is disallowed by policy (too old)").await?;
    ensure!(sealed.first().endpoint().health().await? == 503);
    transit.set_min_decryption_version(KEY, 1).await?;
    sealed.unsealed().await
}

async fn says(sealed: &SealedServer, what: &str) -> Result<()> {
    eventually(&format!("{what:?} in B's log"), DEADLINE, async || {
        ensure!(sealed.first().log()?.contains(what), "it isn't there");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn tokens_methods_and_namespaces_are_there_to_play_with() -> Result<()> {
    with_each(tokens_and_methods).await?;
    a_namespace_has_mounts_of_its_own().await
}

async fn tokens_and_methods(product: Product) -> Result<()> {
    let transit = TransitServer::start_as(Server::builder(product).inmem()).await?;
    ensure!(transit.keys().await?.is_empty());
    transit.grant(KEY, "1h").await?;
    let capped = transit.mint_with(KEY, &json!({"explicit_max_ttl": "1m"})).await?;
    let lookup = transit.post("auth/token/lookup-accessor", &json!({"accessor": capped.accessor})).await?;
    let lifetime = lookup["data"]["ttl"].as_u64().context("no ttl")?;
    ensure!(lifetime <= 60 && lookup["data"]["orphan"] == true, "{lifetime} s");
    for method in ["jwt", "approle"] {
        transit.enable_auth(method).await?;
        ensure!(transit.get("sys/auth").await?["data"].get(format!("{method}/")).is_some(), "{method}");
    }
    Ok(())
}

async fn a_namespace_has_mounts_of_its_own() -> Result<()> {
    let transit = TransitServer::start_as(Server::builder(Product::OpenBao).inmem()).await?;
    transit.post("sys/namespaces/team", &json!({})).await?;
    let team = transit.server.endpoint().clone().namespace("team");
    let (status, mounts) = team.request("GET", "sys/mounts", Some(transit.root()), &Value::Null).await?;
    ensure!(status == 200 && mounts["data"].get("transit/").is_none(), "{status} {mounts}");
    ensure!(transit.get("sys/mounts").await?["data"].get("transit/").is_some());
    Ok(())
}
