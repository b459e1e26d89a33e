//! What a drain comes to, in words and numbers: verdict, blockers, what is interrupted.

use holdfast_model::facts::FluxOwner;
use holdfast_model::{Kind, ObjectKey, PodOwner, Text, WorkloadRef};

use super::Drainer;
use super::fit::{Fit, Moves, Obstacle, Search};
use super::fleet::Fleet;
use super::gives_way::gives_way;
use super::remedy::{Case, remedy};
use super::waves::{Drained, Health, Stuck, drain};
use crate::eviction::Objection;

/// Every node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forecast {
    /// By name, or in the order of the sequence.
    pub nodes: Vec<NodeForecast>,
}

/// What draining a node would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeForecast {
    /// Its name.
    pub node: Text,
    /// Whether it can be drained.
    pub verdict: Verdict,
    /// Pods that a drain evicts: without those of DaemonSets and static ones.
    pub pods: usize,
    /// In how many waves they go.
    pub waves: u32,
    /// Who stands in the way.
    pub blockers: Vec<Blocker>,
    /// What doesn't stand in the way but is felt.
    pub interruptions: Vec<Interruption>,
    /// Pods that lose what they keep in an `emptyDir` with a drain: kubectl wants to be told
    /// `--delete-emptydir-data`. Nearly every pod has one for scratch, so by itself it is no interruption.
    pub empty_dirs: usize,
}

/// Whether a node can be drained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// Nobody refuses, nothing is felt.
    Clean,
    /// Nobody refuses for good, but something is felt.
    Interrupts,
    /// Somebody refuses.
    Blocks,
}

/// A pod that stays, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocker {
    /// The pod.
    pub pod: ObjectKey,
    /// Why it stays.
    pub cause: Cause,
    /// The budgets that cover it.
    pub budgets: Vec<Text>,
    /// The workload or custom resource that it belongs to.
    pub owner: PodOwner,
    /// In which HelmRelease or Kustomization a person mends the budget, or the workload where that isn't known.
    pub flux: Option<FluxOwner>,
    /// Whether it passes.
    pub lasting: Lasting,
    /// Whether its workload is being rolled out: pods of two templates are there.
    pub rolls_out: bool,
    /// What to do about it: a clause in lower case, without a full stop.
    pub remedy: String,
    /// The same as YAML to merge into the budget, where that can be said exactly.
    pub patch: Option<String>,
}

/// Why a pod stays.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cause {
    /// Several budgets cover it, which the eviction subresource doesn't support.
    SeveralBudgets,
    /// Its budget refuses.
    Budget(Objection),
}

/// Whether something passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lasting {
    /// It blocks at full health too.
    Structural,
    /// It blocks while something isn't healthy.
    Transient,
}

/// Something that is felt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interruption {
    /// The pod.
    pub pod: ObjectKey,
    /// The workload or custom resource that it belongs to.
    pub owner: PodOwner,
    /// What happens.
    pub why: Why,
}

/// What happens to a pod that goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Why {
    /// It was the last that was ready: nobody serves until another is.
    LastReady,
    /// Nobody makes it again; kubectl needs `--force`.
    Bare,
    /// It begins anew.
    Job,
    /// Whether it finds another node can't be told.
    PlacementUnknown,
    /// It finds no other node.
    NoPlace(Obstacle),
    /// It isn't made again before those of its StatefulSet with lower numbers are ready.
    WaitsForPredecessor,
    /// Its budget refuses, but this operator moves what it runs once the node is cordoned.
    OperatorGivesWay(&'static str),
}

/// What draining one node would do.
pub(super) fn of_node(fleet: &Fleet<'_>, node: usize, drainer: Drainer) -> NodeForecast {
    Played::new(fleet, &[node], drainer).told(node)
}

/// What draining these nodes at the same time would do; what went is on other nodes from then on.
pub(super) fn of_batch(fleet: &mut Fleet<'_>, nodes: &[usize], drainer: Drainer) -> Vec<NodeForecast> {
    let played = Played::new(fleet, nodes, drainer);
    let forecasts = nodes.iter().map(|node| played.told(*node)).collect();
    let drained = played.now;
    fleet.commit(&drained.moves);
    // The nodes come back, and with them a place for what found none.
    for pod in drained.lost {
        let search = Search { fleet, drained: &[], moves: &Moves::default() };
        if let Fit::Node(node) = search.node_for(pod) {
            fleet.put(pod, Some(node));
        }
    }
    forecasts
}

/// A drain as it would go now, and as it would at full health where somebody stays.
struct Played<'s, 'a> {
    fleet: &'s Fleet<'a>,
    now: Drained,
    full: Drained,
}

impl<'s, 'a> Played<'s, 'a> {
    fn new(fleet: &'s Fleet<'a>, nodes: &[usize], drainer: Drainer) -> Self {
        let now = drain(fleet, nodes, drainer, Health::Now);
        let full = if now.stuck.is_empty() { Drained::default() } else { drain(fleet, nodes, drainer, Health::Full) };
        Self { fleet, now, full }
    }

    /// The part of it that is about one node.
    fn told(&self, node: usize) -> NodeForecast {
        let Self { fleet, now: drained, full } = self;
        let here = |pod: usize| fleet.pods[pod].node == Some(node);
        let stuck: Vec<_> = drained.stuck.iter().filter(|(pod, _)| here(**pod)).collect();
        let evicted = || drained.moves.now.keys().filter(|pod| here(**pod));
        let stuck_here = stuck.len();
        let mut blockers = Vec::new();
        let mut interruptions: Vec<Interruption> = drained
            .interruptions
            .iter()
            .filter(|(pod, _)| here(*pod))
            .map(|(pod, why)| interruption(fleet, *pod, *why))
            .collect();
        for (pod, why) in stuck {
            match gives_way(fleet, *pod) {
                Some(operator) => interruptions.push(interruption(fleet, *pod, Why::OperatorGivesWay(operator))),
                None => {
                    let lasting = if full.stuck.contains_key(pod) { Lasting::Structural } else { Lasting::Transient };
                    blockers.push(blocker(fleet, *pod, why, lasting));
                }
            }
        }
        blockers.sort_by(|a, b| (a.lasting, &a.pod).cmp(&(b.lasting, &b.pod)));
        interruptions.sort_by(|a, b| (a.why, &a.pod).cmp(&(b.why, &b.pod)));
        let verdict = match (blockers.is_empty(), interruptions.is_empty()) {
            (false, _) => Verdict::Blocks,
            (true, false) => Verdict::Interrupts,
            (true, true) => Verdict::Clean,
        };
        NodeForecast {
            node: fleet.nodes[node].name.clone(),
            verdict,
            pods: evicted().count() + stuck_here,
            waves: drained.waves,
            blockers,
            interruptions,
            empty_dirs: evicted().filter(|pod| loses_data(fleet, **pod)).count(),
        }
    }
}

fn loses_data(fleet: &Fleet<'_>, pod: usize) -> bool {
    let facts = fleet.pods[pod].pod;
    facts.placement.empty_dir && !facts.phase.is_finished() && !facts.terminating
}

fn interruption(fleet: &Fleet<'_>, pod: usize, why: Why) -> Interruption {
    Interruption { pod: key(fleet, pod), owner: owner(fleet, pod), why }
}

fn blocker(fleet: &Fleet<'_>, pod: usize, stuck: &Stuck, lasting: Lasting) -> Blocker {
    let (budgets, cause) = match stuck {
        Stuck::Several(budgets) => (budgets.clone(), Cause::SeveralBudgets),
        Stuck::Budget(budget, objection) => (vec![*budget], Cause::Budget(objection.clone())),
    };
    let ready = fleet.pods[pod].pod.ready;
    let (remedy, patch) = remedy(fleet, &budgets, &cause, Case { lasting, ready });
    Blocker {
        pod: key(fleet, pod),
        flux: flux_owner(fleet, pod, &budgets),
        cause,
        budgets: budgets.iter().map(|budget| fleet.budgets[*budget].name.clone()).collect(),
        owner: owner(fleet, pod),
        lasting,
        rolls_out: rolls_out(fleet, pod),
        remedy,
        patch,
    }
}

/// The labels by which controllers tell pods of one template from those of another.
const TEMPLATES: [&str; 2] = ["pod-template-hash", "controller-revision-hash"];

fn rolls_out(fleet: &Fleet<'_>, pod: usize) -> bool {
    let maker = &fleet.makers[fleet.maker_of(pod)];
    let pods = maker.groups.iter().flat_map(|group| &fleet.groups[*group].pods).map(|pod| fleet.pods[*pod].pod);
    let mut templates = pods
        .filter(|pod| !pod.phase.is_finished())
        .filter_map(|pod| TEMPLATES.iter().find_map(|label| pod.labels.get(label)));
    templates.next().is_some_and(|first| templates.any(|other| other != first))
}

fn flux_owner(fleet: &Fleet<'_>, pod: usize, budgets: &[usize]) -> Option<FluxOwner> {
    let view = fleet.groups[fleet.pods[pod].group].view;
    let of_budget = budgets.iter().find_map(|budget| {
        let entry = &fleet.budgets[*budget];
        view.flux_owner(Kind::PodDisruptionBudget, entry.name, &entry.budget.flux)
    });
    of_budget.or_else(|| {
        let workload = fleet.makers[fleet.maker_of(pod)].workload?;
        view.flux_owner(workload.id.kind.kind(), &workload.id.name, &workload.flux)
    })
}

fn key(fleet: &Fleet<'_>, pod: usize) -> ObjectKey {
    let entry = &fleet.pods[pod];
    ObjectKey::new(fleet.groups[entry.group].view.name().clone(), entry.name.clone())
}

fn owner(fleet: &Fleet<'_>, pod: usize) -> PodOwner {
    fleet.makers[fleet.maker_of(pod)].owner.clone()
}

impl Forecast {
    /// The worst verdict there is; none without nodes.
    #[must_use]
    pub fn verdict(&self) -> Option<Verdict> {
        self.nodes.iter().map(|node| node.verdict).max()
    }

    /// How many nodes have this verdict.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        self.nodes.iter().filter(|node| node.verdict == verdict).count()
    }
}

impl Verdict {
    /// All of them, the best first.
    pub const ALL: [Self; 3] = [Self::Clean, Self::Interrupts, Self::Blocks];

    /// As it is written in status and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Clean => "Clean",
            Self::Interrupts => "Interrupts",
            Self::Blocks => "Blocks",
        }
    }
}

impl Lasting {
    /// As it is written in status.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Structural => "Structural",
            Self::Transient => "Transient",
        }
    }
}

impl Cause {
    /// The reason in one word, as it is written in status and JSON.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::SeveralBudgets => "SeveralBudgets",
            Self::Budget(objection) => objection.reason(),
        }
    }
}

impl Blocker {
    /// The workload, when it is one.
    #[must_use]
    pub fn workload(&self) -> Option<&WorkloadRef> {
        match &self.owner {
            PodOwner::Workload(id) => Some(id),
            PodOwner::Custom(_) | PodOwner::Node(_) | PodOwner::Nobody | PodOwner::Unknown(_) => None,
        }
    }

    /// What is wrong: a clause in lower case, without a full stop.
    #[must_use]
    pub fn message(&self) -> String {
        match &self.cause {
            Cause::SeveralBudgets => "several budgets cover the same pod, which an eviction can't serve".to_owned(),
            Cause::Budget(objection) => objection.to_string(),
        }
    }
}

impl Why {
    /// What keeps it from coming back, when that is why it is missed.
    #[must_use]
    pub fn obstacle(self) -> Option<Obstacle> {
        match self {
            Self::NoPlace(obstacle) => Some(obstacle),
            Self::LastReady
            | Self::Bare
            | Self::Job
            | Self::PlacementUnknown
            | Self::WaitsForPredecessor
            | Self::OperatorGivesWay(_) => None,
        }
    }

    /// As it is written in status and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LastReady => "LastReady",
            Self::Bare => "BarePod",
            Self::Job => "JobPod",
            Self::PlacementUnknown => "PlacementUnknown",
            Self::NoPlace(_) => "NoPlace",
            Self::WaitsForPredecessor => "WaitsForPredecessor",
            Self::OperatorGivesWay(_) => "OperatorGivesWay",
        }
    }

    /// What happens: a clause in lower case, without a full stop.
    #[must_use]
    pub fn message(self) -> String {
        match self {
            Self::LastReady => "it is the last ready one: nobody serves until another is".to_owned(),
            Self::Bare => "nobody makes it again; kubectl needs --force".to_owned(),
            Self::Job => "its work begins anew".to_owned(),
            Self::PlacementUnknown => "whether it finds another node can't be told from here".to_owned(),
            Self::NoPlace(obstacle) => format!("it finds no other node: {}", obstacle.because()),
            Self::WaitsForPredecessor => {
                "its StatefulSet makes it again only when those with lower numbers are ready".to_owned()
            }
            Self::OperatorGivesWay(operator) => {
                format!("its budget refuses until {operator} gives way, once the node is cordoned")
            }
        }
    }
}
