//! A namespace as a drain sees it: pods with their nodes, budgets and makers, budgets with what they count.
//!
//! A budget and a workload are about pods of their own namespace alone, so a drain is played namespace by namespace: only
//! room is shared. Built from the facts when it is asked for; costs what the namespace holds. Pods that look the same to
//! every selector and have the same maker are one group, and only a group knows its budgets.

use std::collections::BTreeSet;

use foldhash::{HashMap, HashMapExt as _};
use holdfast_model::facts::{Apart, Budget, BudgetStatus, Moment, Placement, Pod, Room, Workload};
use holdfast_model::selector::Selection;
use holdfast_model::{NamespaceView, ObjectKey, PodOwner, Text, WorkloadKind};
use jiff::Timestamp;

use super::nodes::{Nodes, taken_by};
use super::stale::{self, Missed};
use crate::eviction::expected::{self, Pods};
use crate::survey::Survey;

/// Everything that a drain asks about in one namespace.
pub(super) struct Home<'a> {
    pub(super) view: NamespaceView<'a>,
    pub(super) pods: Vec<PodEntry<'a>>,
    pub(super) groups: Vec<GroupEntry>,
    pub(super) makers: Vec<Maker<'a>>,
    pub(super) budgets: Vec<BudgetEntry<'a>>,
    /// The pods that must not run near others.
    pub(super) wary: Vec<Wary<'a>>,
    /// Pods by the node on which they are: node and pod.
    hosted: BTreeSet<(usize, usize)>,
    survey: Survey<'a>,
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
pub(super) struct GroupEntry {
    pub(super) maker: usize,
    pub(super) budgets: Box<[usize]>,
    pub(super) pods: Vec<usize>,
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
    pub(super) name: &'a Text,
    pub(super) budget: &'a Budget,
    /// What the disruption controller makes of it; none where that can't be told.
    pub(super) computed: Option<BudgetStatus>,
    pub(super) now: BudgetStatus,
    pub(super) full: BudgetStatus,
    /// Ready pods that its status should count and doesn't.
    pub(super) missed: Option<Missed>,
}

impl<'a> Home<'a> {
    pub(super) fn new(nodes: &Nodes<'a>, view: NamespaceView<'a>) -> Self {
        let mut home = Self {
            view,
            pods: Vec::new(),
            groups: Vec::new(),
            makers: Vec::new(),
            budgets: Vec::new(),
            wary: Vec::new(),
            hosted: BTreeSet::new(),
            survey: Survey::new(view),
        };
        home.add_groups(nodes);
        home.hosted =
            home.pods.iter().enumerate().filter_map(|(at, entry)| entry.node.map(|node| (node, at))).collect();
        home.wary = home.wary();
        home.count_budgets();
        home.find_missed();
        home
    }

    /// The nodes on which there are pods, in order.
    pub(super) fn hosts(&self) -> impl Iterator<Item = usize> {
        let mut last = None;
        self.hosted.iter().map(|(node, _)| *node).filter(move |node| last.replace(*node) != Some(*node))
    }

    /// The pods on a node.
    pub(super) fn on(&self, node: usize) -> impl Iterator<Item = usize> {
        self.hosted.range((node, 0)..(node + 1, 0)).map(|(_, pod)| *pod)
    }

    /// What the pods on a node take.
    pub(super) fn used_on(&self, node: usize) -> Room {
        self.on(node).fold(Room::default(), |used, pod| used.plus(taken_by(self.pods[pod].pod)))
    }

    /// The maker of a pod.
    pub(super) fn maker_of(&self, pod: usize) -> usize {
        self.groups[self.pods[pod].group].maker
    }

    /// Namespace and name of a pod.
    pub(super) fn key(&self, pod: usize) -> ObjectKey {
        ObjectKey::new(self.view.name().clone(), self.pods[pod].name.clone())
    }

    /// Who made a pod.
    pub(super) fn owner(&self, pod: usize) -> PodOwner {
        self.makers[self.maker_of(pod)].owner.clone()
    }

    /// The groups whose pods a selector covers.
    pub(super) fn covered<'s>(&'s self, selection: &'s Selection) -> impl Iterator<Item = &'s GroupEntry> {
        let found = selection.selector().map(|selector| self.survey.found(selector)).unwrap_or_default();
        found.into_iter().map(move |at| &self.groups[at])
    }

    /// When it becomes sure of a budget that its status was left stale, though nothing changes.
    pub(super) fn sure_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.budgets
            .iter()
            .filter_map(|entry| entry.missed)
            .filter(|missed| !missed.is_sure(now))
            .map(|it| it.sure_at)
            .min()
    }

    /// Puts a pod on a node, or nowhere.
    pub(super) fn put(&mut self, nodes: &mut Nodes<'a>, pod: usize, now: Option<usize>) {
        let entry = &mut self.pods[pod];
        let taken = taken_by(entry.pod);
        let before = std::mem::replace(&mut entry.node, now);
        entry.is_gone = now.is_none();
        if let Some(before) = before {
            self.hosted.remove(&(before, pod));
            let node = &mut nodes.entries[before];
            node.used = node.used.minus(taken);
        }
        if let Some(now) = now {
            self.hosted.insert((now, pod));
            let node = &mut nodes.entries[now];
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

    fn add_groups(&mut self, nodes: &Nodes<'a>) {
        let view = self.view;
        let mut known: HashMap<&Text, usize> = HashMap::new();
        for (name, budget) in view.budgets() {
            known.insert(name, self.budgets.len());
            let (now, full) = (budget.status.clone(), budget.status.clone());
            self.budgets.push(BudgetEntry { name, budget, computed: None, now, full, missed: None });
        }
        let mut makers: HashMap<&PodOwner, usize> = HashMap::new();
        for group in self.survey.groups() {
            let maker = *makers.entry(&group.maker).or_insert_with(|| {
                let workload = workload(view, &group.maker);
                self.makers.push(Maker { owner: group.maker.clone(), workload, groups: Vec::new() });
                self.makers.len() - 1
            });
            let entry = self.groups.len();
            self.makers[maker].groups.push(entry);
            let budgets = self.survey.covering(group.labels).map(|(name, _)| known[name]).collect();
            let first = self.pods.len();
            let pod = |(name, pod): &(&'a Text, &'a Pod)| PodEntry {
                name,
                pod,
                group: entry,
                node: nodes.hosting(pod),
                is_gone: false,
            };
            self.pods.extend(group.pods.iter().map(pod));
            let pods = (first..self.pods.len()).collect();
            self.groups.push(GroupEntry { maker, budgets, pods });
        }
    }

    fn wary(&self) -> Vec<Wary<'a>> {
        let mut by_placement: HashMap<&'a Placement, Vec<usize>> = HashMap::new();
        for (at, entry) in self.pods.iter().enumerate() {
            let pod: &'a Pod = entry.pod;
            if !pod.placement.apart.is_empty() {
                by_placement.entry(&pod.placement).or_default().push(at);
            }
        }
        let of = |(placement, pods): (&'a Placement, Vec<usize>)| {
            placement.apart.iter().map(move |apart| Wary { apart, pods: pods.clone() })
        };
        by_placement.into_iter().flat_map(of).collect()
    }

    fn count_budgets(&mut self) {
        let mut tallies = vec![Tally::default(); self.budgets.len()];
        for group in &self.groups {
            let counted = Counted::of(&self.makers[group.maker], group, &self.pods);
            for budget in &group.budgets {
                tallies[*budget].add(group.maker, counted);
            }
        }
        for (entry, tally) in self.budgets.iter_mut().zip(tallies) {
            entry.computed = tally.computed(entry.budget, tally.all, tally.ready);
            (entry.now, entry.full) = tally.statuses(entry.budget, entry.computed.as_ref());
        }
    }

    /// Of the few budgets that let nobody go and might.
    fn find_missed(&mut self) {
        for at in 0..self.budgets.len() {
            let BudgetEntry { budget, computed, .. } = &self.budgets[at];
            let Some(counted) = computed.as_ref().filter(|counted| stale::is_suspect(&budget.status, counted)) else {
                continue;
            };
            let covered = || self.groups.iter().filter(|group| group.budgets.contains(&at));
            if covered().any(|group| 1 < group.budgets.len()) {
                continue;
            }
            let pods = covered().flat_map(|group| &group.pods).map(|pod| self.pods[*pod].pod);
            let ready = pods.filter(|pod| pod.ready && !pod.terminating);
            let since = ready.filter_map(|pod| pod.ready_since).map(Moment::timestamp);
            self.budgets[at].missed = stale::missed(&budget.status, counted, since);
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
    fn of(maker: &Maker<'_>, group: &GroupEntry, pods: &[PodEntry<'_>]) -> Self {
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
