//! How fast the budgets come that are wanted, against a bare client that writes the very same objects.
//!
//! Four ways, several rounds, each round beginning with another: a controller that leads already and is given a policy;
//! one that is started anew while the policy waits; the bare client with as many requests under way; and that client with a
//! watch of all budgets besides, which the API server has to serve for any controller. All write by server-side apply, with
//! the same rights, and the same watch says when each budget was there.

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
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
}

/// Who writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Warm,
    Cold,
    Watching,
    Bare,
}

/// One measurement.
#[derive(Debug)]
struct Sample {
    total: Duration,
    rate: f64,
    processor: Processor,
}

/// Processor time from the first request to the last budget.
#[derive(Debug, Clone, Copy)]
struct Processor {
    /// Of who writes and who watches for the budgets.
    writer: Duration,
    /// Of the API server and etcd.
    server: Duration,
    /// Bytes that the API server asked for, and how often it collected garbage.
    asked: f64,
    collections: f64,
}

impl Way {
    const ALL: [Self; 4] = [Self::Warm, Self::Cold, Self::Watching, Self::Bare];

    fn name(self) -> &'static str {
        match self {
            Self::Warm => "policy, controller warm",
            Self::Cold => "controller start, policy there",
            Self::Watching => "bare client that watches the budgets too",
            Self::Bare => "bare client",
        }
    }
}

impl Sample {
    fn new(begun: Instant, span: Span, processor: Processor) -> Self {
        Self { total: span.last - begun, rate: span.rate(), processor }
    }
}

impl Processor {
    /// So far; of the controller too, when there is one.
    async fn now(stage: &Stage, controller: Option<&ControllerProcess>) -> Result<Self> {
        let own = Usage::of(std::process::id())?.processor;
        let controller = controller.map(ControllerProcess::usage).transpose()?.map(|usage| usage.processor);
        let (asked, collections) = stage.server_memory().await?;
        Ok(Self { writer: own + controller.unwrap_or_default(), server: stage.server_processor()?, asked, collections })
    }

    fn since(self, before: Self) -> Self {
        Self {
            writer: self.writer - before.writer,
            server: self.server - before.server,
            asked: self.asked - before.asked,
            collections: self.collections - before.collections,
        }
    }
}

impl Converge {
    pub(super) async fn run(self, stage: &Stage) -> Result<Report> {
        let admin = stage.admin();
        eprintln!("Creating {} workloads with 3 pods each.", self.workloads);
        world::create(&admin, Part { from: 0, to: self.workloads, pods: 3 }).await?;
        // Not counted: it tells what the bare client has to write, and warms the API server up.
        self.warm(stage).await?;
        let written = budgets(&admin).await?;
        clear(&admin, &written).await?;
        let mut rounds = Vec::with_capacity(usize::from(self.rounds));
        for round in 0..self.rounds {
            eprintln!("Round {} of {}.", round + 1, self.rounds);
            let mut ways = Way::ALL;
            ways.rotate_left(usize::from(round) % Way::ALL.len());
            let mut samples = Vec::with_capacity(ways.len());
            for way in ways {
                samples.push((way, self.measure(way, stage, &written).await?));
                clear(&admin, &written).await?;
            }
            rounds.push(Round(samples));
        }
        Ok(report(self.workloads, &rounds))
    }

    async fn measure(&self, way: Way, stage: &Stage, written: &[PodDisruptionBudget]) -> Result<Sample> {
        match way {
            Way::Warm => self.warm(stage).await,
            Way::Cold => self.cold(stage).await,
            Way::Watching => {
                let _seen = watch(stage).await?;
                self.bare(stage, written).await
            }
            Way::Bare => self.bare(stage, written).await,
        }
    }

    /// The controller leads; it is given a policy.
    async fn warm(&self, stage: &Stage) -> Result<Sample> {
        let (controller, _) = stage.controller().await?;
        let arrivals = Arrivals::watch(&stage.admin()).await?;
        tokio::time::sleep(SETTLE).await;
        stage.collect_garbage().await?;
        let begun = Instant::now();
        stage.enforce().await?;
        self.sample(stage, &controller, arrivals, begun).await
    }

    /// The policy waits; the controller is started.
    async fn cold(&self, stage: &Stage) -> Result<Sample> {
        stage.enforce().await?;
        let arrivals = Arrivals::watch(&stage.admin()).await?;
        stage.collect_garbage().await?;
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
        let before = Processor::now(stage, Some(controller)).await?;
        let span = arrivals.span(self.workloads, PATIENCE).await.map_err(|error| controller.explain(error))?;
        let processor = Processor::now(stage, Some(controller)).await?.since(before);
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
        stage.collect_garbage().await?;
        let begun = Instant::now();
        let writing = stream::iter(manifests.iter().map(|manifest| apply(&client, manifest)));
        let writing = writing.buffer_unordered(AT_ONCE).try_collect::<()>();
        let before = Processor::now(stage, None).await?;
        let (_, span) = tokio::try_join!(writing, arrivals.span(self.workloads, PATIENCE))?;
        let processor = Processor::now(stage, None).await?.since(before);
        Ok(Sample::new(begun, span, processor))
    }
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

/// All ways, one after the other.
struct Round(Vec<(Way, Sample)>);

impl Round {
    fn of(&self, way: Way) -> &Sample {
        let found = self.0.iter().find(|(measured, _)| *measured == way);
        &found.expect("invariant: a round measures every way").1
    }
}

fn report(workloads: usize, rounds: &[Round]) -> Report {
    let headings = [
        "way",
        "budgets",
        "rounds",
        "to the last, median s",
        "best s",
        "budgets/s between first and last, median",
        "best",
        "% of bare, median of the rounds",
        "95 % interval from",
        "to",
        "processor ms: writer and judge, median",
        "API server and etcd",
        "API server: MiB asked for",
        "collections, mean",
    ];
    let mut report = Report::new("converge", &headings);
    for way in Way::ALL {
        let samples: Vec<&Sample> = rounds.iter().map(|round| round.of(way)).collect();
        // Round by round, since the machine's own speed drifts.
        let shares: Vec<f64> =
            rounds.iter().map(|round| 100.0 * round.of(way).rate / round.of(Way::Bare).rate).collect();
        let (low, high) = interval(&shares);
        let processor = |of: fn(&Processor) -> Duration| {
            Figure::Number(median(samples.iter().map(|sample| 1000.0 * of(&sample.processor).as_secs_f64())), 0)
        };
        report.row([
            Figure::name(way.name()),
            Figure::count(workloads),
            Figure::count(samples.len()),
            Figure::Number(median(samples.iter().map(|sample| sample.total.as_secs_f64())), 2),
            Figure::Number(samples.iter().map(|sample| sample.total.as_secs_f64()).fold(f64::INFINITY, f64::min), 2),
            Figure::Number(median(samples.iter().map(|sample| sample.rate)), 0),
            Figure::Number(samples.iter().map(|sample| sample.rate).fold(0.0, f64::max), 0),
            Figure::Number(median(shares.iter().copied()), 1),
            Figure::Number(low, 1),
            Figure::Number(high, 1),
            processor(|processor| processor.writer),
            processor(|processor| processor.server),
            Figure::Number(median(samples.iter().map(|sample| sample.processor.asked / f64::from(1 << 20))), 0),
            Figure::Number(samples.iter().map(|s| s.processor.collections).sum::<f64>() / samples.len() as f64, 2),
        ]);
    }
    report
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    percentile(&values.map(Duration::from_secs_f64).collect::<Vec<_>>(), 50).as_secs_f64()
}

/// Between which values the median lies with 95 % confidence, whatever the distribution: by the ranks of the binomial one.
fn interval(values: &[f64]) -> (f64, f64) {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = 0.98 * (sorted.len() as f64).sqrt();
    let middle = sorted.len() as f64 / 2.0;
    let at = |rank: f64| sorted[(rank.max(0.0) as usize).min(sorted.len() - 1)];
    (at((middle - half).floor()), at((middle + half).ceil()))
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
