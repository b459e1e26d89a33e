//! What a drain forecast of a large cluster costs: from scratch, after one event, and for all nodes one after the other.
//!
//! No server: the objects are as the API server would send them, and become facts through the shapes that the watches use.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use holdfast_model::shapes::{self, Shape};
use holdfast_model::{Cluster, Kind, ObjectKey};
use holdfast_policy::drain::{self, Drainer, Verdict};
use holdfast_testkit::Usage;
use serde_json::{Value, json};

use super::report::{Figure, Report, percentile};
use super::world;

/// How often each figure is measured; the median is told.
const TIMES: usize = 9;
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
    let forecast = drain::forecast(&cluster, Drainer::Retry);
    ensure!(forecast.nodes.len() == nodes, "{} nodes of {nodes}", forecast.nodes.len());
    let scratch = median(|_| {
        ensure!(drain::forecast(&cluster, Drainer::Retry).nodes.len() == nodes, "another forecast");
        Ok(())
    })?;
    let peak = own()?.peak.saturating_sub(before);
    let begun = Instant::now();
    let drained = drain::sequence(&cluster, Drainer::Retry, 1).nodes.len();
    let sequence = begun.elapsed();
    Ok(vec![
        Figure::count(nodes),
        Figure::count(workloads * REPLICAS),
        Figure::milliseconds(scratch),
        Figure::Nothing,
        Figure::seconds(sequence),
        Figure::count(drained),
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
        take::<shapes::Node>(cluster, node(number))?;
    }
    for index in 0..workloads {
        take::<shapes::Deployment>(cluster, world::deployment(index, REPLICAS))?;
        take::<shapes::ReplicaSet>(cluster, world::replica_set(index, REPLICAS))?;
        take::<shapes::PodDisruptionBudget>(cluster, budget(index))?;
        for number in 0..REPLICAS {
            let mut pod = world::pod(index, number);
            // Neighbours of one workload are not those of the next.
            pod["spec"]["nodeName"] = json!(node_name((index * REPLICAS + number * (index % 7 + 1)) % nodes));
            pod["status"] = json!({ "phase": "Running", "conditions": [{ "type": "Ready", "status": "True" }] });
            take::<shapes::Pod>(cluster, pod)?;
        }
    }
    // As after the first list.
    for kind in Kind::ALL {
        cluster.reset(kind, |_: &ObjectKey| true);
    }
    Ok(())
}

fn take<S: Shape>(cluster: &mut Cluster, object: Value) -> Result<()> {
    let shape: S = serde_json::from_value(object).with_context(|| format!("decoding a {}", S::KIND))?;
    cluster.apply(shape);
    Ok(())
}

fn node_name(number: usize) -> String {
    format!("node-{number:05}")
}

fn node(number: usize) -> Value {
    let name = node_name(number);
    let zone = format!("zone-{}", number % 3);
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": { "name": name, "labels": {
            "kubernetes.io/hostname": name, "topology.kubernetes.io/zone": zone, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
        } },
        "status": {
            "allocatable": { "cpu": "8", "memory": "32Gi", "pods": "110" },
            "conditions": [{ "type": "Ready", "status": "True" }],
        },
    })
}

/// One in a hundred blocks.
fn budget(index: usize) -> Value {
    let blocks = index.is_multiple_of(100);
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
