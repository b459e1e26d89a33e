//! What the controller costs while nothing happens, and then while pods come and go: processor time, memory, requests.

use std::time::{Duration, Instant};

use anyhow::Result;
use holdfast_testkit::{ControllerProcess, Metrics, Usage};

use super::report::{Figure, Report};
use super::stage::{self, Stage};
use super::world::{self, Part};

#[derive(Debug, clap::Args)]
pub(super) struct Steady {
    /// How many workloads there are, each with 3 pods and a budget.
    #[arg(long, default_value_t = 1_000)]
    workloads: usize,
    /// How long nothing happens.
    #[arg(long, default_value_t = 300)]
    seconds: u64,
    /// How long pods change.
    #[arg(long, default_value_t = 60)]
    churn_seconds: u64,
    /// Pods that change each second.
    #[arg(long, default_value_t = 50)]
    churn: u32,
}

const PODS: usize = 3;
/// So long nothing is told any more.
const QUIET: Duration = Duration::from_secs(20);
const TOLD: Duration = Duration::from_secs(600);

/// Requests by method, but those for the Lease cannot be told apart here: its renewals are the `PUT`s and `PATCH`es of a
/// quiet time.
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

struct Moment {
    at: Instant,
    usage: Usage,
    metrics: Metrics,
}

impl Moment {
    async fn of(controller: &ControllerProcess) -> Result<Self> {
        Ok(Self { metrics: controller.metrics().await?, usage: controller.usage()?, at: Instant::now() })
    }

    fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.metrics.sum(name, labels).unwrap_or_default()
    }
}

impl Steady {
    pub(super) async fn run(self, stage: &Stage) -> Result<Report> {
        eprintln!("Creating {} workloads with {PODS} pods each.", self.workloads);
        world::create(&stage.admin(), Part { from: 0, to: self.workloads, pods: PODS }).await?;
        stage.enforce().await?;
        let (controller, _) = stage.controller().await?;
        stage::settled(&controller).await?;
        everything_is_told(&controller).await?;
        let headings = [
            "phase",
            "seconds",
            "events",
            "% of one core",
            "ms per event",
            "writes",
            "resident MiB",
            "GET",
            "POST",
            "PUT",
            "PATCH",
            "DELETE",
        ];
        let mut report = Report::new("steady", &headings);
        let quiet = Moment::of(&controller).await?;
        eprintln!("Nothing happens for {} seconds.", self.seconds);
        tokio::time::sleep(Duration::from_secs(self.seconds)).await;
        let noise = Moment::of(&controller).await?;
        add(&mut report, "quiet", &quiet, &noise);
        eprintln!("{} pods change each second for {} seconds.", self.churn, self.churn_seconds);
        self.change_pods(stage).await?;
        stage::settled(&controller).await?;
        add(&mut report, "pods change", &noise, &Moment::of(&controller).await?);
        report.note("The PUTs and PATCHes of the quiet phase are renewals of the Lease.");
        controller.terminate(stage::PATIENCE).await?;
        Ok(report)
    }

    async fn change_pods(&self, stage: &Stage) -> Result<()> {
        let client = stage.admin();
        let mut tick = tokio::time::interval(Duration::from_secs(1) / self.churn.max(1));
        let begun = Instant::now();
        let mut ready = false;
        loop {
            for index in 0..self.workloads {
                if Duration::from_secs(self.churn_seconds) < begun.elapsed() {
                    return Ok(());
                }
                tick.tick().await;
                world::set_ready(&client, index, index % PODS, ready).await?;
            }
            ready = !ready;
        }
    }
}

/// Of a thousand new budgets there are more events to be told than may be told in a minute.
async fn everything_is_told(controller: &ControllerProcess) -> Result<()> {
    stage::unchanged("the last event to be told", QUIET, TOLD, async || {
        let metrics = controller.metrics().await?;
        let of = |method| metrics.sum("rest_client_requests_total", &[("method", method)]).unwrap_or_default();
        Ok(of("POST") + of("PATCH"))
    })
    .await
}

fn add(report: &mut Report, phase: &str, before: &Moment, after: &Moment) {
    let grown = |name: &str, labels: &[(&str, &str)]| after.sum(name, labels) - before.sum(name, labels);
    let seconds = (after.at - before.at).as_secs_f64();
    let busy = (after.usage.processor - before.usage.processor).as_secs_f64();
    let events =
        grown("holdfast_watch_events_total", &[]) - grown("holdfast_watch_events_total", &[("event", "listed")]);
    let each = if 0.0 < events { Figure::Number(busy * 1_000.0 / events, 3) } else { Figure::Nothing };
    let mut row = vec![
        Figure::name(phase),
        Figure::Number(seconds, 0),
        Figure::Number(events, 0),
        Figure::Number(100.0 * busy / seconds, 3),
        each,
        Figure::Number(grown("holdfast_writes_total", &[]), 0),
        Figure::mebibytes(after.usage.resident),
    ];
    row.extend(METHODS.map(|method| Figure::Number(grown("rest_client_requests_total", &[("method", method)]), 0)));
    report.row(row);
}
