//! For programs: one object with names that stay, described by a JSON schema.

use std::io::{self, Write};

use holdfast_model::PodOwner;
use holdfast_policy::drain::{self, Drainer};
use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde::Serialize;

use super::Drains;

/// The version of the format.
const VERSION: u32 = 1;

/// Writes it for programs.
///
/// # Errors
/// When it can't be written.
pub fn write_drain_json(drains: &Drains<'_>, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &DrainReport::new(drains))?;
    writeln!(out)
}

/// The JSON schema (2020-12) of what [`write_drain_json`] writes.
#[must_use]
pub fn drain_schema() -> Schema {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<DrainReport<'_>>()
}

/// What `holdfast drain --format json` found.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "holdfast drain")]
struct DrainReport<'a> {
    /// The version of this format. It changes when a field goes or means something else; new fields may come at any time.
    schema_version: u32,
    /// How the drainer goes about it: `Retry` asks again until the node is empty, `OnePass` gives up at the first refusal.
    drainer: &'static str,
    /// How many seconds it waits for a node to be empty; null where it waits for ever, or never.
    wait_per_node_seconds: Option<u32>,
    /// Whether no node blocks.
    drainable: bool,
    /// The nodes: by name, or in the order of a sequence.
    nodes: Vec<Node<'a>>,
    /// What the eviction subresource would answer for each pod now; only with `--evictions`.
    #[serde(skip_serializing_if = "Option::is_none")]
    evictions: Option<Vec<Eviction<'a>>>,
}

/// What draining a node would do.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Node<'a> {
    /// Its name.
    name: &'a str,
    /// `Clean`, `Interrupts` or `Blocks`.
    verdict: &'static str,
    /// Pods that a drain evicts.
    pods: usize,
    /// In how many waves they go.
    waves: u32,
    /// Pods that lose what they keep in an `emptyDir`.
    empty_dirs: usize,
    /// Who stands in the way.
    blockers: Vec<Blocker<'a>>,
    /// What doesn't stand in the way but is felt.
    interruptions: Vec<Interruption<'a>>,
}

/// A pod that stays, or would stay sealed where it is started again.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Blocker<'a> {
    /// The pod's namespace.
    namespace: &'a str,
    /// The pod's name.
    pod: &'a str,
    /// `SeveralBudgets`, `NotObserved`, `SyncFailed`, `Negative`, `TooManyUnconfirmed`, `NoneLeft` or `CountsNone` where its budgets
    /// refuse; `StatusStale` where one refuses on the strength of a status that was left stale; `OutOfTime` where its budget lets it
    /// go only when the drainer has given up; `WouldNotStart` where nobody refuses, and it wouldn't come back to work.
    reason: &'static str,
    /// `Structural` blocks at full health too, `Transient` while something isn't healthy.
    lasting: &'static str,
    /// The budgets that cover it, as far as they are why.
    budgets: Vec<&'a str>,
    /// The VaultTransitUnseal that says that it would stay sealed, when that is why.
    #[serde(skip_serializing_if = "Option::is_none")]
    vault_transit_unseal: Option<&'a str>,
    /// What it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<Owner<'a>>,
    /// In which HelmRelease or Kustomization it is mended.
    #[serde(skip_serializing_if = "Option::is_none")]
    flux: Option<Flux<'a>>,
    /// What is wrong.
    message: String,
    /// What to do.
    remedy: &'a str,
    /// The same as YAML to merge into the budget, where that can be said exactly.
    #[serde(skip_serializing_if = "Option::is_none")]
    patch: Option<&'a str>,
}

/// Something that is felt.
#[derive(Serialize, JsonSchema)]
struct Interruption<'a> {
    /// The pod's namespace.
    namespace: &'a str,
    /// The pod's name.
    pod: &'a str,
    /// `LastReady`, `BarePod`, `JobPod`, `PlacementUnknown`, `NoPlace`, `WaitsForPredecessor`, `OperatorGivesWay` or `StartUnknown`.
    reason: &'static str,
    /// What happens.
    message: String,
}

/// What a pod belongs to.
#[derive(Serialize, JsonSchema)]
struct Owner<'a> {
    /// Its kind.
    kind: &'a str,
    /// Its name.
    name: &'a str,
}

/// A HelmRelease or Kustomization.
#[derive(Serialize, JsonSchema)]
struct Flux<'a> {
    /// Its kind.
    kind: &'static str,
    /// Its namespace.
    namespace: &'a str,
    /// Its name.
    name: &'a str,
}

/// What the eviction subresource would answer for a pod.
#[derive(Serialize, JsonSchema)]
struct Eviction<'a> {
    /// The pod's namespace.
    namespace: &'a str,
    /// The pod's name.
    name: &'a str,
    /// Whether it may go.
    allowed: bool,
    /// Why: `Unguarded`, `NoBudget`, `UnreadyMayGo` or `Spends` where it may, else as for blockers.
    reason: &'static str,
    /// The budgets that cover it.
    budgets: &'a [String],
}

impl<'a> DrainReport<'a> {
    fn new(drains: &Drains<'a>) -> Self {
        let eviction = |eviction: &'a super::Eviction| Eviction {
            namespace: &eviction.pod.namespace,
            name: &eviction.pod.name,
            allowed: eviction.allowed,
            reason: eviction.reason,
            budgets: &eviction.budgets,
        };
        let (drainer, wait_per_node_seconds) = match drains.drainer {
            Drainer::Retry(patience) => ("Retry", patience.seconds()),
            Drainer::OnePass => ("OnePass", None),
        };
        Self {
            schema_version: VERSION,
            drainer,
            wait_per_node_seconds,
            drainable: drains.forecast.count(drain::Verdict::Blocks) == 0,
            nodes: drains.forecast.nodes.iter().map(Node::new).collect(),
            evictions: drains.evictions.map(|evictions| evictions.iter().map(eviction).collect()),
        }
    }
}

impl<'a> Node<'a> {
    fn new(node: &'a drain::NodeForecast) -> Self {
        let interruption = |felt: &'a drain::Interruption| Interruption {
            namespace: &felt.pod.namespace,
            pod: &felt.pod.name,
            reason: felt.why.as_str(),
            message: felt.why.message(),
        };
        Self {
            name: &node.node,
            verdict: node.verdict.as_str(),
            pods: node.pods,
            waves: node.waves,
            empty_dirs: node.empty_dirs,
            blockers: node.blockers.iter().map(Blocker::new).collect(),
            interruptions: node.interruptions.iter().map(interruption).collect(),
        }
    }
}

impl<'a> Blocker<'a> {
    fn new(blocker: &'a drain::Blocker) -> Self {
        let flux = blocker.flux.as_ref().map(|flux| Flux {
            kind: flux.kind.kind().as_str(),
            namespace: &flux.key.namespace,
            name: &flux.key.name,
        });
        Self {
            namespace: &blocker.pod.namespace,
            pod: &blocker.pod.name,
            reason: blocker.cause.reason(),
            lasting: blocker.lasting.as_str(),
            budgets: blocker.budgets.iter().map(|budget| budget.as_str()).collect(),
            vault_transit_unseal: blocker.unseal().map(|name| name.as_str()),
            owner: owner(&blocker.owner),
            flux,
            message: blocker.message(),
            remedy: &blocker.remedy,
            patch: blocker.patch.as_deref(),
        }
    }
}

fn owner(owner: &PodOwner) -> Option<Owner<'_>> {
    match owner {
        PodOwner::Workload(id) => Some(Owner { kind: id.kind.kind().as_str(), name: &id.name }),
        PodOwner::Custom(owner) | PodOwner::Unknown(owner) => Some(Owner { kind: &owner.kind, name: &owner.name }),
        PodOwner::Node(_) | PodOwner::Nobody => None,
    }
}
