//! What files tell of draining every node, though nobody knows which pod is on which.
//!
//! A budget that refuses an eviction when all is well refuses it wherever the pod is, so who stands in the way is known from
//! templates and replicas alone: the disruption controller's rules say what the budget comes to (`eviction::expected`), and the
//! eviction subresource's what it answers (`eviction::ask`). Whether somebody is missed meanwhile is known of a single replica,
//! and of what is kept apart; of other replicas without a budget it depends on where they are, which is told as not known.
//! Where a place decides (`stage`), the drain itself is played, on made-up nodes. Left out: pods of DaemonSets, which no drain
//! evicts, of Jobs, which come and go, and those that operators make, but for CloudNativePG; what nobody has counted yet,
//! rollouts and pods that aren't ready; a Vault that would come back sealed.

mod counted;
mod stage;

use std::collections::BTreeSet;

use holdfast_model::facts::{FluxKind, Spread, Workload};
use holdfast_model::repository::{Database, Talos};
use holdfast_model::{
    Cluster, Kind, NamespaceView, ObjectKey, PodOwner, Repository, Subject, Text, WorkloadKind, WorkloadRef,
};

use super::blocker::Cause;
use super::fit::Obstacle;
use super::outcome::{Verdict, Why};
use crate::disruption::Bounds;
use crate::eviction::Objection;
use crate::survey::Survey;
use counted::{Count, count};
pub(crate) use stage::{Staged, stage};

/// What files tell of draining every node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outlook {
    /// What a drain would evict pods of, by namespace, kind and name.
    pub concerned: Vec<Concerned>,
    /// HelmReleases of which nothing is known that makes pods, as their charts aren't at hand or have none, in order: what a drain does
    /// to what they make can't even be counted.
    pub unseen: Vec<ObjectKey>,
}

/// Something whose pods a drain evicts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Concerned {
    /// The workload, the bare pod, or the custom resource.
    pub subject: Subject,
    /// The budgets over its pods that are in the files.
    pub budgets: Vec<Text>,
    /// What a drain does to it.
    pub fate: Fate,
}

/// What a drain does to pods, wherever they are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// Nobody refuses, and others of them serve meanwhile.
    Clean,
    /// Nobody refuses; whether anybody serves meanwhile can't be told.
    MayInterrupt(Unsure),
    /// Nobody refuses for good, but it is felt.
    Interrupts(Why),
    /// Whether somebody refuses can't be told.
    MayBlock(Unsure),
    /// Somebody refuses for good.
    Blocks {
        /// Why.
        cause: Cause,
        /// What keeps those away that went before, where that is why.
        place: Option<Obstacle>,
    },
}

/// Why it can't be told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unsure {
    /// All of its replicas may be on one node.
    Together,
    /// Its budget can't be counted while pods of this Job or CronJob are there.
    JobPods(WorkloadRef),
    /// Its budget covers pods of something else, of which files don't tell how many there are.
    Uncounted(String),
    /// Its operator decides, and no budget of it is known.
    Operator(&'static str),
}

/// What files tell of draining every node. `nodes` is how many there are, where the files say so (see [`stated_nodes`]).
#[must_use]
pub fn outlook(cluster: &Cluster, repository: &Repository, nodes: Option<u32>) -> Outlook {
    let mut concerned: Vec<Concerned> = Vec::new();
    for view in cluster.namespace_names().filter_map(|name| cluster.namespace(name)) {
        let survey = Survey::new(view);
        concerned.extend(view.workloads().filter_map(|workload| of_workload(&survey, workload, nodes)));
        concerned.extend(bare_pods(&survey));
    }
    concerned.extend(repository.disruption.databases.iter().filter_map(of_database));
    concerned.sort_by(|a, b| by_place(&a.subject).cmp(&by_place(&b.subject)));
    Outlook { concerned, unseen: unseen(cluster, repository) }
}

fn unseen(cluster: &Cluster, repository: &Repository) -> Vec<ObjectKey> {
    let views = cluster.namespace_names().filter_map(|name| cluster.namespace(name));
    let owners = views.flat_map(|view| {
        let owner = move |it: &Workload| view.flux_owner(it.id.kind.kind(), &it.id.name, &it.flux);
        view.workloads().filter_map(owner)
    });
    let seen: BTreeSet<ObjectKey> =
        owners.filter(|owner| owner.kind == FluxKind::HelmRelease).map(|owner| owner.key).collect();
    let releases = repository.flux.releases.iter().map(|release| &release.identity.subject);
    let keys = releases.map(|subject| ObjectKey::new(subject.namespace.clone(), subject.name.clone()));
    let unseen: BTreeSet<ObjectKey> = keys.filter(|key| !seen.contains(key)).collect();
    unseen.into_iter().collect()
}

fn by_place(subject: &Subject) -> (&Text, &str, &Text) {
    (&subject.namespace, subject.kind, &subject.name)
}

/// How many nodes a cluster has, where the files of a checkout describe one cluster, and that whole: in one file that lists them, or in
/// one for each node.
#[must_use]
pub fn stated_nodes(talos: &Talos, clusters: usize) -> Option<u32> {
    let count = match talos.clusters.as_slice() {
        [only] => only.nodes.len(),
        [] if !talos.node_files.is_empty() => talos.node_files.len(),
        _ => return None,
    };
    // Several clusters of Flux may be on several machines.
    (clusters == 1).then(|| u32::try_from(count).unwrap_or(u32::MAX))
}

fn of_workload(survey: &Survey<'_>, workload: &Workload, nodes: Option<u32>) -> Option<Concerned> {
    let is_evicted = match workload.id.kind {
        WorkloadKind::Deployment | WorkloadKind::StatefulSet => true,
        // One of a Deployment is counted with it.
        WorkloadKind::ReplicaSet => workload.owner.is_none(),
        WorkloadKind::DaemonSet | WorkloadKind::Job | WorkloadKind::CronJob => false,
    };
    let asked = Bounds::of(workload, survey.view).asked;
    if !is_evicted || asked == 0 {
        return None;
    }
    Some(Concerned {
        subject: subject(survey.view, workload.id.kind.kind(), &workload.id.name),
        budgets: survey.covering(&workload.template).map(|(name, _)| name.clone()).collect(),
        fate: fate(survey, workload, asked, nodes),
    })
}

fn subject(view: NamespaceView<'_>, kind: Kind, name: &Text) -> Subject {
    Subject { kind: kind.as_str(), namespace: view.name().clone(), name: name.clone() }
}

fn fate(survey: &Survey<'_>, workload: &Workload, asked: u32, nodes: Option<u32>) -> Fate {
    let covering: Vec<_> = survey.covering(&workload.template).collect();
    let allowed = match covering.as_slice() {
        [] => asked,
        [(_, budget)] => match count(survey, budget) {
            Count::Allows(allowed) => allowed,
            Count::Refuses(objection) => return refuses(objection),
            Count::Unsure(unsure) => return Fate::MayBlock(unsure),
        },
        _ => return Fate::Blocks { cause: Cause::SeveralBudgets, place: None },
    };
    if asked == 1 {
        return Fate::Interrupts(Why::LastReady);
    }
    match stage(survey, workload, nodes) {
        Some(Staged::Stuck { cause, place, .. }) => Fate::Blocks { cause, place: Some(place) },
        Some(Staged::Misses(place)) => Fate::Interrupts(Why::NoPlace(place)),
        // What is left serves, as its budget or its distance from others keeps it.
        Some(Staged::ComesBack) | None if allowed < asked || keeps_apart(workload, asked) => Fate::Clean,
        Some(Staged::ComesBack) | None => Fate::MayInterrupt(Unsure::Together),
    }
}

fn refuses(objection: Objection) -> Fate {
    Fate::Blocks { cause: Cause::Budget(objection), place: None }
}

/// Whether not all of its replicas can be on one node, by what is asked for and not only preferred.
pub(crate) fn keeps_apart(workload: &Workload, asked: u32) -> bool {
    let own = &workload.template;
    let apart = workload.placement.apart.iter().filter_map(|apart| apart.pods.as_ref());
    let spread = workload.placement.spread.iter().filter(|Spread { skew, .. }| *skew < asked);
    apart.chain(spread.map(|spread| &spread.pods)).any(|pods| pods.matches(own))
}

/// Pods that nobody makes again.
fn bare_pods<'s>(survey: &'s Survey<'_>) -> impl Iterator<Item = Concerned> + 's {
    let bare = survey.view.pods().filter(|(_, pod)| survey.view.owner_of(pod) == PodOwner::Nobody);
    bare.filter(|(_, pod)| !pod.phase.is_finished()).map(|(name, pod)| {
        let covering: Vec<_> = survey.covering(&pod.labels).collect();
        let fate = match covering.as_slice() {
            [] => Fate::Interrupts(Why::Bare),
            [(_, budget)] => match count(survey, budget) {
                Count::Allows(_) => Fate::Interrupts(Why::Bare),
                Count::Refuses(objection) => refuses(objection),
                Count::Unsure(unsure) => Fate::MayBlock(unsure),
            },
            _ => Fate::Blocks { cause: Cause::SeveralBudgets, place: None },
        };
        let budgets = covering.iter().map(|(name, _)| (*name).clone()).collect();
        Concerned { subject: subject(survey.view, Kind::Pod, name), budgets, fate }
    })
}

/// The name of the operator of a `Cluster` of `postgresql.cnpg.io`.
const CLOUD_NATIVE_PG: &str = "CloudNativePG";

/// A CloudNativePG cluster, with the budget that its operator makes.
fn of_database(database: &Database) -> Option<Concerned> {
    let fate = match (database.instances, database.budget && !database.maintained) {
        (0, _) => return None,
        _ if database.hibernated => return None,
        (1, true) => refuses(Objection::NoneLeft { needs: 1, has: 1 }),
        (1, false) => Fate::Interrupts(Why::LastReady),
        (_, true) => Fate::Interrupts(Why::OperatorGivesWay(CLOUD_NATIVE_PG)),
        (_, false) => Fate::MayInterrupt(Unsure::Operator(CLOUD_NATIVE_PG)),
    };
    Some(Concerned { subject: database.identity.subject.clone(), budgets: Vec::new(), fate })
}

impl Outlook {
    /// Joins that of another cluster of the same checkout. What both have in common counts once.
    pub fn join(&mut self, other: Self) {
        self.concerned.extend(other.concerned);
        self.concerned.sort_by(|a, b| by_place(&a.subject).cmp(&by_place(&b.subject)).then_with(|| a.cmp(b)));
        self.concerned.dedup();
        self.unseen.extend(other.unseen);
        self.unseen.sort();
        self.unseen.dedup();
    }

    /// Whether a drain would evict nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.concerned.is_empty()
    }

    /// How many of what is concerned have this verdict; none is that it can't be told.
    #[must_use]
    pub fn count(&self, verdict: Option<Verdict>) -> usize {
        self.concerned.iter().filter(|concerned| concerned.fate.verdict() == verdict).count()
    }

    /// Whether every node can be drained; none where that can't be told, or there is nothing to drain. Who surely stands in the
    /// way decides first, then who may; who is surely interrupted before who may be.
    #[must_use]
    pub fn verdict(&self) -> Option<Verdict> {
        self.concerned.iter().map(|concerned| &concerned.fate).max_by_key(|fate| fate.weight())?.verdict()
    }

    /// Of which it can't be told whether their eviction is refused.
    pub fn doubtful(&self) -> impl Iterator<Item = (&Concerned, &Unsure)> {
        self.concerned.iter().filter_map(|concerned| match &concerned.fate {
            Fate::MayBlock(unsure) => Some((concerned, unsure)),
            Fate::Clean | Fate::MayInterrupt(_) | Fate::Interrupts(_) | Fate::Blocks { .. } => None,
        })
    }
}

impl Fate {
    /// Whether its nodes can be drained; none where that, or whether it is felt, can't be told.
    #[must_use]
    pub fn verdict(&self) -> Option<Verdict> {
        match self {
            Self::Clean => Some(Verdict::Clean),
            Self::Interrupts(_) => Some(Verdict::Interrupts),
            Self::Blocks { .. } => Some(Verdict::Blocks),
            Self::MayInterrupt(_) | Self::MayBlock(_) => None,
        }
    }

    /// The reason in one word, for programs; none where there is nothing to say.
    #[must_use]
    pub fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Clean => None,
            Self::MayInterrupt(unsure) | Self::MayBlock(unsure) => Some(unsure.reason()),
            Self::Interrupts(why) => Some(why.as_str()),
            Self::Blocks { cause, .. } => Some(cause.reason()),
        }
    }

    /// What happens: a clause in lower case, without a full stop; none where nothing does.
    #[must_use]
    pub fn message(&self) -> Option<String> {
        match self {
            Self::Clean => None,
            Self::MayInterrupt(unsure) | Self::MayBlock(unsure) => Some(unsure.message()),
            Self::Interrupts(why) => Some(why.message()),
            Self::Blocks { cause, place: None } => Some(cause.message()),
            Self::Blocks { cause, place: Some(place) } => Some(format!("{}: {}", cause.message(), place.because())),
        }
    }

    const fn weight(&self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::MayInterrupt(_) => 1,
            Self::Interrupts(_) => 2,
            Self::MayBlock(_) => 3,
            Self::Blocks { .. } => 4,
        }
    }
}

impl Unsure {
    const fn reason(&self) -> &'static str {
        match self {
            Self::Together => "PlacementUnknown",
            Self::JobPods(_) => "JobPods",
            Self::Uncounted(_) => "Uncounted",
            Self::Operator(_) => "OperatorDecides",
        }
    }

    /// Why it can't be told: a clause in lower case, without a full stop.
    #[must_use]
    pub fn message(&self) -> String {
        match self {
            Self::Together => "no budget holds it back, and all its replicas may be on one node".to_owned(),
            Self::JobPods(job) => {
                format!("its budget allows nothing while a pod of {job} is there, a finished one too")
            }
            Self::Uncounted(others) => {
                format!("its budget covers pods of {others} as well, and files don't tell how many there are")
            }
            Self::Operator(operator) => format!("{operator} makes no budget for it, and moves what it can"),
        }
    }
}

#[cfg(test)]
mod tests;
