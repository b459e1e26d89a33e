//! `holdfast drain`: what draining the nodes of a live cluster would do, without installing or changing anything.
//!
//! Looks through the watches of the controller, asks `policy`, tells through `report`. Exit code 0 when every node can be
//! drained, 1 when one can't, 2 when it could not be told.

use std::io::{self, Write as _};
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use holdfast_model::{Cluster as Facts, Kind, ObjectKey, PodOwner, Text};
use holdfast_policy::drain::{self, Forecast, NodeForecast, Patience, Rolling, Verdict};
use holdfast_policy::eviction;
use holdfast_report::{Drains, Eviction, write_drain_human, write_drain_json};
use jiff::Timestamp;
use kube::Client;

use crate::arguments::{Cluster, parse_duration};
use crate::audit::{Colour, look};
use crate::{cluster, commands};

/// A node can't be drained.
const BLOCKED: u8 = 1;
/// It could not be told.
const COULD_NOT_TELL: u8 = 2;

/// What a drain depends on.
const KINDS: [Kind; 14] = [
    Kind::Namespace,
    Kind::Node,
    Kind::PersistentVolume,
    Kind::PersistentVolumeClaim,
    Kind::Deployment,
    Kind::StatefulSet,
    Kind::DaemonSet,
    Kind::ReplicaSet,
    Kind::Job,
    Kind::Pod,
    Kind::PodDisruptionBudget,
    Kind::HelmRelease,
    Kind::Kustomization,
    Kind::VaultTransitUnseal,
];

/// Which drains, and how they are told.
#[derive(Debug, Args)]
pub(crate) struct Drain {
    /// Only these nodes, in a sequence in this order; without any all of them.
    #[arg(value_name = "NODE")]
    nodes: Vec<String>,
    /// How the drainer goes about it.
    #[arg(long, value_enum, default_value_t)]
    drainer: Drainer,
    /// How long a drainer that asks again waits for one node to be empty; 0s: for ever. Five minutes are what Talos waits.
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = parse_duration)]
    wait_per_node: Duration,
    /// One node after the other, as an upgrade does it: what went is on other nodes from then on.
    #[arg(long)]
    sequence: bool,
    /// How many nodes of a sequence are drained at a time.
    #[arg(long, default_value_t = 1, requires = "sequence", value_parser = clap::value_parser!(u16).range(1..))]
    parallelism: u16,
    /// Also what the eviction subresource would answer for each pod now.
    #[arg(long)]
    evictions: bool,
    /// Goes on, and tells again whenever it has changed.
    #[arg(long)]
    watch: bool,
    /// The format.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Whether to use colours; `auto` does on a terminal, unless NO_COLOR is set.
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    color: Colour,
}

/// How the drainer goes about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Drainer {
    /// Asks again until the node is empty, as kubectl and Talos do.
    #[default]
    Retry,
    /// Gives up at the first refusal, as tuppr's own drain does.
    OnePass,
}

/// The form of the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Table,
    /// For programs; its schema is in docs/drain.schema.json.
    Json,
}

impl Drain {
    /// Runs the command.
    pub(crate) fn run(&self, at: &Cluster) -> ExitCode {
        match self.tell(at) {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::from(BLOCKED),
            Err(error) => {
                let _ = writeln!(io::stderr(), "error: it can't be told whether nodes can be drained: {error:#}");
                ExitCode::from(COULD_NOT_TELL)
            }
        }
    }

    /// Whether every node can be drained, in the end.
    fn tell(&self, at: &Cluster) -> anyhow::Result<bool> {
        commands::runtime()?.block_on(async {
            let client = Client::try_from(cluster::config(at).await?)?;
            let mut last: Option<Vec<u8>> = None;
            let mut outcome = Ok(false);
            let looking = holdfast_controller::look(client, &KINDS, |facts| {
                let told = self.forecast(facts).and_then(|forecast| {
                    let text = self.written(facts, &forecast)?;
                    Ok((forecast.count(Verdict::Blocks) == 0, text))
                });
                match told {
                    Ok((drainable, text)) => {
                        outcome = Ok(drainable);
                        if last.as_ref() != Some(&text)
                            && let Err(error) = commands::print(&text)
                        {
                            outcome = Err(error).context("it can't be written");
                            return ControlFlow::Break(());
                        }
                        last = Some(text);
                    }
                    Err(error) => outcome = Err(error),
                }
                if self.watch && outcome.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            });
            looking.await?;
            outcome
        })
    }

    fn forecast(&self, facts: &Facts) -> anyhow::Result<Forecast> {
        let chosen: Vec<Text> = self.nodes.iter().map(Text::from).collect();
        if let Some(unknown) = chosen.iter().find(|name| facts.node(name).is_none()) {
            bail!("there is no node {unknown}; the nodes are {}", names(facts));
        }
        let nodes = (!chosen.is_empty()).then_some(chosen.as_slice());
        let (drainer, now) = (self.drainer(), Timestamp::now());
        if self.sequence {
            return Ok(drain::sequence(facts, Rolling { drainer, parallelism: self.parallelism.into(), nodes }, now));
        }
        let mut all = drain::forecast(facts, drainer, now);
        if let Some(nodes) = nodes {
            all.nodes.retain(|forecast| nodes.contains(&forecast.node));
        }
        Ok(all)
    }

    fn written(&self, facts: &Facts, forecast: &Forecast) -> io::Result<Vec<u8>> {
        let evictions = self.evictions.then(|| evictions(facts, &forecast.nodes));
        let drains =
            Drains { forecast, drainer: self.drainer(), sequence: self.sequence, evictions: evictions.as_deref() };
        let mut text = Vec::new();
        match self.format {
            Format::Table => write_drain_human(&drains, look(self.color, true), &mut text)?,
            Format::Json => write_drain_json(&drains, &mut text)?,
        }
        Ok(text)
    }

    fn drainer(&self) -> drain::Drainer {
        match self.drainer {
            Drainer::Retry => drain::Drainer::Retry(Patience::of(self.wait_per_node)),
            Drainer::OnePass => drain::Drainer::OnePass,
        }
    }
}

fn names(facts: &Facts) -> String {
    facts.nodes().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
}

/// What would be answered for every pod on these nodes that a drain asks for.
fn evictions(facts: &Facts, nodes: &[NodeForecast]) -> Vec<Eviction> {
    let mut evictions = Vec::new();
    for view in facts.namespace_names().filter_map(|name| facts.namespace(name)) {
        for (name, pod) in view.pods() {
            let on_one = pod.node.as_ref().is_some_and(|node| nodes.iter().any(|known| known.node == *node));
            if !on_one || matches!(view.owner_of(pod), PodOwner::Node(_)) {
                continue;
            }
            let answer = eviction::answer(view, pod);
            evictions.push(Eviction {
                pod: ObjectKey::new(view.name().clone(), name.clone()),
                allowed: answer.is_allowed(),
                reason: answer.reason(),
                budgets: answer.budgets().into_iter().map(ToString::to_string).collect(),
            });
        }
    }
    evictions
}
