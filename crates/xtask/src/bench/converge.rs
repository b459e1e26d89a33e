//! How fast the budgets come that are wanted, against a bare client that writes the very same objects.
//!
//! Four ways in turn, several rounds: a controller that leads already and is given a policy; one that is started anew
//! while the policy waits; the bare client with as many requests under way; and that client with a watch of all budgets
//! besides, which the API server has to serve for any controller. All write by server-side apply, with the same rights,
//! and the same watch says when each budget was there.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use holdfast_model::shapes;
use holdfast_testkit::{ControllerProcess, Usage, eventually};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::api::{Api, DeleteParams, ListParams, ObjectMeta, Patch, PatchParams, WatchParams};
use kube::{Client, ResourceExt as _};
use tokio::task::JoinSet;

use super::arrivals::{Arrivals, Span};
use super::report::{Figure, Report, percentile};
use super::stage::{PATIENCE, Stage};
use super::world::{self, Part};

/// As many as the controller has under way at most.
const AT_ONCE: usize = 24;

/// As long as the controller waits for an answer.
const ANSWER: Duration = Duration::from_secs(5);

/// So that none of the ways is measured while the API server still tidies up after what came before it.
const SETTLE: Duration = Duration::from_secs(3);

#[derive(Debug, clap::Args)]
pub(super) struct Converge {
    /// How many workloads need a budget.
    #[arg(long, default_value_t = 1_000)]
    workloads: usize,
    /// How often each way is measured.
    #[arg(long, default_value_t = 15)]
    rounds: usize,
}

/// One measurement.
struct Sample {
    total: Duration,
    rate: f64,
    /// Of who writes and who watches for the budgets, not of the API server.
    processor: Duration,
}

impl Sample {
    fn new(begun: Instant, span: Span, processor: Duration) -> Self {
        Self { total: span.last - begun, rate: span.rate(), processor }
    }
}

impl Converge {
    pub(super) async fn run(self, stage: &Stage) -> Result<Report> {
        let admin = stage.admin();
        eprintln!("Creating {} workloads with 3 pods each.", self.workloads);
        world::create(&admin, Part { from: 0, to: self.workloads, pods: 3 }).await?;
        let (mut warm, mut cold, mut bare, mut watching) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for round in 1..=self.rounds {
            eprintln!("Round {round} of {}.", self.rounds);
            warm.push(self.warm(stage).await?);
            let written = budgets(&admin).await?;
            clear(&admin, &written).await?;
            bare.push(self.bare(stage, &written).await?);
            clear(&admin, &written).await?;
            let seen = watch(stage).await?;
            watching.push(self.bare(stage, &written).await?);
            drop(seen);
            clear(&admin, &written).await?;
            cold.push(self.cold(stage).await?);
            clear(&admin, &written).await?;
        }
        Ok(report(
            self.workloads,
            [
                ("policy, controller warm", warm),
                ("controller start, policy there", cold),
                ("bare client that watches the budgets too", watching),
                ("bare client", bare),
            ],
        ))
    }

    /// The controller leads; it is given a policy.
    async fn warm(&self, stage: &Stage) -> Result<Sample> {
        let (controller, _) = stage.controller().await?;
        let arrivals = Arrivals::watch(&stage.admin()).await?;
        tokio::time::sleep(SETTLE).await;
        let begun = Instant::now();
        stage.enforce().await?;
        self.sample(stage, &controller, arrivals, begun).await
    }

    /// The policy waits; the controller is started.
    async fn cold(&self, stage: &Stage) -> Result<Sample> {
        stage.enforce().await?;
        let arrivals = Arrivals::watch(&stage.admin()).await?;
        let begun = Instant::now();
        let (controller, _) = stage.controller().await?;
        self.sample(stage, &controller, arrivals, begun).await
    }

    /// Until the controller's last budget; then both are ended.
    async fn sample(
        &self,
        stage: &Stage,
        controller: &ControllerProcess,
        mut arrivals: Arrivals,
        begun: Instant,
    ) -> Result<Sample> {
        let before = controller.usage()?.processor + own_processor()?;
        let span = arrivals.span(self.workloads, PATIENCE).await.map_err(|error| controller.explain(error))?;
        let processor = controller.usage()?.processor + own_processor()? - before;
        // In this order, or it would begin to withdraw what is to be written again.
        controller.terminate(PATIENCE).await?;
        stage.forget_policy().await?;
        Ok(Sample::new(begun, span, processor))
    }

    /// Nothing but the writes.
    async fn bare(&self, stage: &Stage, written: &[PodDisruptionBudget]) -> Result<Sample> {
        let client = stage.bare().await?;
        let manifests: Vec<PodDisruptionBudget> = written.iter().map(manifest).collect();
        let mut arrivals = Arrivals::watch(&stage.admin()).await?;
        tokio::time::sleep(SETTLE).await;
        let begun = Instant::now();
        let writing = stream::iter(manifests.iter().map(|manifest| apply(&client, manifest)));
        let writing = writing.buffer_unordered(AT_ONCE).try_collect::<()>();
        let before = own_processor()?;
        let (_, span) = tokio::try_join!(writing, arrivals.span(self.workloads, PATIENCE))?;
        let processor = own_processor()? - before;
        Ok(Sample::new(begun, span, processor))
    }
}

/// Of this process: the judge, and the bare client.
fn own_processor() -> Result<Duration> {
    Ok(Usage::of(std::process::id())?.processor)
}

/// What any controller has to do besides: its own writes come back to it, and the disruption controller's with them. Ends when
/// it is dropped.
async fn watch(stage: &Stage) -> Result<JoinSet<()>> {
    let budgets: Api<shapes::PodDisruptionBudget> = Api::all(stage.bare().await?);
    let version =
        budgets.list(&ListParams::default().limit(1)).await?.metadata.resource_version.context("no version")?;
    let events = budgets.watch(&WatchParams::default(), &version).await?.boxed();
    let mut watching = JoinSet::new();
    watching.spawn(events.for_each(|_| std::future::ready(())));
    Ok(watching)
}

fn report(workloads: usize, ways: [(&str, Vec<Sample>); 4]) -> Report {
    let headings = [
        "way",
        "budgets",
        "rounds",
        "to the last, median s",
        "best s",
        "budgets/s between first and last, median",
        "best",
        "% of bare, median of the rounds",
        "processor ms, writer and judge, median",
    ];
    let mut report = Report::new("converge", &headings);
    let bare: Vec<f64> = ways[3].1.iter().map(|sample| sample.rate).collect();
    for (name, samples) in &ways {
        let rate = median(samples.iter().map(|sample| sample.rate));
        // Round by round, since the machine's own speed drifts.
        let share = median(samples.iter().zip(&bare).map(|(sample, bare)| 100.0 * sample.rate / bare));
        report.row([
            Figure::name(*name),
            Figure::count(workloads),
            Figure::count(samples.len()),
            Figure::Number(median(samples.iter().map(|sample| sample.total.as_secs_f64())), 2),
            Figure::Number(samples.iter().map(|sample| sample.total.as_secs_f64()).fold(f64::INFINITY, f64::min), 2),
            Figure::Number(rate, 0),
            Figure::Number(samples.iter().map(|sample| sample.rate).fold(0.0, f64::max), 0),
            Figure::Number(share, 1),
            Figure::Number(median(samples.iter().map(|sample| 1000.0 * sample.processor.as_secs_f64())), 0),
        ]);
    }
    report
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    percentile(&values.map(Duration::from_secs_f64).collect::<Vec<_>>(), 50).as_secs_f64()
}

async fn apply(client: &Client, manifest: &PodDisruptionBudget) -> Result<()> {
    let budgets: Api<PodDisruptionBudget> = Api::namespaced(client.clone(), &manifest.namespace().unwrap_or_default());
    let params = PatchParams::apply("holdfast/disruption");
    let name = manifest.name_any();
    let patch = Patch::Apply(manifest);
    let applying = budgets.patch(&name, &params, &patch);
    tokio::time::timeout(ANSWER, applying).await.with_context(|| format!("applying {name}"))??;
    Ok(())
}

/// What was sent to get this object.
fn manifest(written: &PodDisruptionBudget) -> PodDisruptionBudget {
    let ObjectMeta { name, namespace, labels, annotations, owner_references, .. } = written.metadata.clone();
    // As we send it: bound to an object that isn't there yet.
    let resource_version = Some("1".to_owned());
    let metadata = ObjectMeta {
        name,
        namespace,
        labels,
        annotations,
        owner_references,
        resource_version,
        ..ObjectMeta::default()
    };
    PodDisruptionBudget { metadata, spec: written.spec.clone(), status: None }
}

async fn budgets(client: &Client) -> Result<Vec<PodDisruptionBudget>> {
    Ok(Api::all(client.clone()).list(&ListParams::default()).await?.items)
}

async fn clear(client: &Client, written: &[PodDisruptionBudget]) -> Result<()> {
    let mut homes: Vec<String> = written.iter().filter_map(|budget| budget.namespace()).collect();
    homes.dedup();
    for home in homes {
        let budgets: Api<PodDisruptionBudget> = Api::namespaced(client.clone(), &home);
        budgets.delete_collection(&DeleteParams::default(), &ListParams::default()).await?;
    }
    eventually("all budgets to be gone", PATIENCE, async || {
        let left = budgets(client).await?.len();
        ensure!(left == 0, "{left} are left");
        Ok(())
    })
    .await
}
