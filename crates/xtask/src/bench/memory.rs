//! Resident memory by the size of the cluster, and how long a start takes there. All watches are on, and everything is
//! judged; the last row enforces, so that as many budgets are known as workloads.

use std::time::Duration;

use anyhow::Result;
use holdfast_testkit::{ControllerProcess, Usage};

use super::lists;
use super::report::{Figure, Report, percentile};
use super::stage::{self, Stage, sum};
use super::world::{self, Part};

#[derive(Debug, clap::Args)]
pub(super) struct Memory {
    /// Numbers of workloads, ascending; each has 3 pods and a ReplicaSet.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 10_000, 16_667])]
    workloads: Vec<usize>,
    /// Up to so many workloads a last row enforces.
    #[arg(long, default_value_t = 10_000)]
    enforce: usize,
    /// How often each start is measured.
    #[arg(long, default_value_t = 3)]
    starts: usize,
}

/// Pods of each workload.
const PODS: usize = 3;

/// What was seen at one size.
struct Seen {
    ready: Vec<Duration>,
    read: Vec<Duration>,
    usage: Usage,
    budgets: f64,
}

impl Memory {
    pub(super) async fn run(self, stage: &Stage) -> Result<Report> {
        let headings = [
            "workloads",
            "pods",
            "budgets",
            "ready median s",
            "worst s",
            "bare read of the same lists, median s",
            "resident MiB",
            "of it its own",
            "peak MiB",
            "bytes per workload and its pods",
        ];
        let mut report = Report::new("memory", &headings);
        let empty = self.look(stage).await?;
        add(&mut report, "0", 0, &empty, None);
        let mut there = 0;
        for workloads in self.workloads.iter().copied() {
            eprintln!("Creating {} workloads with {PODS} pods each.", workloads - there);
            world::create(&stage.admin(), Part { from: there, to: workloads, pods: PODS }).await?;
            there = workloads;
            add(&mut report, &workloads.to_string(), workloads, &self.look(stage).await?, Some(&empty));
            if workloads == self.enforce {
                stage.enforce().await?;
                let first = self.look(stage).await?;
                add(&mut report, &format!("{workloads}, writing"), workloads, &first, Some(&empty));
                add(&mut report, &format!("{workloads}, enforced"), workloads, &self.look(stage).await?, Some(&empty));
                stage.forget_policy().await?;
                self.look(stage).await?;
            }
        }
        report.note("Bare read: the same streaming lists by a client that only looks for the end of each, what the server alone takes.");
        report.note("Resident: VmRSS once it has settled; its own: RssAnon; peak: VmHWM, since the start.");
        Ok(report)
    }

    async fn look(&self, stage: &Stage) -> Result<Seen> {
        let (mut ready, mut read) = (Vec::new(), Vec::new());
        let mut last: Option<(ControllerProcess, Usage)> = None;
        for _ in 0..self.starts.max(1) {
            if let Some((controller, _)) = last.take() {
                controller.terminate(stage::PATIENCE).await?;
            }
            read.push(lists::read(&stage.bare().await?).await?);
            let (controller, took) = stage.controller().await?;
            ready.push(took);
            let usage = stage::settled(&controller).await?;
            last = Some((controller, usage));
        }
        let (controller, usage) = last.expect("invariant: at least one start");
        let budgets = controller.metrics().await?.sum("holdfast_view_objects", &[("kind", "PodDisruptionBudget")]);
        let findings = sum(&controller, "holdfast_findings").await?;
        eprintln!("  {usage:?}, {findings} findings");
        controller.terminate(stage::PATIENCE).await?;
        Ok(Seen { ready, read, usage, budgets: budgets.unwrap_or_default() })
    }
}

fn add(report: &mut Report, name: &str, workloads: usize, seen: &Seen, empty: Option<&Seen>) {
    let grown = empty.map(|empty| seen.usage.resident.saturating_sub(empty.usage.resident));
    let each = grown.zip(u64::try_from(workloads).ok()).map(|(grown, workloads)| grown / workloads.max(1));
    report.row([
        Figure::name(name),
        Figure::count(workloads * PODS),
        Figure::Number(seen.budgets, 0),
        Figure::seconds(percentile(&seen.ready, 50)),
        Figure::seconds(percentile(&seen.ready, 100)),
        Figure::seconds(percentile(&seen.read, 50)),
        Figure::mebibytes(seen.usage.resident),
        Figure::mebibytes(seen.usage.anonymous),
        Figure::mebibytes(seen.usage.peak),
        each.map_or(Figure::Nothing, Figure::Count),
    ]);
}
