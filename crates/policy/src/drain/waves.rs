//! The drain itself: wave after wave, until the nodes are empty or a wave lets nobody go.

use std::collections::BTreeMap;

use foldhash::HashMap;
use holdfast_model::facts::BudgetStatus;
use holdfast_model::{PodOwner, WorkloadKind};

use super::fit::{Fit, Moves, Search};
use super::home::{Home, PodEntry};
use super::nodes::{Nodes, Taken};
use super::outcome::Why;
use super::{Drainer, Patience};
use crate::eviction::{self, Cost, Objection, expected};

/// As how healthy everything counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Health {
    /// As it is.
    Now,
    /// As it should be.
    Full,
}

/// Why a pod stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stuck {
    Several(Vec<usize>),
    Budget(usize, Objection),
    /// Its budget lets it go only after so many seconds at the earliest, and by then the drainer has given up.
    OutOfTime {
        budget: usize,
        needs: u32,
        patience: Patience,
    },
}

impl Stuck {
    /// Whether its eviction is refused as things are.
    pub(super) fn is_refusal(&self) -> bool {
        match self {
            Self::Several(_) | Self::Budget(..) => true,
            Self::OutOfTime { .. } => false,
        }
    }
}

/// How a drain ends.
#[derive(Clone, Debug, Default)]
pub(super) struct Drained {
    /// Waves in which somebody went.
    pub(super) waves: u32,
    /// Pods that stay, by number.
    pub(super) stuck: BTreeMap<usize, Stuck>,
    /// What is lost with pods that went.
    pub(super) interruptions: Vec<(usize, Why)>,
    /// Pods that are wanted and found no place.
    pub(super) lost: Vec<usize>,
    pub(super) moves: Moves,
}

/// What a drain is about.
#[derive(Clone, Copy)]
pub(super) struct Scene<'s, 'a> {
    pub(super) nodes: &'s Nodes<'a>,
    pub(super) home: &'s Home<'a>,
    /// The nodes that are drained at the same time.
    pub(super) drained: &'s [usize],
    /// Room that pods of other namespaces have taken which the same drain moved.
    pub(super) taken: &'s Taken,
    pub(super) drainer: Drainer,
}

/// Drains what a namespace runs on the nodes.
pub(super) fn drain(scene: Scene<'_, '_>, health: Health) -> Drained {
    let Scene { home, drained, drainer, .. } = scene;
    let mut drain = Drain {
        scene,
        home,
        health,
        statuses: HashMap::default(),
        makers: HashMap::default(),
        waited: HashMap::default(),
        returning: HashMap::default(),
        drained: Drained::default(),
    };
    let mut left: Vec<usize> = drained.iter().flat_map(|node| home.on(*node)).collect();
    left.retain(|pod| drain.is_evicted(*pod));
    loop {
        let before = left.len();
        let (gone, stay) = drain.wave(&left);
        let is_last = stay.is_empty() || gone.is_empty() || drainer == Drainer::OnePass;
        drain.drained.waves += u32::from(!gone.is_empty());
        drain.come_back(&gone);
        left = stay.iter().map(|(pod, _)| *pod).collect();
        debug_assert!(left.len() <= before);
        if is_last {
            drain.drained.stuck = stay.into_iter().collect();
            return drain.drained;
        }
    }
}

struct Drain<'s, 'a> {
    scene: Scene<'s, 'a>,
    home: &'s Home<'a>,
    health: Health,
    /// Of budgets that are different by now.
    statuses: HashMap<usize, BudgetStatus>,
    makers: HashMap<usize, MakerState>,
    /// Of budgets for which it was waited: how many seconds at least.
    waited: HashMap<usize, u32>,
    /// Of budgets of which pods come back with this wave: after how many seconds the first is Ready at the earliest.
    returning: HashMap<usize, u32>,
    drained: Drained,
}

/// Pods of a maker by now.
#[derive(Clone, Copy, Debug)]
struct MakerState {
    /// Those that run.
    live: u32,
    /// Those of them that are ready.
    ready: u32,
}

impl Drain<'_, '_> {
    /// Whether a drain is about this pod: not those that a DaemonSet would make again at once, nor static ones.
    fn is_evicted(&self, pod: usize) -> bool {
        match &self.home.makers[self.home.maker_of(pod)].owner {
            PodOwner::Workload(id) => id.kind != WorkloadKind::DaemonSet,
            PodOwner::Node(_) => false,
            PodOwner::Custom(_) | PodOwner::Nobody | PodOwner::Unknown(_) => true,
        }
    }

    /// Asks for each pod that is left; who goes, and who stays why.
    fn wave(&mut self, left: &[usize]) -> (Vec<usize>, Vec<(usize, Stuck)>) {
        let (mut gone, mut stay) = (Vec::new(), Vec::new());
        for pod in left {
            match self.evict(*pod) {
                Ok(()) => gone.push(*pod),
                Err(why) => stay.push((*pod, why)),
            }
        }
        (gone, stay)
    }

    fn evict(&mut self, pod: usize) -> Result<(), Stuck> {
        let PodEntry { pod: facts, group, .. } = self.home.pods[pod];
        if eviction::is_unguarded(facts) {
            return Ok(());
        }
        let ready = self.is_ready(pod);
        match &*self.home.groups[group].budgets {
            [] => {}
            [budget] => {
                let entry = &self.home.budgets[*budget];
                let waited = self.waited.get(budget).copied().unwrap_or_default();
                let given_up = self.scene.drainer.gives_up_before(waited);
                let status = self.status(*budget);
                let asked = eviction::ask(entry.budget, status, ready);
                match (asked.map_err(|objection| Stuck::Budget(*budget, objection))?, given_up) {
                    (Cost::Nothing, _) => {}
                    (Cost::One, Some(patience)) => {
                        return Err(Stuck::OutOfTime { budget: *budget, needs: waited, patience });
                    }
                    (Cost::One, None) => status.allowed -= 1,
                }
                if ready {
                    status.healthy -= 1;
                }
            }
            several => return Err(Stuck::Several(several.to_vec())),
        }
        let maker = self.home.maker_of(pod);
        let state = self.maker(maker);
        state.live = state.live.saturating_sub(1);
        if ready {
            state.ready = state.ready.saturating_sub(1);
        }
        Ok(())
    }

    /// Between two waves: what went comes back where it can, and the budgets are counted anew.
    fn come_back(&mut self, gone: &[usize]) {
        for pod in gone {
            self.drained.moves.now.insert(*pod, None);
        }
        self.note_losses(gone);
        let mut order: Vec<usize> = gone.to_vec();
        // Those of a StatefulSet come back by number.
        order.sort_by_key(|pod| (self.home.maker_of(*pod), ordinal(self.home.pods[*pod].name)));
        for pod in order {
            self.replace(pod);
        }
        self.statuses.values_mut().for_each(expected::recount);
        for (budget, seconds) in self.returning.drain() {
            let waited = self.waited.entry(budget).or_default();
            *waited = waited.saturating_add(seconds);
        }
    }

    fn note_losses(&mut self, gone: &[usize]) {
        for pod in gone {
            let facts = self.home.pods[*pod].pod;
            if facts.phase.is_finished() || facts.terminating {
                continue;
            }
            let maker = self.home.maker_of(*pod);
            let why = match &self.home.makers[maker].owner {
                PodOwner::Nobody => Some(Why::Bare),
                PodOwner::Workload(id) if matches!(id.kind, WorkloadKind::Job | WorkloadKind::CronJob) => {
                    Some(Why::Job)
                }
                PodOwner::Workload(_) | PodOwner::Custom(_) | PodOwner::Node(_) | PodOwner::Unknown(_) => {
                    (self.is_ready(*pod) && self.maker(maker).ready == 0).then_some(Why::LastReady)
                }
            };
            self.drained.interruptions.extend(why.map(|why| (*pod, why)));
        }
    }

    fn replace(&mut self, pod: usize) {
        let entry = &self.home.pods[pod];
        let facts = entry.pod;
        let maker = self.home.maker_of(pod);
        if facts.phase.is_finished() || !self.is_made_again(maker) {
            return;
        }
        if self.waits_for_a_predecessor(pod, maker) {
            self.drained.interruptions.push((pod, Why::WaitsForPredecessor));
            self.drained.lost.push(pod);
            return;
        }
        let Scene { nodes, home, drained, taken, .. } = self.scene;
        let search = Search { nodes, home, drained, taken, moves: &self.drained.moves };
        match search.node_for(pod) {
            Fit::Node(node) => {
                let moves = &mut self.drained.moves;
                moves.taken.add(node, facts.placement.requests);
                moves.now.insert(pod, Some(node));
            }
            Fit::Unknown => self.drained.interruptions.push((pod, Why::PlacementUnknown)),
            Fit::Nowhere(obstacle) => {
                self.drained.interruptions.push((pod, Why::NoPlace(obstacle)));
                self.drained.lost.push(pod);
                return;
            }
        }
        let ready = self.is_ready(pod);
        let state = self.maker(maker);
        state.live += 1;
        state.ready += u32::from(ready);
        if let ([budget], true) = (&*self.home.groups[entry.group].budgets, ready) {
            self.status(*budget).healthy += 1;
            let first = self.returning.entry(*budget).or_insert(u32::MAX);
            *first = facts.placement.ready_after.min(*first);
        }
    }

    /// Whether its maker makes another in its place.
    fn is_made_again(&mut self, maker: usize) -> bool {
        let scale = match (&self.home.makers[maker].owner, self.home.makers[maker].workload) {
            (PodOwner::Nobody | PodOwner::Node(_), _) => return false,
            (PodOwner::Workload(_), Some(workload)) => workload.replicas,
            (PodOwner::Workload(_) | PodOwner::Custom(_) | PodOwner::Unknown(_), _) => None,
        };
        // More than there should be are there during a rollout, or while it is scaled down.
        scale.is_none_or(|scale| self.maker(maker).live < scale)
    }

    /// A StatefulSet makes a pod only when all before it are ready.
    fn waits_for_a_predecessor(&self, pod: usize, maker: usize) -> bool {
        let maker = &self.home.makers[maker];
        if !maker.workload.is_some_and(|workload| workload.ordered) {
            return false;
        }
        let own = ordinal(self.home.pods[pod].name);
        let pods = maker.groups.iter().flat_map(|group| &self.home.groups[*group].pods);
        pods.filter(|other| ordinal(self.home.pods[**other].name) < own).any(|other| !self.runs_ready(*other))
    }

    /// Whether it is there and ready by now.
    fn runs_ready(&self, pod: usize) -> bool {
        let is_gone = self.drained.moves.now.get(&pod).is_some_and(Option::is_none);
        let unplaced = is_gone && !self.drained.interruptions.contains(&(pod, Why::PlacementUnknown));
        self.is_ready(pod) && !unplaced
    }

    fn is_ready(&self, pod: usize) -> bool {
        let PodEntry { pod: facts, is_gone, .. } = self.home.pods[pod];
        if is_gone {
            return false;
        }
        match self.health {
            Health::Now => facts.ready && !facts.terminating,
            Health::Full => !facts.terminating && !facts.phase.is_finished(),
        }
    }

    fn status(&mut self, budget: usize) -> &mut BudgetStatus {
        let entry = &self.home.budgets[budget];
        self.statuses.entry(budget).or_insert_with(|| match self.health {
            Health::Now => entry.now.clone(),
            Health::Full => entry.full.clone(),
        })
    }

    fn maker(&mut self, maker: usize) -> &mut MakerState {
        let (home, health) = (self.home, self.health);
        self.makers.entry(maker).or_insert_with(|| {
            let pods = home.makers[maker].groups.iter().flat_map(|group| &home.groups[*group].pods);
            let running = pods
                .map(|pod| &home.pods[*pod])
                .filter(|entry| !entry.is_gone && !entry.pod.terminating && !entry.pod.phase.is_finished());
            let mut state = MakerState { live: 0, ready: 0 };
            for entry in running {
                state.live += 1;
                state.ready += u32::from(entry.pod.ready || health == Health::Full);
            }
            state
        })
    }
}

/// The number at the end of the name of a StatefulSet's pod; for others it says nothing.
fn ordinal(name: &str) -> u64 {
    name.rsplit_once('-').and_then(|(_, number)| number.parse().ok()).unwrap_or(0)
}
