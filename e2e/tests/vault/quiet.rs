//! A server that is well: nothing is written, nobody at the API server is asked, and each server is asked once in an interval.
//!
//! 1. A server was restarted while it was watched, so that all is known of it; a whole look is just over.
//! 2. Twenty seconds (forty with `HOLDFAST_SOAK=1`) go by, with an interval of one second.
//! 3. The API server's audit log has nothing of the controller's account but renewals of its Lease. A was asked to decrypt and B
//!    for its health, about once a second each. The log has no line more.

use std::time::Duration;

use anyhow::{Result, ensure};
use holdfast_e2e::is_soak;
use holdfast_testkit::AuditEvent;
use holdfast_testkit::vault::{Product, Server, TransitServer};
use serde_json::json;

use crate::stage::{self, DEADLINE, KEY, Pair, START, USER, condition};
use crate::wire::Wire;

const NAMESPACE: &str = "quiet";
const LEASES: &str = "leases.coordination.k8s.io";
/// The port of B behind which the wire is.
const LISTENED: u16 = 8210;
const API: u16 = 8200;

fn silence() -> Duration {
    match is_soak() {
        // The next whole look may come after three quarters of a minute.
        true => Duration::from_secs(40),
        false => Duration::from_secs(20),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_well_is_left_alone() -> Result<()> {
    let cluster = stage::cluster(&[NAMESPACE]).await?;
    let controller = cluster.vault_controller_builder(&[NAMESPACE]).await?.log_level("info").start()?;
    controller.ready(DEADLINE).await?;
    let a = TransitServer::start_as(Server::builder(Product::OpenBao).inmem()).await?;
    let token = a.grant(KEY, "24h").await?.token;
    let pair = Pair::start(&cluster, NAMESPACE, Product::OpenBao, a, &token).await?;
    let b = pair.kubelet.ip("vault-0")?;
    let to_a = Wire::to((pair.a.server.ip(), API).into(), (pair.a.server.ip(), 0)).await?;
    let to_b = Wire::to((b, API).into(), (b, LISTENED)).await?;
    pair.apply(&json!({"target": {"port": to_b.port()}, "seal": {"transit": {"address": to_a.url()}}})).await?;
    pair.eventually("no evidence", |status| condition(status, "WouldStart") == ("Unknown", "NoEvidence")).await?;
    ensure!(pair.restarts(START).await?, "it doesn't start though nothing is wrong");
    pair.eventually("evidence", |status| condition(status, "WouldStart") == ("True", "Rehearsed")).await?;
    pair.set.await_ready(1).await?;
    pair.look().await?;

    let (mark, log) = (cluster.plane.audit().mark()?, controller.log()?);
    let (asked_a, asked_b) = (to_a.requests(), to_b.requests());
    // Not to wait for anything: this is how long it is watched.
    tokio::time::sleep(silence()).await;
    let events = cluster.plane.audit().since(mark)?;
    let (of_a, of_b) = (to_a.request_lines(asked_a), to_b.request_lines(asked_b));

    let ours: Vec<&AuditEvent> = events.iter().filter(|event| event.user == USER).collect();
    let (leases, others): (Vec<_>, Vec<_>) = ours.into_iter().partition(|event| event.is_about(LEASES));
    // A watch is begun anew now and then.
    let others: Vec<_> = others.into_iter().filter(|event| event.verb != "watch").collect();
    ensure!(others.is_empty(), "{others:#?}");
    // Else nobody was there who could have written.
    ensure!(!leases.is_empty(), "the Lease wasn't renewed");
    for (server, asked, line) in [("A", &of_a, "/v1/transit/decrypt/b"), ("B", &of_b, "/v1/sys/health")] {
        let seconds = silence().as_secs() as usize;
        let about_one_each = seconds / 2..=seconds * 10 / 9 + 1;
        ensure!(about_one_each.contains(&asked.len()), "{server} was asked {} times: {asked:#?}", asked.len());
        ensure!(asked.iter().all(|asked| asked.contains(line)), "{server} was asked {asked:#?}");
    }
    ensure!(controller.log()? == log, "{}", &controller.log()?[log.len()..]);
    Ok(())
}
