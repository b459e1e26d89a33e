//! How a server starts that another one seals, with every product: what it does with an A that is well, and with one that isn't.
//!
//! A well A:
//! 1. B comes up, is initialised, and unseals itself when it is started again.
//! 2. B's token is revoked: it ends, and says 403.
//! 3. The key is deleted and made anew: B comes up, sealed, and says why in its log only.
//! 4. A's storage is put back to before that: B unseals.
//!
//! An A that is down, sealed or without an answer: B gives up after some seconds, or never, without ever listening.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use holdfast_testkit::eventually;
use holdfast_testkit::vault::{Exit, Product, SealedServer, Server, Shape, Started, TransitSeal, TransitServer};
use serde_json::{Value, json};

use crate::with_each;

const DEADLINE: Duration = Duration::from_secs(180);
/// What an unreachable A is given up after is seven to nine seconds; one that hangs isn't given up in this time.
const LONGER_THAN_GIVING_UP: Duration = Duration::from_secs(11);
const KEY: &str = "b";

#[tokio::test]
async fn every_server_starts_as_recorded() -> Result<()> {
    with_each(starts).await
}

async fn starts(product: Product) -> Result<()> {
    tokio::try_join!(
        with_a_transit_that_is_well(product),
        with_a_transit_that_is_down(product),
        with_a_transit_that_is_sealed(product),
        with_a_transit_that_never_answers(product),
    )?;
    Ok(())
}

async fn with_a_transit_that_is_well(product: Product) -> Result<()> {
    let transit = TransitServer::start(product).await?;
    let token = transit.grant(KEY, "24h").await?;
    let mut sealed = SealedServer::start(product, Shape::Single, &transit.seal_with(KEY, Some(&token.token))).await?;
    sealed.restart().await?;
    let (status, state) = sealed.first().request("GET", "sys/seal-status", None, &Value::Null).await?;
    ensure!(status == 200 && state["recovery_seal"] == true && state["version"] == product.version(), "{state}");
    ensure!((state["n"].as_u64(), state["t"].as_u64()) == (Some(3), Some(2)), "{state}");
    ensure!(sealed.first().terminate().await?.code == 0);

    transit.revoke(&token.accessor).await?;
    let exit = sealed.first().exits().await?;
    explained(product, &exit, "Code: 403")?;
    explained(product, &exit, "* permission denied")?;
    ensure!(exit.log.contains("* invalid token") != product.is_openbao(), "{}", exit.log);

    let before = transit.copy_storage().await?;
    let fresh = transit.mint(KEY).await?;
    transit.delete_key(KEY).await?;
    transit.create_key(KEY).await?;
    sealed.servers[0].config.seals[0].token = Some(fresh.token);
    sealed.first().start().await?;
    sealed.first().endpoint().await_health(&[503], DEADLINE).await?;
    eventually("the reason in B's log", DEADLINE, async || {
        ensure!(sealed.first().log()?.contains("cipher: message authentication failed"), "it isn't there");
        Ok(())
    })
    .await?;

    transit.restore_storage(&before).await?;
    ensure!(transit.keys().await? == [KEY], "{:?}", transit.keys().await?);
    sealed.servers[0].config.seals[0].token = Some(transit.mint(KEY).await?.token);
    sealed.restart().await
}

async fn with_a_transit_that_is_down(product: Product) -> Result<()> {
    let transit = Server::builder(product).prepare().await?;
    let seal = TransitSeal { address: Some(transit.url()), ..stanza() };
    let began = Instant::now();
    let exit = Server::builder(product).inmem().seal(seal).prepare().await?.exits().await?;
    ensure!(Duration::from_secs(5) < began.elapsed(), "it gave up after {:?}", began.elapsed());
    explained(product, &exit, "connection refused")
}

async fn with_a_transit_that_is_sealed(product: Product) -> Result<()> {
    let transit = TransitServer::start_as(Server::builder(product).inmem()).await?;
    let token = transit.grant(KEY, "24h").await?;
    transit.seal().await?;
    let seal = transit.seal_with(KEY, Some(&token.token));
    let exit = Server::builder(product).inmem().seal(seal).prepare().await?.exits().await?;
    explained(product, &exit, "Code: 503")?;
    explained(product, &exit, "* Vault is sealed")
}

/// B connects to A through the system, which accepts for the stopped process.
async fn with_a_transit_that_never_answers(product: Product) -> Result<()> {
    let transit = TransitServer::start_as(Server::builder(product).inmem()).await?;
    let token = transit.grant(KEY, "24h").await?;
    transit.server.pause()?;
    let sealed = Server::builder(product).inmem().seal(transit.seal_with(KEY, Some(&token.token))).prepare().await?;
    sealed.launch()?;
    if let Ok(started) = sealed.started(LONGER_THAN_GIVING_UP).await {
        bail!("B should hang: {started:?}");
    }
    ensure!(sealed.ended()?.is_none(), "it ended: {:?}", sealed.ended()?);
    transit.server.resume()?;
    ensure!(sealed.started(DEADLINE).await? == Started::Listening, "B ended though A was back");
    let (status, body) = sealed.request("GET", "sys/init", None, &json!(null)).await?;
    ensure!((status, &body) == (200, &json!({"initialized": false})), "{status} {body}");
    Ok(())
}

fn stanza() -> TransitSeal {
    TransitSeal { token: Some("s.of-nobody".to_owned()), key: KEY.to_owned(), ..TransitSeal::default() }
}

/// It ended with 1, and the last it said is what the seal's configuration failed with.
fn explained(product: Product, exit: &Exit, because: &str) -> Result<()> {
    let Exit { code, log } = exit;
    let lead = match product.is_openbao() {
        true => "Error configuring seal \"transit\": ",
        false => "error parsing Seal configuration: ",
    };
    let last = log.rfind(lead).map(|at| &log[at..]);
    ensure!(*code == 1 && last.is_some_and(|said| said.contains(because)), "{product} ended with {code}:\n{log}");
    Ok(())
}

#[tokio::test]
async fn tls_is_spoken_and_verified_on_both_sides() -> Result<()> {
    let product = Product::OpenBao;
    let transit = TransitServer::start_as(Server::builder(product).inmem().tls(&["a.example"])).await?;
    ensure!(transit.server.url().starts_with("https://"), "{}", transit.server.url());
    let token = transit.grant(KEY, "24h").await?;
    let seal = transit.seal_with(KEY, Some(&token.token));
    let trusting = SealedServer::start(product, Shape::Inmem, &seal).await?;
    ensure!(trusting.first().endpoint().health().await? == 200);
    let distrustful = Server::builder(product).inmem().seal(TransitSeal { authority: None, ..seal }).prepare().await?;
    explained(product, &distrustful.exits().await?, "x509: certificate signed by unknown authority")
}

/// Only OpenBao reads the variables of its own; without a token in either place it is refused.
#[tokio::test]
async fn a_token_comes_from_the_environment() -> Result<()> {
    with_each(async |product| {
        ensure!(starts_with_token_in(product, "VAULT_TOKEN").await? == Started::Listening, "VAULT_TOKEN isn't read");
        let own = starts_with_token_in(product, "VAULT_TRANSIT_SEAL_TOKEN").await?;
        ensure!((own == Started::Listening) == product.is_openbao(), "{own:?}");
        match starts_with_token_in(product, "BAO_TRANSIT_SEAL_TOKEN").await? {
            Started::Listening => bail!("BAO_TRANSIT_SEAL_TOKEN is read"),
            Started::Exited(exit) => explained(product, &exit, "* permission denied"),
        }
    })
    .await
}

async fn starts_with_token_in(product: Product, variable: &str) -> Result<Started> {
    let transit = TransitServer::start_as(Server::builder(product).inmem()).await?;
    let token = transit.grant(KEY, "24h").await?;
    let builder = Server::builder(product).inmem().seal(transit.seal_with(KEY, None));
    let server = builder.environment(variable, token.token).prepare().await?;
    server.launch()?;
    server.started(DEADLINE).await
}

#[tokio::test]
async fn three_servers_are_one_raft_before_and_after_a_power_failure() -> Result<()> {
    let transit = TransitServer::start_as(Server::builder(Product::Vault).inmem()).await?;
    let token = transit.grant(KEY, "24h").await?;
    let seal = transit.seal_with(KEY, Some(&token.token));
    let sealed = SealedServer::start(Product::Vault, Shape::Three, &seal).await?;
    sealed.restart().await?;
    let (status, peers) = sealed.request("GET", "sys/storage/raft/configuration", &Value::Null).await?;
    let peers = peers["data"]["config"]["servers"].as_array().map(Vec::len);
    ensure!((status, peers) == (200, Some(3)), "{status} {peers:?}");
    Ok(())
}

#[tokio::test]
async fn no_two_servers_share_an_address() -> Result<()> {
    let one = Server::builder(Product::OpenBao).prepare().await?;
    let other = Server::builder(Product::OpenBao).prepare().await?;
    ensure!(one.ip() != other.ip() && one.ip() != Ipv4Addr::LOCALHOST && one.ip().is_loopback(), "{}", one.ip());
    Ok(())
}
