//! Every cause that a real server can have, caused for real: what the resource says, what is told of it, and that it goes.
//!
//! A row is a namespace with servers of its own and a story in which one thing after the other goes wrong and is mended. Each
//! time:
//! 1. It goes wrong. The resource says the cause with its remedy, an event says it too, and so does the metric.
//! 2. It is mended. The diagnosis is gone within fifteen seconds, in the metric too, and an event says that.
//!
//! One control plane and one controller serve all rows. `HOLDFAST_SOAK=1` plays each row with every product.

mod impostor;
mod login;
mod scene;
mod server;
mod token;
mod transit;

use std::collections::BTreeSet;
use std::time::Instant;

use anyhow::{Context as _, Result, anyhow, ensure};
use futures::future::LocalBoxFuture;
use futures::{StreamExt as _, stream};
use holdfast_e2e::churn::say;
use holdfast_e2e::is_soak;
use holdfast_testkit::vault::Product;
use holdfast_vault::cause::Cause;

pub(crate) use impostor::{HTML, Impostor};
pub(crate) use login::{auth, trust};
pub(crate) use scene::{Place, Scene, Stage, Twist, configuration};

use crate::stage;

/// So many rows are played at once: each has two servers or more.
const AT_ONCE: usize = 8;

/// A namespace, its products, and what happens there.
struct Row {
    namespace: &'static str,
    product: Product,
    story: fn(Place<'_>) -> LocalBoxFuture<'_, Result<()>>,
}

const fn row(namespace: &'static str, product: Product, story: fn(Place<'_>) -> LocalBoxFuture<'_, Result<()>>) -> Row {
    Row { namespace, product, story }
}

/// The longest first.
const ROWS: [Row; 15] = [
    row("hung", Product::OpenBao, |place| Box::pin(server::hangs(place))),
    row("three", Product::Vault, |place| Box::pin(server::three(place))),
    row("expiring", Product::OlderOpenBao, |place| Box::pin(token::expires(place))),
    row("unexplained", Product::OpenBao, |place| Box::pin(server::stays_sealed(place))),
    row("elsewhere", Product::OpenBao, |place| Box::pin(transit::elsewhere(place))),
    row("token", Product::Vault, |place| Box::pin(token::content(place))),
    row("rights", Product::Vault, |place| Box::pin(token::rights(place))),
    row("key", Product::OlderOpenBao, |place| Box::pin(transit::key(place))),
    row("reach", Product::OpenBao, |place| Box::pin(transit::reach(place))),
    row("capped", Product::OpenBao, |place| Box::pin(token::capped(place))),
    row("alone", Product::Vault, |place| Box::pin(server::alone(place))),
    row("tls", Product::OlderOpenBao, |place| Box::pin(transit::tls(place))),
    row("login", Product::Vault, |place| Box::pin(login::login(place))),
    row("migration", Product::OpenBao, |place| Box::pin(server::migration(place))),
    row("conflict", Product::Vault, |place| Box::pin(server::conflict(place))),
];

/// What isn't caused here, and why.
const ELSEWHERE: [(Cause, &str); 10] = [
    (Cause::InitOutcomeUnknown, "`init_causes.rs` causes it"),
    (Cause::InitAbandoned, "`init_causes.rs` causes it"),
    (Cause::ClaimBroken, "`init_causes.rs` causes it"),
    (Cause::RecoveryKeysNotStored, "`init_causes.rs` causes it"),
    (Cause::AdminNotProven, "`init_causes.rs` causes it"),
    (Cause::StorageLost, "`init_causes.rs` causes it"),
    (Cause::StorageOlderThanResource, "`init.rs` causes it"),
    (Cause::MigratedStandby, "only a raft of three in the midst of a migration has it"),
    (Cause::PendingTemplateChange, "`keep.rs` causes it"),
    (Cause::RestartByHand, "it comes with rolling restarts, which aren't there yet"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_cause_is_told_and_goes_when_it_is_gone() -> Result<()> {
    let rows = rows();
    let namespaces: Vec<&'static str> = rows.iter().map(|row| row.namespace).collect();
    let cluster = stage::cluster(&namespaces).await?;
    let controller = stage::controller(&cluster, &namespaces).await?;
    let stage = Stage::new(cluster, controller);
    let outcomes: Vec<Result<()>> = stream::iter(&rows)
        .map(|row| {
            let place = Place { stage: &stage, namespace: row.namespace, product: row.product };
            async move {
                let began = Instant::now();
                let told = (row.story)(place).await;
                say(&format!("causes: {} took {:.0?}", row.namespace, began.elapsed()));
                // The addresses of its servers are given to others from now on.
                let left = place.leave().await;
                told.and(left).with_context(|| format!("{} with {}", row.namespace, row.product))
            }
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    stage.say_what_was_felt();
    let failures: Vec<String> =
        outcomes.into_iter().filter_map(Result::err).map(|error| format!("{error:#}")).collect();
    if !failures.is_empty() {
        return Err(stage.controller.explain(anyhow!("{} rows fail:\n{}", failures.len(), failures.join("\n"))));
    }
    every_cause_was_met(&stage.caused())
}

/// Each row with its product, or with every one.
fn rows() -> Vec<Row> {
    if !is_soak() {
        return ROWS.into_iter().collect();
    }
    let named = |row: &Row, product: Product| -> &'static str {
        // Namespaces are named once in the life of the process.
        format!("{}-{}", row.namespace, product.to_string().to_lowercase().replace([' ', '.'], "-")).leak()
    };
    ROWS.iter()
        .flat_map(|row| Product::ALL.map(|product| Row { namespace: named(row, product), product, story: row.story }))
        .collect()
}

/// A cause that is new must be caused here, or be excused.
fn every_cause_was_met(caused: &BTreeSet<Cause>) -> Result<()> {
    let excused = |cause: &Cause| ELSEWHERE.iter().any(|(other, _)| other == cause);
    let missing: Vec<_> = Cause::ALL.iter().filter(|cause| !caused.contains(cause) && !excused(cause)).collect();
    ensure!(missing.is_empty(), "never caused: {missing:?}");
    let vain: Vec<_> = ELSEWHERE.iter().filter(|(cause, _)| caused.contains(cause)).collect();
    ensure!(vain.is_empty(), "excused, and caused all the same: {vain:?}");
    Ok(())
}
