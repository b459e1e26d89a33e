//! What a drain comes to, in words and numbers: verdict, blockers, what is interrupted.

use holdfast_model::{ObjectKey, PodOwner, Text};

use super::Drainer;
use super::blocker::{Blocker, Case, Lasting, stays, stays_sealed};
use super::fit::Obstacle;
use super::gives_way::gives_way;
use super::home::Home;
use super::remedy::Spent;
use super::unseal::{Doubt, Word, told};
use super::waves::{Drained, Health, Scene, Stuck, drain};

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
    /// Somebody refuses, or wouldn't come back to work.
    Blocks,
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
    /// Whether it would unseal itself again can't be told.
    StartUnknown(Doubt),
}

/// What a namespace contributes to the forecast of a node.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub(super) tally: Tally,
    pub(super) blockers: Vec<Blocker>,
    pub(super) interruptions: Vec<Interruption>,
}

/// The numbers of a part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) pods: u32,
    pub(super) waves: u32,
    pub(super) empty_dirs: u32,
}

/// A drain of what a namespace runs, as it would go now, and as it would at full health where somebody stays.
pub(super) struct Played<'s, 'a> {
    scene: Scene<'s, 'a>,
    pub(super) now: Drained,
    full: Drained,
}

impl<'s, 'a> Played<'s, 'a> {
    pub(super) fn new(scene: Scene<'s, 'a>) -> Self {
        let now = drain(scene, Health::Now);
        let full = if now.stuck.is_empty() { Drained::default() } else { drain(scene, Health::Full) };
        Self { scene, now, full }
    }

    /// What is about one of the nodes.
    pub(super) fn part(&self, node: usize) -> Part {
        let Self { scene: Scene { nodes, home, .. }, now: drained, full } = self;
        let here = |pod: usize| home.pods[pod].node == Some(node);
        let evicted = || drained.moves.now.keys().filter(|pod| here(**pod));
        let felt = drained.interruptions.iter().filter(|(pod, _)| here(*pod));
        let mut part = Part {
            tally: Tally {
                pods: number(evicted().count()),
                waves: drained.waves,
                empty_dirs: number(evicted().filter(|pod| loses_data(home, **pod)).count()),
            },
            blockers: Vec::new(),
            interruptions: felt.map(|(pod, why)| interruption(home, *pod, *why)).collect(),
        };
        for (pod, why) in drained.stuck.iter().filter(|(pod, _)| here(**pod)) {
            part.tally.pods += 1;
            // An operator that gives way makes nothing go faster.
            let operator = why.is_refusal().then(|| gives_way(nodes, home, *pod)).flatten();
            match operator {
                Some(operator) => part.interruptions.push(interruption(home, *pod, Why::OperatorGivesWay(operator))),
                None => {
                    let lasting = if full.stuck.contains_key(pod) { Lasting::Structural } else { Lasting::Transient };
                    let case = Case { lasting, spent: self.spent(why), now: nodes.now };
                    part.blockers.push(stays(home, *pod, why, case));
                }
            }
        }
        // Nearly every namespace has none, and no pod of it needs to be asked of.
        if home.view.unseals().next().is_none() {
            return part;
        }
        let leaves = |pod: &usize| drained.moves.now.contains_key(pod) || drained.stuck.contains_key(pod);
        home.on(node).filter(leaves).for_each(|pod| part.add_unseal(home, pod));
        part
    }
}

impl Played<'_, '_> {
    /// On what the budget is spent that lets a pod stay, when it lets others go.
    fn spent(&self, stuck: &Stuck) -> Option<Spent> {
        let Self { scene: Scene { home, drainer, .. }, now: drained, .. } = self;
        let Stuck::Budget(budget, _) = stuck else { return None };
        if home.budgets[*budget].full.allowed <= 0 {
            return None;
        }
        let its_own = |pod: usize| *home.groups[home.pods[pod].group].budgets == [*budget];
        let lost = drained.interruptions.iter().filter(|(pod, _)| its_own(*pod)).find_map(|(_, why)| why.obstacle());
        match (lost, drainer) {
            (Some(obstacle), _) => Some(Spent::Lost(obstacle)),
            (None, Drainer::OnePass) => Some(Spent::AskedOnce),
            (None, Drainer::Retry(_)) => None,
        }
    }
}

impl Part {
    /// What is told of whether a pod that leaves would unseal itself again.
    fn add_unseal(&mut self, home: &Home<'_>, pod: usize) {
        match told(home, pod) {
            Some(Word::StaysSealed(name, unseal, refusal)) => {
                self.blockers.push(stays_sealed(home, pod, name, unseal, refusal));
            }
            Some(Word::Unknown(doubt)) => self.interruptions.push(interruption(home, pod, Why::StartUnknown(doubt))),
            None => {}
        }
    }
}

impl NodeForecast {
    /// Of a node on which nothing runs.
    pub(super) fn empty(node: Text) -> Self {
        Self {
            node,
            verdict: Verdict::Clean,
            pods: 0,
            waves: 0,
            blockers: Vec::new(),
            interruptions: Vec::new(),
            empty_dirs: 0,
        }
    }

    /// Comes to its verdict, from what all namespaces contribute.
    pub(super) fn conclude(&mut self, tallies: impl Iterator<Item = Tally>) {
        (self.pods, self.waves, self.empty_dirs) = (0, 0, 0);
        for tally in tallies {
            self.pods += tally.pods as usize;
            // Namespaces know nothing of each other's waves, so they go at the same time.
            self.waves = self.waves.max(tally.waves);
            self.empty_dirs += tally.empty_dirs as usize;
        }
        self.blockers.sort_by(|a, b| (a.lasting, &a.pod).cmp(&(b.lasting, &b.pod)));
        self.interruptions.sort_by(|a, b| (a.why, &a.pod).cmp(&(b.why, &b.pod)));
        self.verdict = match (self.blockers.is_empty(), self.interruptions.is_empty()) {
            (false, _) => Verdict::Blocks,
            (true, false) => Verdict::Interrupts,
            (true, true) => Verdict::Clean,
        };
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn loses_data(home: &Home<'_>, pod: usize) -> bool {
    let facts = home.pods[pod].pod;
    facts.placement.empty_dir && !facts.phase.is_finished() && !facts.terminating
}

fn interruption(home: &Home<'_>, pod: usize, why: Why) -> Interruption {
    Interruption { pod: home.key(pod), owner: home.owner(pod), why }
}

impl Forecast {
    /// The worst verdict there is; none without nodes.
    #[must_use]
    pub fn verdict(&self) -> Option<Verdict> {
        self.nodes.iter().map(|node| node.verdict).max()
    }

    /// What draining this node would do; none when it isn't known.
    #[must_use]
    pub fn node(&self, name: &str) -> Option<&NodeForecast> {
        self.nodes.iter().find(|forecast| forecast.node == *name)
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
            | Self::OperatorGivesWay(_)
            | Self::StartUnknown(_) => None,
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
            Self::StartUnknown(_) => "StartUnknown",
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
            Self::StartUnknown(doubt) => {
                format!("whether it would unseal itself again can't be told: {}", doubt.because())
            }
        }
    }
}
