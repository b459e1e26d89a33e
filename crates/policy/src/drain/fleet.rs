//! The cluster as a drain sees it: nodes with their pods, pods with their budgets and makers, budgets with what they count.
//!
//! Built once from the facts; costs what the cluster holds. Pods that look the same to every selector and have the same
//! maker are one group, and only a group knows its budgets.

use std::cell::OnceCell;

use foldhash::{HashMap, HashMapExt as _};
use holdfast_model::facts::{Apart, Budget, BudgetStatus, Node, Placement, Pod, Room, Workload};
use holdfast_model::{Cluster, NamespaceView, PodOwner, Text, WorkloadKind};

use super::class::Classes;
use super::fit::Moves;
use crate::eviction::expected::{self, Pods};
use crate::survey::Survey;

/// Everything that a drain asks about.
pub(super) struct Fleet<'a> {
    pub(super) nodes: Vec<NodeEntry<'a>>,
    pub(super) pods: Vec<PodEntry<'a>>,
    pub(super) groups: Vec<GroupEntry<'a>>,
    pub(super) makers: Vec<Maker<'a>>,
    pub(super) budgets: Vec<BudgetEntry<'a>>,
    pub(super) classes: Classes<'a>,
    /// Of each namespace the pods that must not run near others.
    pub(super) wary: Vec<Vec<Wary<'a>>>,
    /// The namespaces. A survey is kept only of those in which a selector of pods is asked for: all of them together would be
    /// most of what a forecast takes of memory.
    homes: Vec<Home<'a>>,
    by_name: HashMap<&'a Text, usize>,
}

/// A namespace.
struct Home<'a> {
    view: NamespaceView<'a>,
    first_group: usize,
    survey: OnceCell<Survey<'a>>,
}

/// A node. One of which only pods are known is no entry: nobody can drain it.
pub(super) struct NodeEntry<'a> {
    pub(super) name: &'a Text,
    pub(super) node: &'a Node,
    /// What its pods take.
    pub(super) used: Room,
    pub(super) pods: Vec<usize>,
}

pub(super) struct PodEntry<'a> {
    pub(super) name: &'a Text,
    pub(super) pod: &'a Pod,
    pub(super) group: usize,
    /// Where it is now; a sequence moves it.
    pub(super) node: Option<usize>,
    /// A sequence has evicted it, and it isn't back.
    pub(super) is_gone: bool,
}

/// Pods of one maker with the same labels.
pub(super) struct GroupEntry<'a> {
    pub(super) home: usize,
    pub(super) maker: usize,
    pub(super) budgets: Box<[usize]>,
    pub(super) pods: Vec<usize>,
    pub(super) view: NamespaceView<'a>,
}

/// Pods that must not run near others, which keeps the others away as well.
pub(super) struct Wary<'a> {
    pub(super) apart: &'a Apart,
    pub(super) pods: Vec<usize>,
}

/// Who makes pods.
pub(super) struct Maker<'a> {
    pub(super) owner: PodOwner,
    pub(super) workload: Option<&'a Workload>,
    pub(super) groups: Vec<usize>,
}

/// A budget, and what it says now and at full health.
pub(super) struct BudgetEntry<'a> {
    pub(super) namespace: &'a Text,
    pub(super) name: &'a Text,
    pub(super) budget: &'a Budget,
    /// What the disruption controller makes of it; none where that can't be told.
    pub(super) computed: Option<BudgetStatus>,
    pub(super) now: BudgetStatus,
    pub(super) full: BudgetStatus,
}

impl<'a> Fleet<'a> {
    pub(super) fn new(cluster: &'a Cluster) -> Self {
        let nodes: Vec<NodeEntry<'a>> = cluster
            .nodes()
            .map(|(name, node)| NodeEntry { name, node, used: Room::default(), pods: Vec::new() })
            .collect();
        let by_name = nodes.iter().enumerate().map(|(at, node)| (node.name, at)).collect();
        let mut fleet = Self {
            nodes,
            pods: Vec::new(),
            groups: Vec::new(),
            makers: Vec::new(),
            budgets: Vec::new(),
            classes: Classes::default(),
            wary: Vec::new(),
            homes: Vec::new(),
            by_name,
        };
        for view in cluster.namespace_names().filter_map(|name| cluster.namespace(name)) {
            fleet.add(view);
        }
        fleet
    }

    pub(super) fn node_count(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn node_index(&self, name: &Text) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// The maker of a pod.
    pub(super) fn maker_of(&self, pod: usize) -> usize {
        self.groups[self.pods[pod].group].maker
    }

    /// The groups of a namespace whose pods a selector covers.
    pub(super) fn covered<'s>(
        &'s self,
        home: usize,
        selection: &'s holdfast_model::selector::Selection,
    ) -> impl Iterator<Item = &'s GroupEntry<'a>> {
        let home = &self.homes[home];
        let survey = || home.survey.get_or_init(|| Survey::new(home.view));
        let found = selection.selector().map(|selector| survey().found(selector)).unwrap_or_default();
        found.into_iter().map(move |at| &self.groups[home.first_group + at])
    }

    /// Takes over what has moved. Of what found no place `lost` are those that are still wanted: they come back as soon as
    /// there is one.
    pub(super) fn commit(&mut self, moves: &Moves) {
        for (pod, now) in &moves.now {
            self.put(*pod, *now);
        }
        self.classes.moved();
    }

    /// Puts a pod on a node, or nowhere.
    pub(super) fn put(&mut self, pod: usize, now: Option<usize>) {
        let entry = &mut self.pods[pod];
        let taken = if entry.pod.phase.is_finished() { Room::default() } else { entry.pod.placement.requests };
        let before = std::mem::replace(&mut entry.node, now);
        entry.is_gone = now.is_none();
        if let Some(before) = before {
            let node = &mut self.nodes[before];
            node.pods.retain(|known| *known != pod);
            node.used = node.used.minus(taken);
        }
        if let Some(now) = now {
            let node = &mut self.nodes[now];
            node.pods.push(pod);
            node.used = node.used.plus(taken);
        }
        let (ready, group) = (entry.pod.ready, entry.group);
        let healthier = match (before.is_some(), now.is_some()) {
            (true, false) => -1,
            (false, true) => 1,
            (true, true) | (false, false) => 0,
        };
        for budget in self.groups[group].budgets.iter().filter(|_| ready) {
            let status = &mut self.budgets[*budget].now;
            status.healthy += healthier;
            expected::recount(status);
        }
    }

    fn add(&mut self, view: NamespaceView<'a>) {
        let first_group = self.groups.len();
        let budgets = self.add_groups(&Survey::new(view));
        self.homes.push(Home { view, first_group, survey: OnceCell::new() });
        self.wary.push(self.wary_among(first_group));
        self.count_budgets(budgets, first_group);
    }

    /// Returns the first of the budgets that it added.
    fn add_groups(&mut self, survey: &Survey<'a>) -> usize {
        let (view, home) = (survey.view, self.homes.len());
        let first_budget = self.budgets.len();
        let mut known: HashMap<&Text, usize> = HashMap::new();
        for (name, budget) in view.budgets() {
            known.insert(name, self.budgets.len());
            let (now, full) = (budget.status.clone(), budget.status.clone());
            self.budgets.push(BudgetEntry { namespace: view.name(), name, budget, computed: None, now, full });
        }
        let mut makers: HashMap<&PodOwner, usize> = HashMap::new();
        for group in survey.groups() {
            let maker = *makers.entry(&group.maker).or_insert_with(|| {
                let workload = workload(view, &group.maker);
                self.makers.push(Maker { owner: group.maker.clone(), workload, groups: Vec::new() });
                self.makers.len() - 1
            });
            let entry = self.groups.len();
            self.makers[maker].groups.push(entry);
            let budgets = survey.covering(group.labels).map(|(name, _)| known[name]).collect();
            let pods = group.pods.iter().map(|(name, pod)| self.add_pod(name, pod, entry)).collect();
            self.groups.push(GroupEntry { home, maker, budgets, pods, view });
        }
        first_budget
    }

    /// Those of the groups from this one on that must not run near others.
    fn wary_among(&self, first_group: usize) -> Vec<Wary<'a>> {
        let mut by_placement: HashMap<&'a Placement, Vec<usize>> = HashMap::new();
        for at in self.groups[first_group..].iter().flat_map(|group| &group.pods) {
            let pod: &'a Pod = self.pods[*at].pod;
            if !pod.placement.apart.is_empty() {
                by_placement.entry(&pod.placement).or_default().push(*at);
            }
        }
        let of = |(placement, pods): (&'a Placement, Vec<usize>)| {
            placement.apart.iter().map(move |apart| Wary { apart, pods: pods.clone() })
        };
        by_placement.into_iter().flat_map(of).collect()
    }

    fn add_pod(&mut self, name: &'a Text, pod: &'a Pod, group: usize) -> usize {
        let at = self.pods.len();
        let node = pod.node.as_ref().and_then(|node| self.by_name.get(node).copied());
        if let Some(node) = node {
            let entry = &mut self.nodes[node];
            entry.pods.push(at);
            if !pod.phase.is_finished() {
                entry.used = entry.used.plus(pod.placement.requests);
            }
        }
        self.pods.push(PodEntry { name, pod, group, node, is_gone: false });
        at
    }

    fn count_budgets(&mut self, first: usize, first_group: usize) {
        let mut tallies: Vec<Tally> = (first..self.budgets.len()).map(|_| Tally::default()).collect();
        for group in &self.groups[first_group..] {
            let counted = Counted::of(&self.makers[group.maker], group, &self.pods);
            for budget in &group.budgets {
                tallies[budget - first].add(group.maker, counted);
            }
        }
        for (at, tally) in tallies.into_iter().enumerate() {
            let entry = &mut self.budgets[first + at];
            entry.computed = tally.computed(entry.budget, tally.all, tally.ready);
            (entry.now, entry.full) = tally.statuses(entry.budget, entry.computed.as_ref());
        }
    }
}

fn workload<'a>(view: NamespaceView<'a>, maker: &PodOwner) -> Option<&'a Workload> {
    match maker {
        PodOwner::Workload(id) => view.workload(id),
        PodOwner::Custom(_) | PodOwner::Node(_) | PodOwner::Nobody | PodOwner::Unknown(_) => None,
    }
}

/// What the disruption controller can say of the scale of a maker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scale {
    /// So many pods.
    Pods(u32),
    /// It has none, which counts as no pods.
    Nobody,
    /// It can't be asked.
    Missing,
    /// Only the API server knows whether it can be asked.
    Unknown,
}

impl Scale {
    fn of(maker: &Maker<'_>) -> Self {
        match (&maker.owner, maker.workload) {
            (PodOwner::Workload(id), workload) => match id.kind {
                WorkloadKind::DaemonSet | WorkloadKind::Job | WorkloadKind::CronJob => Self::Missing,
                WorkloadKind::Deployment | WorkloadKind::StatefulSet | WorkloadKind::ReplicaSet => {
                    workload.map_or(Self::Unknown, |workload| Self::Pods(workload.replicas.unwrap_or(1)))
                }
            },
            (PodOwner::Node(_), _) => Self::Missing,
            (PodOwner::Nobody, _) => Self::Nobody,
            (PodOwner::Custom(_) | PodOwner::Unknown(_), _) => Self::Unknown,
        }
    }
}

/// The pods of a group, counted.
#[derive(Clone, Copy, Debug)]
struct Counted {
    scale: Scale,
    all: u32,
    running: u32,
    ready: u32,
}

impl Counted {
    fn of(maker: &Maker<'_>, group: &GroupEntry<'_>, pods: &[PodEntry<'_>]) -> Self {
        let count = |counts: fn(&Pod) -> bool| {
            let counted = group.pods.iter().filter(|pod| counts(pods[**pod].pod)).count();
            u32::try_from(counted).unwrap_or(u32::MAX)
        };
        Self {
            scale: Scale::of(maker),
            all: count(|_| true),
            running: count(|pod| !pod.phase.is_finished() && !pod.terminating),
            ready: count(|pod| pod.ready && !pod.terminating),
        }
    }
}

/// What a budget counts.
#[derive(Clone, Debug, Default)]
struct Tally {
    all: u32,
    ready: u32,
    running: u32,
    /// Pods that should run beside those that a scale tells.
    alone: u32,
    scale: u32,
    counted: Vec<usize>,
    missing: bool,
    unknown: bool,
}

impl Tally {
    fn add(&mut self, maker: usize, group: Counted) {
        if group.all == 0 {
            return;
        }
        self.all += group.all;
        self.ready += group.ready;
        self.running += group.running;
        match group.scale {
            Scale::Pods(scale) if !self.counted.contains(&maker) => {
                self.counted.push(maker);
                self.scale = self.scale.saturating_add(scale);
            }
            Scale::Pods(_) => {}
            Scale::Nobody => self.alone += group.running,
            Scale::Missing => {
                self.missing = true;
                self.alone += group.running;
            }
            Scale::Unknown => {
                self.unknown = true;
                self.alone += group.running;
            }
        }
    }

    /// What the disruption controller makes of the budget when it covers so many pods; none where that can't be told.
    fn computed(&self, budget: &Budget, all: u32, ready: u32) -> Option<BudgetStatus> {
        let scale = (!self.missing && !self.unknown).then_some(self.scale);
        expected::status(budget, Pods { all, ready, scale })
    }

    /// What the budget says now, and when everything is as healthy as it should be.
    fn statuses(&self, budget: &Budget, computed: Option<&BudgetStatus>) -> (BudgetStatus, BudgetStatus) {
        let wanted = self.scale.saturating_add(self.alone);
        let is_seen = budget.status.generation <= budget.status.observed.unwrap_or(0);
        let now = match computed {
            // Not counted yet, but it is going to be.
            Some(computed) if !is_seen => computed.clone(),
            Some(_) | None => budget.status.clone(),
        };
        // During a rollout more pods run than there should be.
        let full = self.computed(budget, wanted.max(self.all), wanted.max(self.running)).unwrap_or_else(|| {
            let healthy = i32::try_from(self.running).unwrap_or(i32::MAX).max(now.healthy);
            let counts = now.sync_failed.is_none() && is_seen && !self.missing && 0 < now.expected;
            let allowed = if counts { healthy.saturating_sub(now.desired).max(0) } else { now.allowed };
            BudgetStatus { healthy, allowed, ..now.clone() }
        });
        (now, full)
    }
}
