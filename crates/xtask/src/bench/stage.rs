//! Where benchmarks play: etcd, an API server, the chart, and the shipped binary under the chart's account.
//!
//! Nobody else works there: without controllers objects stay as they were created, and both processors are left to the
//! API server and whoever is measured.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use holdfast_e2e::{Cluster, checkout, enforce, set};
use holdfast_testkit::{ControlPlane, ControllerProcess, Manifests, Metrics, Usage, client_from, eventually};
use kube::Client;
use kube::api::{Api, DeleteParams};
use serde_json::json;

use super::lists;

/// How long anything may take before a benchmark gives up.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);
/// The policy, and the label of the namespaces that it selects.
pub(super) const NAME: &str = "bench";
/// So long nothing must have changed before something counts as settled.
const SETTLED: Duration = Duration::from_secs(3);

/// A server with the chart.
pub(super) struct Stage {
    cluster: Cluster,
    binary: PathBuf,
}

impl Stage {
    pub(super) async fn start(binary: PathBuf) -> Result<Self> {
        let plane = ControlPlane::builder().without_audit().without_controllers().start().await?;
        let cluster = Cluster::on(plane).await?;
        // All kinds that are watched, so that all watches are on.
        Manifests::read(&checkout().join("e2e/crds"))?.apply(&cluster.admin(), "bench").await?;
        cluster.install(&json!({})).await?;
        let stage = Self { cluster, binary };
        // The API server asks to wait while it prepares the storage of kinds that were just defined.
        let client = stage.bare().await?;
        eventually("every kind to be served", PATIENCE, async || lists::read(&client).await).await?;
        Ok(stage)
    }

    pub(super) fn admin(&self) -> Client {
        self.cluster.admin()
    }

    /// What the API server and etcd took of the processors so far.
    pub(super) fn server_processor(&self) -> Result<Duration> {
        self.cluster.plane.processor()
    }

    /// Has the API server collect its garbage now: else what was asked for before, as when a controller lists everything at its
    /// start, decides upon whom the next collection falls, which takes as long as some hundred writes.
    pub(super) async fn collect_garbage(&self) -> Result<()> {
        let request = http::Request::get("/debug/pprof/heap?gc=1&debug=1").body(Vec::new())?;
        self.admin().request_text(request).await.context("asking for a collection")?;
        Ok(())
    }

    /// How many bytes the API server asked for so far, and how often its garbage collector ran: a measure of its work that no
    /// other process on the machine disturbs.
    pub(super) async fn server_memory(&self) -> Result<(f64, f64)> {
        let request = http::Request::get("/metrics").body(Vec::new())?;
        let metrics = Metrics::new(self.admin().request_text(request).await?);
        let told = |name: &str| metrics.sum(name, &[]).with_context(|| format!("the API server doesn't tell {name}"));
        Ok((told("go_memstats_alloc_bytes_total")?, told("go_gc_duration_seconds_count")?))
    }

    /// A client with the controller's own rights, and so in the same queue of the API server's flow control.
    pub(super) async fn bare(&self) -> Result<Client> {
        client_from(&self.cluster.account().await?).await
    }

    /// A controller that leads, and how long it took from its start to readiness.
    pub(super) async fn controller(&self) -> Result<(ControllerProcess, Duration)> {
        let builder = self.cluster.controller_builder().await?.binary(&self.binary).log_level("info");
        let begun = Instant::now();
        let controller = builder.start()?;
        let ready = loop {
            if controller.readyz().await.is_ok_and(|(status, _)| status == 200) {
                break begun.elapsed();
            }
            ensure!(begun.elapsed() < PATIENCE, "not ready within {PATIENCE:?}: {:?}", controller.readyz().await);
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        controller.leads(PATIENCE).await?;
        Ok((controller, ready))
    }

    /// A policy that enforces in the namespaces of the benchmark.
    pub(super) async fn enforce(&self) -> Result<()> {
        let policy = set(enforce(NAME), "/spec/namespaceSelector/matchLabels", json!({ NAME: "true" }));
        Manifests::parse(&policy.to_string())?.apply(&self.admin(), "bench").await.map(drop)
    }

    pub(super) async fn forget_policy(&self) -> Result<()> {
        let policies: Api<holdfast_api::DisruptionPolicy> = Api::all(self.admin());
        policies.delete(NAME, &DeleteParams::default()).await?;
        Ok(())
    }
}

/// What a metric sums up to.
pub(super) async fn sum(controller: &ControllerProcess, name: &str) -> Result<f64> {
    Ok(controller.metrics().await?.sum(name, &[]).unwrap_or_default())
}

/// Waits until it sends nothing and plans nothing any more; then tells what it uses.
pub(super) async fn settled(controller: &ControllerProcess) -> Result<Usage> {
    unchanged("the controller to settle", SETTLED, PATIENCE, async || {
        let passes = sum(controller, "controller_runtime_reconcile_total").await?;
        Ok(passes + sum(controller, "holdfast_writes_total").await?)
    })
    .await?;
    controller.usage()
}

/// Waits until a count hasn't changed for longer than `rest`.
pub(super) async fn unchanged(
    what: &str,
    rest: Duration,
    patience: Duration,
    count: impl AsyncFn() -> Result<f64>,
) -> Result<()> {
    let quiet = std::cell::Cell::new((-1.0, Instant::now()));
    eventually(what, patience, async || {
        let now = count().await?;
        if quiet.get().0 != now {
            quiet.set((now, Instant::now()));
        }
        ensure!(rest < quiet.get().1.elapsed(), "{now} by now");
        Ok(())
    })
    .await
}
