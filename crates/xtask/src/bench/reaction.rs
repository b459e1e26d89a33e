//! From an event to its budget: how long after a Deployment's creation was acknowledged its budget is there, as a watch
//! sees it; idle, and while pods change. Beside it the bare round trip: one budget, applied and acknowledged.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use holdfast_testkit::Manifests;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::api::{Api, Patch, PatchParams};
use serde_json::json;

use super::arrivals::Arrivals;
use super::report::{Figure, Report, percentile};
use super::stage::{self, PATIENCE, Stage};
use super::world::{self, Part};

#[derive(Debug, clap::Args)]
pub(super) struct Reaction {
    /// How many workloads are there before, each with 3 pods.
    #[arg(long, default_value_t = 1_000)]
    workloads: usize,
    /// How many Deployments are created and waited for.
    #[arg(long, default_value_t = 500)]
    samples: usize,
    /// Pods that change each second in the loaded phase.
    #[arg(long, default_value_t = 100)]
    churn: u32,
}

const PODS: usize = 3;
/// Between two samples, so that each is a reaction of its own and not part of a batch.
const PAUSE: Duration = Duration::from_millis(25);

impl Reaction {
    pub(super) async fn run(self, stage: &Stage) -> Result<Report> {
        eprintln!("Creating {} workloads with {PODS} pods each.", self.workloads);
        world::create(&stage.admin(), Part { from: 0, to: self.workloads, pods: PODS }).await?;
        let mut report = Report::new(
            "reaction",
            &["what", "samples", "p50 ms", "p90 ms", "p99 ms", "worst ms", "p99 above a round trip's median, ms"],
        );
        let idle = self.round_trips(stage).await?;
        add(&mut report, "bare round trip, idle", &idle, None);
        stage.enforce().await?;
        let (controller, _) = stage.controller().await?;
        stage::settled(&controller).await?;
        let reactions = self.reactions(stage, 0).await?;
        add(&mut report, "reaction, idle", &reactions, Some(&idle));
        let load = self.churn(stage);
        let measured = async {
            let loaded = self.round_trips(stage).await?;
            Ok::<_, anyhow::Error>((loaded, self.reactions(stage, self.samples).await?))
        };
        let (loaded, reactions) = tokio::select! {
            measured = measured => measured?,
            ended = load => return Err(ended.err().context("the load ended")?),
        };
        add(&mut report, &format!("bare round trip, {} pods change a second", self.churn), &loaded, None);
        add(&mut report, &format!("reaction, {} pods change a second", self.churn), &reactions, Some(&loaded));
        report.note("A reaction ends when an independent watch sees the budget; it includes the API server's own work on both objects.");
        controller.terminate(PATIENCE).await?;
        Ok(report)
    }

    /// Budgets over nothing, one after the other.
    async fn round_trips(&self, stage: &Stage) -> Result<Vec<Duration>> {
        let client = stage.bare().await?;
        let admin = stage.admin();
        Manifests::parse(r#"{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "bare"}}"#)?
            .apply(&admin, "bench")
            .await?;
        let budgets: Api<PodDisruptionBudget> = Api::namespaced(client, "bare");
        let mut took = Vec::new();
        for sample in 0..self.samples {
            let name = format!("budget-{sample}");
            let manifest = json!({
                "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": { "name": name },
                "spec": { "maxUnavailable": 1, "selector": { "matchLabels": { "app": name } } },
            });
            let begun = Instant::now();
            budgets.patch(&name, &PatchParams::apply("bench"), &Patch::Apply(&manifest)).await?;
            took.push(begun.elapsed());
            tokio::time::sleep(PAUSE).await;
        }
        let all = kube::api::ListParams::default();
        budgets_of(&admin, "bare").delete_collection(&Default::default(), &all).await?;
        Ok(took)
    }

    async fn reactions(&self, stage: &Stage, offset: usize) -> Result<Vec<Duration>> {
        let client = stage.admin();
        let mut arrivals = Arrivals::watch(&client).await?;
        let first = self.workloads + offset;
        let mut created: HashMap<String, Instant> = HashMap::new();
        let creating = async {
            for index in first..first + self.samples {
                // Into the namespaces that are there, so that a reaction plans a namespace of ordinary size.
                let home = index % self.workloads;
                let mut deployment = world::deployment(index, PODS);
                deployment["metadata"]["namespace"] = json!(world::home(home));
                world::post(&client, &world::deployments_in(home), &deployment).await?;
                created.insert(budget_of(index), Instant::now());
                tokio::time::sleep(PAUSE).await;
            }
            Ok::<_, anyhow::Error>(())
        };
        let names: Vec<String> = (first..first + self.samples).map(budget_of).collect();
        let (_, came) = tokio::try_join!(creating, arrivals.of(&names, PATIENCE))?;
        let took = |(name, created): (&String, &Instant)| Some(came.get(name)?.saturating_duration_since(*created));
        created.iter().map(|created| took(created).context("a budget that never came")).collect()
    }

    /// Pods change until this is dropped.
    async fn churn(&self, stage: &Stage) -> Result<()> {
        let client = stage.admin();
        let mut tick = tokio::time::interval(Duration::from_secs(1) / self.churn.max(1));
        for round in 0.. {
            for index in 0..self.workloads {
                tick.tick().await;
                world::set_ready(&client, index, index % PODS, round % 2 == 1).await?;
            }
        }
        Ok(())
    }
}

fn budget_of(index: usize) -> String {
    format!("application-{index:05}-deployment")
}

fn budgets_of(client: &kube::Client, namespace: &str) -> Api<PodDisruptionBudget> {
    Api::namespaced(client.clone(), namespace)
}

fn add(report: &mut Report, what: &str, took: &[Duration], base: Option<&[Duration]>) {
    let above = base.map(|base| percentile(took, 99).saturating_sub(percentile(base, 50)));
    report.row([
        Figure::name(what),
        Figure::count(took.len()),
        Figure::milliseconds(percentile(took, 50)),
        Figure::milliseconds(percentile(took, 90)),
        Figure::milliseconds(percentile(took, 99)),
        Figure::milliseconds(percentile(took, 100)),
        above.map_or(Figure::Nothing, Figure::milliseconds),
    ]);
}
