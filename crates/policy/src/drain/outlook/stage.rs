//! A drain played on made-up nodes, where the place alone decides: replicas that must be apart, evenly spread, or on one node.
//!
//! Only what is forced is staged. Replicas that ask for one node by name are all on it. Of those that must be apart no two share a
//! node. Those that may differ by one are dealt out evenly. Everything else that a template asks for is taken away, so that a
//! node is open to it that might not be: what is stuck here is stuck in the cluster as well. How many nodes there are must be
//! known, but for a node that is named.

use holdfast_model::facts::{
    Apart, Budget, Constraints, Fact, HOSTNAME, Node, Phase, Placement, Pod, Room, SharedFacts, Spread, Workload,
};
use holdfast_model::{Cluster, Kind, Labels, ObjectKey, OwnerRef, PodOwner, Slice, Text};
use jiff::Timestamp;

use super::super::blocker::Cause;
use super::super::fit::Obstacle;
use super::super::{Drainer, Patience, forecast};
use super::counted::count;
use crate::disruption::Bounds;
use crate::eviction::expected::{self, Pods};
use crate::survey::Survey;

/// More replicas or nodes than anybody has who writes them into files by hand.
const MOST: u32 = 1_000;

/// How a drain goes that was played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Staged {
    /// What goes comes back.
    ComesBack,
    /// What goes doesn't come back while its node is away, but all go.
    Misses(Obstacle),
    /// What went doesn't come back, and so its budget lets nobody go after it.
    Stuck {
        /// Why the next one stays.
        cause: Cause,
        /// What keeps those away that went.
        place: Obstacle,
        /// The budget.
        budget: Text,
        /// Its replicas.
        pods: u32,
        /// The nodes there are.
        nodes: u32,
    },
}

/// What keeps replicas where they are.
enum Bound<'a> {
    /// They are all on this node.
    Host(&'a Text),
    /// Two of them share no node.
    Apart(&'a Apart),
    /// No node has two more than another.
    Even(&'a Spread),
}

/// Plays the drain of the nodes of a workload; none where its place decides nothing, or isn't known. Of budgets it asks the one that
/// covers nothing else.
pub(crate) fn stage(survey: &Survey<'_>, workload: &Workload, nodes: Option<u32>) -> Option<Staged> {
    let Bounds { asked, scaler, .. } = Bounds::of(workload, survey.view);
    let bound = bound(workload)?;
    let nodes = match (&bound, scaler) {
        // Whatever other nodes there are, they are not that one.
        (Bound::Host(_), _) => nodes.unwrap_or(2).max(2),
        (Bound::Apart(_) | Bound::Even(_), None) => nodes?,
        // How many there are changes with the load.
        (Bound::Apart(_) | Bound::Even(_), Some(_)) => return None,
    };
    if !(2..=MOST).contains(&asked) || !(1..=MOST).contains(&nodes) {
        return None;
    }
    let budget = own_budget(survey, workload)?;
    Some(Set { survey, workload, bound, asked, nodes, budget }.play())
}

fn bound(workload: &Workload) -> Option<Bound<'_>> {
    let (own, placement) = (&workload.template, &*workload.placement);
    let apart = || {
        let near = |apart: &&Apart| apart.topology == HOSTNAME && apart.pods.as_ref().is_some_and(|it| it.matches(own));
        placement.apart.iter().find(near).map(Bound::Apart)
    };
    let even = || {
        let near = |even: &&Spread| even.topology == HOSTNAME && even.skew == 1 && even.pods.matches(own);
        placement.spread.iter().find(near).map(Bound::Even)
    };
    placement.only_host().map(Bound::Host).or_else(apart).or_else(even)
}

/// The budget over a workload, if it has one; none at all where it lets nobody go wherever they are, where it covers pods of others
/// too, and where there are several.
fn own_budget<'a>(survey: &Survey<'a>, workload: &Workload) -> Option<Option<(&'a Text, &'a Budget)>> {
    let covering: Vec<_> = survey.covering(&workload.template).collect();
    let own = PodOwner::Workload(workload.id.clone());
    match covering.as_slice() {
        [] => Some(None),
        [(name, budget)] => {
            let groups = budget.selection.selector().map(|selector| survey.covered(selector)).unwrap_or_default();
            let is_its_own = groups.iter().all(|group| group.maker == own);
            (is_its_own && count(survey, budget).lets_go()).then_some(Some((*name, *budget)))
        }
        _ => None,
    }
}

/// The made-up cluster, and what is put on it.
struct Set<'s, 'a> {
    survey: &'s Survey<'a>,
    workload: &'s Workload,
    bound: Bound<'s>,
    asked: u32,
    nodes: u32,
    budget: Option<(&'a Text, &'a Budget)>,
}

impl Set<'_, '_> {
    fn play(&self) -> Staged {
        let forecast = forecast(&self.cluster(), Drainer::Retry(Patience::ENDLESS), Timestamp::MIN);
        let place = forecast.nodes.iter().flat_map(|node| &node.interruptions).find_map(|felt| felt.why.obstacle());
        let blocker = forecast.nodes.iter().find_map(|node| node.blockers.first());
        match (blocker, place, self.budget) {
            (Some(blocker), place, Some((budget, _))) => Staged::Stuck {
                cause: blocker.cause.clone(),
                // Where nobody went at all, one of them never found a node.
                place: place.unwrap_or(Obstacle::Apart),
                budget: budget.clone(),
                pods: self.asked,
                nodes: self.nodes,
            },
            (_, Some(place), _) => Staged::Misses(place),
            (_, None, _) => Staged::ComesBack,
        }
    }

    fn cluster(&self) -> Cluster {
        let mut cluster = Cluster::default();
        for number in 0..self.nodes {
            let name = self.node(number);
            let node = node(&name);
            cluster.assume(Kind::Node, &ObjectKey::new("", name), Fact::Node(node));
        }
        let placement = self.placement();
        let key = |name: &Text| ObjectKey::new(self.survey.view.name().clone(), name.clone());
        let id = &self.workload.id;
        let workload = Workload { replicas: Some(self.asked), placement: placement.clone(), ..self.workload.clone() };
        cluster.assume(id.kind.kind(), &key(&id.name), Fact::Workload(workload));
        let mut running = 0;
        for number in 0..self.asked {
            let pod = self.pod(number, &placement);
            running += u32::from(pod.ready);
            cluster.assume(Kind::Pod, &key(&format!("{}-{number}", id.name).into()), Fact::Pod(pod));
        }
        if let Some((name, budget)) = self.budget {
            let pods = Pods { all: self.asked, ready: running, scale: Some(self.asked) };
            let status = expected::status(budget, pods).unwrap_or_default();
            let budget = Budget { status, ..budget.clone() };
            cluster.assume(Kind::PodDisruptionBudget, &key(name), Fact::Budget(budget));
        }
        cluster
    }

    fn node(&self, number: u32) -> Text {
        match self.bound {
            Bound::Host(host) if number == 0 => host.clone(),
            Bound::Host(_) | Bound::Apart(_) | Bound::Even(_) => format!("made-up {number}").into(),
        }
    }

    /// What keeps them where they are, and nothing else.
    fn placement(&self) -> Placement {
        let mut constraints = Constraints::default();
        match self.bound {
            Bound::Host(host) => constraints.selector = Labels::new([(HOSTNAME.into(), host.clone())]),
            Bound::Apart(apart) => constraints.apart = [apart.clone()].into(),
            Bound::Even(spread) => constraints.spread = [spread.clone()].into(),
        }
        Placement::new(constraints)
    }

    fn pod(&self, number: u32, placement: &Placement) -> Pod {
        let node = match self.bound {
            Bound::Host(host) => Some(host.clone()),
            Bound::Apart(_) => (number < self.nodes).then(|| self.node(number)),
            Bound::Even(_) => Some(self.node(number % self.nodes)),
        };
        let id = &self.workload.id;
        Pod {
            labels: self.workload.template.clone(),
            owner: Some(OwnerRef {
                group: id.kind.kind().group().into(),
                kind: id.kind.kind().as_str().into(),
                name: id.name.clone(),
            }),
            phase: if node.is_some() { Phase::Running } else { Phase::Pending },
            ready: node.is_some(),
            ready_since: None,
            terminating: false,
            node,
            placement: placement.clone(),
            security: SharedFacts::default(),
            claims: Slice::default(),
        }
    }
}

/// A node that is open to all, with room for any.
fn node(name: &Text) -> Node {
    Node {
        labels: Labels::new([(HOSTNAME.into(), name.clone())]),
        cordoned: false,
        taints: Box::default(),
        ready: Some(true),
        allocatable: Some(Room { pods: u32::MAX, ..Room::default() }),
    }
}
