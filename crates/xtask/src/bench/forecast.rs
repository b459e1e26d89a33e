//! What a drain forecast of a large cluster costs: from scratch, after one event, and for all nodes one after the other.
//!
//! No server: the objects are as the API server would send them, and become facts through the shapes that the watches use.

use jiff::Timestamp;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use holdfast_model::shapes::{self, Shape};
use holdfast_model::{Cluster, Kind, ObjectKey, Touched};
use holdfast_policy::drain::{self, Drainer, Keeper, Rolling, Verdict};
use holdfast_testkit::Usage;
use serde_json::{Value, json};

use super::report::{Figure, Report, percentile};
use super::world;

/// No time matters here.
const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// How often each figure is measured; the median is told.
const TIMES: usize = 9;
/// One budget in so many blocks.
const BLOCKS: usize = 100;
/// Pods of a workload.
const REPLICAS: usize = 4;

#[derive(Debug, clap::Args)]
pub(super) struct Forecast {
    /// How many nodes there are, with twenty pods each; several sizes are measured one after the other.
    #[arg(long, value_delimiter = ',', default_value = "50,500,5000", value_parser = clap::value_parser!(u32).range(3..))]
    nodes: Vec<u32>,
}

impl Forecast {
    pub(super) fn run(&self) -> Result<Report> {
        let headings = [
            "nodes",
            "pods",
            "from scratch ms",
            "after one event ms",
            "sequence s",
            "blocked",
            "facts MiB",
            "peak MiB",
        ];
        let mut report = Report::new("forecast", &headings);
        for nodes in &self.nodes {
            report.row(measure(usize::try_from(*nodes)?)?);
        }
        Ok(report)
    }
}

fn measure(nodes: usize) -> Result<Vec<Figure>> {
    let workloads = nodes * 20 / REPLICAS;
    let before = own()?.anonymous;
    eprintln!("Making {nodes} nodes with {} pods.", workloads * REPLICAS);
    let mut cluster = Cluster::default();
    fill(&mut cluster, nodes, workloads)?;
    let facts = own()?.anonymous.saturating_sub(before);
    let forecast = drain::forecast(&cluster, Drainer::default(), NOW);
    ensure!(forecast.nodes.len() == nodes, "{} nodes of {nodes}", forecast.nodes.len());
    let scratch = median(|_| {
        ensure!(drain::forecast(&cluster, Drainer::default(), NOW).nodes.len() == nodes, "another forecast");
        Ok(())
    })?;
    let peak = own()?.peak.saturating_sub(before);
    let mut keeper = Keeper::new(Drainer::default());
    keeper.make(&cluster, NOW);
    // What the controller does after an event.
    let event = median(|time| {
        let mut pod = world::pod(0, 0);
        pod["spec"]["nodeName"] = json!(node_name(0));
        pod["status"] = ready(!time.is_multiple_of(2));
        let Touched::Namespaces(touched) = take::<shapes::Pod>(&mut cluster, pod)? else {
            bail!("nothing is different");
        };
        keeper.update(&cluster, &touched.into_iter().collect(), NOW);
        Ok(())
    })?;
    ensure!(
        *keeper.forecast() == drain::forecast(&cluster, Drainer::default(), NOW),
        "what is kept differs from what is made anew"
    );
    // Where nothing blocks, or it would stop there.
    for index in (0..workloads).step_by(BLOCKS) {
        take::<shapes::PodDisruptionBudget>(&mut cluster, budget(index, false))?;
    }
    let begun = Instant::now();
    let drained = drain::sequence(&cluster, Rolling::all(Drainer::default(), 1), NOW).nodes.len();
    let sequence = begun.elapsed();
    ensure!(drained == nodes, "it stopped after {drained} nodes");
    Ok(vec![
        Figure::count(nodes),
        Figure::count(workloads * REPLICAS),
        Figure::milliseconds(scratch),
        Figure::milliseconds(event),
        Figure::seconds(sequence),
        Figure::count(forecast.count(Verdict::Blocks)),
        Figure::mebibytes(facts),
        Figure::mebibytes(peak),
    ])
}

fn median(mut measured: impl FnMut(usize) -> Result<()>) -> Result<Duration> {
    let mut times = Vec::with_capacity(TIMES);
    for time in 0..TIMES {
        let begun = Instant::now();
        measured(time)?;
        times.push(begun.elapsed());
    }
    Ok(percentile(&times, 50))
}

fn own() -> Result<Usage> {
    Usage::of(std::process::id())
}

fn fill(cluster: &mut Cluster, nodes: usize, workloads: usize) -> Result<()> {
    for number in 0..nodes {
        take::<shapes::Node>(cluster, world::node(&node_name(number), number))?;
    }
    for index in 0..workloads {
        take::<shapes::Deployment>(cluster, world::deployment(index, REPLICAS))?;
        take::<shapes::ReplicaSet>(cluster, world::replica_set(index, REPLICAS))?;
        take::<shapes::PodDisruptionBudget>(cluster, budget(index, index.is_multiple_of(BLOCKS)))?;
        for number in 0..REPLICAS {
            let mut pod = world::pod(index, number);
            // Neighbours of one workload are not those of the next.
            pod["spec"]["nodeName"] = json!(node_name((index * REPLICAS + number * (index % 7 + 1)) % nodes));
            pod["status"] = ready(true);
            take::<shapes::Pod>(cluster, pod)?;
        }
    }
    // As after the first list.
    for kind in Kind::ALL {
        cluster.reset(kind, |_: &ObjectKey| true);
    }
    Ok(())
}

fn take<S: Shape>(cluster: &mut Cluster, object: Value) -> Result<Touched> {
    let shape: S = serde_json::from_value(object).with_context(|| format!("decoding a {}", S::KIND))?;
    Ok(cluster.apply(shape))
}

fn node_name(number: usize) -> String {
    format!("node-{number:05}")
}

fn ready(ready: bool) -> Value {
    let status = if ready { "True" } else { "False" };
    json!({ "phase": "Running", "conditions": [{ "type": "Ready", "status": status }] })
}

fn budget(index: usize, blocks: bool) -> Value {
    let limit = if blocks { json!({ "minAvailable": REPLICAS }) } else { json!({ "maxUnavailable": 1 }) };
    let deployment = world::deployment(index, REPLICAS);
    let mut spec = limit;
    spec["selector"] = deployment["spec"]["selector"].clone();
    let allowed = i32::from(!blocks);
    json!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": { "name": deployment["metadata"]["name"], "namespace": deployment["metadata"]["namespace"], "generation": 1 },
        "spec": spec,
        "status": {
            "observedGeneration": 1, "currentHealthy": REPLICAS, "expectedPods": REPLICAS,
            "desiredHealthy": REPLICAS - usize::from(!blocks), "disruptionsAllowed": allowed,
        },
    })
}
