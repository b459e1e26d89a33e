//! One namespace: what is in it, and how its objects belong together.

use std::collections::BTreeMap;

use litemap::LiteMap;

use super::flux::FluxIndex;
use super::nodes::Nodes;
use crate::facts::{
    Budget, Claim, Fact, FluxHints, FluxOwner, Namespace, Node, OfFiles, Pod, Rejection, Scaler, Unseal, Volume,
    Workload,
};
use crate::{Kind, ObjectKey, OwnerRef, Text, WorkloadKind, WorkloadRef};

/// The kinds that are kept apart from namespaces, as a pattern.
macro_rules! elsewhere {
    () => {
        Kind::HelmRelease
            | Kind::Kustomization
            | Kind::Node
            | Kind::PersistentVolume
            | Kind::TalosUpgrade
            | Kind::KubernetesUpgrade
            | Kind::Plan
            | Kind::TalosControlPlane
    };
}

/// The facts of a namespace.
///
/// In sorted vectors: a list arrives in order, so most of what is inserted is appended, and nothing is left empty in
/// between as in the nodes of a tree. Where it isn't, the entries that have to move are small.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Contents {
    namespace: Option<Box<Namespace>>,
    workloads: LiteMap<WorkloadRef, Box<Workload>>,
    replicas_of: LiteMap<Text, Text>,
    pods: LiteMap<Text, Pod>,
    budgets: LiteMap<Text, Box<Budget>>,
    claims: LiteMap<Text, Claim>,
    scalers: BTreeMap<(Kind, Text), Scaler>,
    rejections: BTreeMap<Text, Rejection>,
    unseals: BTreeMap<Text, Unseal>,
    pub(super) unreadable: BTreeMap<(Kind, Text), Box<str>>,
}

impl Contents {
    /// Whether a budget of this name is known to be ours to write and delete; none when there is no budget of this name.
    pub(super) fn holds(&self, budget: &Text) -> Option<bool> {
        self.budgets.get(budget).map(|budget| budget.is_held())
    }

    /// Whether anything is different now.
    pub(super) fn insert(&mut self, kind: Kind, key: &ObjectKey, fact: Fact) -> bool {
        let name = key.name.clone();
        match fact {
            Fact::Namespace(namespace) => {
                let changed = self.namespace.as_ref() != Some(&namespace);
                self.namespace = Some(namespace);
                changed
            }
            Fact::Workload(workload) => {
                // A ReplicaSet that its Deployment orphaned stands for itself from now on.
                let adopted = kind == Kind::ReplicaSet && self.replicas_of.remove(&name).is_some();
                put(&mut self.workloads, workload.id.clone(), Box::new(workload)) | adopted
            }
            Fact::ReplicaOf { deployment } => {
                let stood_alone =
                    self.workloads.remove(&WorkloadRef { kind: WorkloadKind::ReplicaSet, name: name.clone() });
                let before = self.replicas_of.insert(name, deployment.clone());
                stood_alone.is_some() | (before.as_ref() != Some(&deployment))
            }
            Fact::Pod(pod) => put(&mut self.pods, name, pod),
            Fact::Budget(budget) => {
                // The resourceVersion changes with everything and says nothing.
                let same = self.budgets.get_mut(&name).is_some_and(|before| {
                    before.version.clone_from(&budget.version);
                    **before == budget
                });
                self.budgets.insert(name, Box::new(budget));
                !same
            }
            Fact::Scaler(scaler) => {
                let before = self.scalers.get(&(kind, name.clone()));
                let changed = before != Some(&scaler);
                self.scalers.insert((kind, name), scaler);
                changed
            }
            Fact::Rejection(None) => self.rejections.remove(&name).is_some(),
            Fact::Rejection(Some(rejection)) => {
                let changed = self.rejections.get(&name) != Some(&rejection);
                self.rejections.insert(name, rejection);
                changed
            }
            Fact::Claim(claim) => put(&mut self.claims, name, claim),
            Fact::Unseal(unseal) => {
                let changed = self.unseals.get(&name) != Some(&unseal);
                self.unseals.insert(name, unseal);
                changed
            }
            Fact::Flux(_) | Fact::Node(_) | Fact::Volume(_) | Fact::Upgrade(_) => false,
        }
    }

    pub(super) fn note_of_files(&mut self, notes: OfFiles) {
        if let Some(namespace) = &mut self.namespace {
            namespace.of_files = notes;
        }
    }

    /// Whether it was there.
    pub(super) fn remove(&mut self, kind: Kind, key: &ObjectKey) -> bool {
        let name = &key.name;
        match kind {
            Kind::Namespace => self.namespace.take().is_some(),
            Kind::Pod => self.pods.remove(name).is_some(),
            Kind::PodDisruptionBudget => self.budgets.remove(name).is_some(),
            Kind::HorizontalPodAutoscaler | Kind::ScaledObject => self.scalers.remove(&(kind, name.clone())).is_some(),
            Kind::PersistentVolumeClaim => self.claims.remove(name).is_some(),
            Kind::Event => self.rejections.remove(name).is_some(),
            Kind::VaultTransitUnseal => self.unseals.remove(name).is_some(),
            elsewhere!() => false,
            Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet | Kind::ReplicaSet | Kind::Job | Kind::CronJob => {
                let alone = workload_kind(kind)
                    .and_then(|kind| self.workloads.remove(&WorkloadRef { kind, name: name.clone() }));
                alone.is_some() | (kind == Kind::ReplicaSet && self.replicas_of.remove(name).is_some())
            }
        }
    }

    /// Gives back what growing has reserved in advance.
    pub(super) fn shrink(&mut self) {
        shrink(&mut self.workloads);
        shrink(&mut self.replicas_of);
        shrink(&mut self.pods);
        shrink(&mut self.budgets);
        shrink(&mut self.claims);
    }

    pub(super) fn is_empty(&self) -> bool {
        let Self { namespace, workloads, replicas_of, pods, budgets, claims, scalers, rejections, unseals, unreadable } =
            self;
        namespace.is_none()
            && workloads.is_empty()
            && replicas_of.is_empty()
            && pods.is_empty()
            && budgets.is_empty()
            && claims.is_empty()
            && scalers.is_empty()
            && rejections.is_empty()
            && unseals.is_empty()
            && unreadable.is_empty()
    }

    pub(super) fn count(&self, kind: Kind) -> usize {
        match kind {
            Kind::Namespace => usize::from(self.namespace.is_some()),
            Kind::Pod => self.pods.len(),
            Kind::PodDisruptionBudget => self.budgets.len(),
            Kind::HorizontalPodAutoscaler | Kind::ScaledObject => self.scalers_of_kind(kind).count(),
            Kind::PersistentVolumeClaim => self.claims.len(),
            Kind::Event => self.rejections.len(),
            Kind::VaultTransitUnseal => self.unseals.len(),
            elsewhere!() => 0,
            Kind::ReplicaSet => self.workloads_of_kind(kind).count() + self.replicas_of.len(),
            Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet | Kind::Job | Kind::CronJob => {
                self.workloads_of_kind(kind).count()
            }
        }
    }

    /// The keys of all objects of a kind, those that can't be read among them.
    pub(super) fn keys(&self, kind: Kind, namespace: &Text) -> Vec<ObjectKey> {
        let names: Vec<&Text> = match kind {
            Kind::Namespace => return self.namespace_keys(namespace),
            Kind::Pod => self.pods.keys().collect(),
            Kind::PodDisruptionBudget => self.budgets.keys().collect(),
            Kind::HorizontalPodAutoscaler | Kind::ScaledObject => self.scalers_of_kind(kind).collect(),
            Kind::PersistentVolumeClaim => self.claims.keys().collect(),
            Kind::Event => self.rejections.keys().collect(),
            Kind::VaultTransitUnseal => self.unseals.keys().collect(),
            elsewhere!() => Vec::new(),
            Kind::ReplicaSet => self.workloads_of_kind(kind).chain(self.replicas_of.keys()).collect(),
            Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet | Kind::Job | Kind::CronJob => {
                self.workloads_of_kind(kind).collect()
            }
        };
        let readable = names.into_iter().map(|name| ObjectKey::new(namespace.clone(), name.clone()));
        readable.chain(self.unreadable_keys(kind, namespace)).collect()
    }

    pub(super) fn unreadable_keys(&self, kind: Kind, namespace: &Text) -> impl Iterator<Item = ObjectKey> {
        let names = self.unreadable.keys().filter(move |(known, _)| *known == kind).map(|(_, name)| name);
        names.map(move |name| ObjectKey::new(namespace.clone(), name.clone()))
    }

    fn namespace_keys(&self, name: &Text) -> Vec<ObjectKey> {
        let known = self.namespace.is_some() || self.unreadable.contains_key(&(Kind::Namespace, name.clone()));
        known.then(|| ObjectKey::new("", name.clone())).into_iter().collect()
    }

    fn workloads_of_kind(&self, kind: Kind) -> impl Iterator<Item = &Text> {
        self.workloads.keys().filter(move |id| id.kind.kind() == kind).map(|id| &id.name)
    }

    fn scalers_of_kind(&self, kind: Kind) -> impl Iterator<Item = &Text> {
        self.scalers.keys().filter(move |(known, _)| *known == kind).map(|(_, name)| name)
    }
}

fn put<K: Ord, V: PartialEq>(map: &mut LiteMap<K, V>, key: K, value: V) -> bool {
    if map.get(&key) == Some(&value) {
        return false;
    }
    map.insert(key, value);
    true
}

fn shrink<K: Ord, V>(map: &mut LiteMap<K, V>) {
    let mut entries = std::mem::take(map).into_tuple_vec();
    entries.shrink_to_fit();
    *map = LiteMap::from_sorted_store_unchecked(entries);
}

fn workload_kind(kind: Kind) -> Option<WorkloadKind> {
    let reference = OwnerRef { group: kind.group().into(), kind: kind.as_str().into(), name: Text::default() };
    reference.workload().map(|workload| workload.kind)
}

/// A namespace and what is in it, for reading.
#[derive(Clone, Copy, Debug)]
pub struct NamespaceView<'a> {
    name: &'a Text,
    contents: &'a Contents,
    flux: &'a FluxIndex,
    nodes: &'a Nodes,
}

/// Who made a pod, followed up to the workload that a person knows.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PodOwner {
    /// A workload of a built-in kind; a Deployment rather than its ReplicaSet.
    Workload(WorkloadRef),
    /// A custom resource.
    Custom(OwnerRef),
    /// A node: a static pod's mirror.
    Node(Text),
    /// Nobody.
    Nobody,
    /// An owner that isn't known (yet): the watches of pods and their owners are not in step.
    Unknown(OwnerRef),
}

impl<'a> NamespaceView<'a> {
    pub(super) fn new(name: &'a Text, contents: &'a Contents, flux: &'a FluxIndex, nodes: &'a Nodes) -> Self {
        Self { name, contents, flux, nodes }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'a Text {
        self.name
    }

    /// The Namespace object, once it has been seen.
    #[must_use]
    pub fn namespace(&self) -> Option<&'a Namespace> {
        self.contents.namespace.as_deref()
    }

    /// All workloads, by kind and name.
    pub fn workloads(&self) -> impl Iterator<Item = &'a Workload> + use<'a> {
        self.contents.workloads.values().map(Box::as_ref)
    }

    /// A workload.
    #[must_use]
    pub fn workload(&self, id: &WorkloadRef) -> Option<&'a Workload> {
        self.contents.workloads.get(id).map(Box::as_ref)
    }

    /// All pods, by name.
    pub fn pods(&self) -> impl Iterator<Item = (&'a Text, &'a Pod)> + use<'a> {
        self.contents.pods.iter()
    }

    /// A pod.
    #[must_use]
    pub fn pod(&self, name: &Text) -> Option<&'a Pod> {
        self.contents.pods.get(name)
    }

    /// All budgets, by name.
    pub fn budgets(&self) -> impl Iterator<Item = (&'a Text, &'a Budget)> + use<'a> {
        self.contents.budgets.iter().map(|(name, budget)| (name, budget.as_ref()))
    }

    /// A budget.
    #[must_use]
    pub fn budget(&self, name: &Text) -> Option<&'a Budget> {
        self.contents.budgets.get(name).map(Box::as_ref)
    }

    /// A budget with its name, as [`NamespaceView::budgets`] gives it.
    #[must_use]
    pub fn named_budget(&self, name: &Text) -> Option<(&'a Text, &'a Budget)> {
        let at = self.contents.budgets.find_index(name).ok()?;
        self.contents.budgets.get_indexed(at).map(|(name, budget)| (name, budget.as_ref()))
    }

    /// The autoscaler of a workload; of several KEDA's before others, then the first by name.
    #[must_use]
    pub fn scaler_of(&self, id: &WorkloadRef) -> Option<&'a Scaler> {
        let aims = |scaler: &&Scaler| scaler.target.name == id.name && scaler.target.is(id.kind.kind());
        self.contents.scalers.values().filter(aims).min_by_key(|scaler| scaler.source)
    }

    /// A claim.
    #[must_use]
    pub fn claim(&self, name: &Text) -> Option<&'a Claim> {
        self.contents.claims.get(name)
    }

    /// All claims, by name.
    pub fn claims(&self) -> impl Iterator<Item = (&'a Text, &'a Claim)> + use<'a> {
        self.contents.claims.iter()
    }

    /// A volume of the cluster.
    #[must_use]
    pub fn volume(&self, name: &Text) -> Option<&'a Volume> {
        self.nodes.volumes.get(name)
    }

    /// All nodes of the cluster, by name.
    pub fn nodes(&self) -> impl Iterator<Item = (&'a Text, &'a Node)> + use<'a> {
        self.nodes.nodes.iter()
    }

    /// Pods that Pod Security refused, by the name of the event.
    pub fn rejections(&self) -> impl Iterator<Item = &'a Rejection> + use<'a> {
        self.contents.rejections.values()
    }

    /// What VaultTransitUnseals tell, by name; what can't be read is not among it.
    pub fn unseals(&self) -> impl Iterator<Item = (&'a Text, &'a Unseal)> + use<'a> {
        self.contents.unseals.iter()
    }

    /// Objects here that can't be read, and why.
    pub fn unreadable(&self) -> impl Iterator<Item = (Kind, &'a Text, &'a str)> + use<'a> {
        self.contents.unreadable.iter().map(|((kind, name), error)| (*kind, name, &**error))
    }

    /// Whether an object of this kind can't be read; with a name, whether that one can't.
    #[must_use]
    pub fn is_unreadable(&self, kind: Kind, name: Option<&Text>) -> bool {
        self.unreadable().any(|(known, at, _)| known == kind && name.is_none_or(|name| name == at))
    }

    /// The workload that made the pod.
    #[must_use]
    pub fn owner_of(&self, pod: &Pod) -> PodOwner {
        let Some(owner) = &pod.owner else { return PodOwner::Nobody };
        if owner.kind == "Node" && owner.group.is_empty() {
            return PodOwner::Node(owner.name.clone());
        }
        match owner.workload() {
            Some(id) => self.workload_of(id, owner),
            None => PodOwner::Custom(owner.clone()),
        }
    }

    /// The Flux object that a person edits to change this one.
    #[must_use]
    pub fn flux_owner(&self, kind: Kind, name: &Text, hints: &FluxHints) -> Option<FluxOwner> {
        self.flux.owner(kind, &ObjectKey::new(self.name.clone(), name.clone()), hints)
    }

    /// The Flux object that a person edits to change the namespace itself.
    #[must_use]
    pub fn own_flux_owner(&self) -> Option<FluxOwner> {
        let namespace = self.namespace()?;
        self.flux.owner(Kind::Namespace, &ObjectKey::new("", self.name.clone()), &namespace.flux)
    }

    fn workload_of(&self, id: WorkloadRef, owner: &OwnerRef) -> PodOwner {
        let deployment =
            (id.kind == WorkloadKind::ReplicaSet).then(|| self.contents.replicas_of.get(&id.name)).flatten();
        if let Some(deployment) = deployment {
            return PodOwner::Workload(WorkloadRef { kind: WorkloadKind::Deployment, name: deployment.clone() });
        }
        match id.kind {
            // Their pods break a budget whether or not the owner has been seen.
            WorkloadKind::DaemonSet | WorkloadKind::Job | WorkloadKind::CronJob => PodOwner::Workload(id),
            WorkloadKind::Deployment | WorkloadKind::StatefulSet | WorkloadKind::ReplicaSet => {
                if self.contents.workloads.contains_key(&id) {
                    PodOwner::Workload(id)
                } else {
                    PodOwner::Unknown(owner.clone())
                }
            }
        }
    }
}
