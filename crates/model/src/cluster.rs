//! The cluster as it is known: facts by namespace, and what a change of them touches.
//!
//! Only observation edits it. No clock, no client: the same events in any order give the same cluster, and a relist
//! ([`Cluster::reset`]) equals the deletions that were missed.

mod flux;
mod namespace;
mod nodes;
mod upgrades;

use std::collections::BTreeMap;

pub use namespace::{NamespaceView, PodOwner};

use crate::facts::{Budget, Fact, FluxKind, FluxObject, Namespace, Node, OfFiles, Upgrade, Volume};
use crate::shapes::Shape;
use crate::{Kind, ObjectKey, Text, Touched};
use flux::FluxIndex;
use namespace::Contents;
use nodes::Nodes;
use upgrades::Upgrades;

/// The facts of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cluster {
    namespaces: BTreeMap<Text, Contents>,
    flux: FluxIndex,
    nodes: Nodes,
    upgrades: Upgrades,
}

impl Cluster {
    /// Takes an object in, new or changed.
    pub fn apply<S: Shape>(&mut self, object: S) -> Touched {
        let key = object.key();
        self.insert(S::KIND, &key, object.fact())
    }

    /// Takes a namespace in of which no object is known, only that something is in it.
    pub fn assume_namespace(&mut self, name: &str) -> Touched {
        let assumed = Namespace { assumed: true, ..Namespace::default() };
        self.insert(Kind::Namespace, &ObjectKey::new("", name), Fact::Namespace(Box::new(assumed)))
    }

    /// Takes note of what only files tell of a namespace that is known.
    pub fn note_of_files(&mut self, name: &str, notes: OfFiles) {
        if let Some(contents) = self.namespaces.get_mut(&Text::from(name)) {
            contents.note_of_files(notes);
        }
    }

    /// Takes a fact in of which no object is known: somebody asks what if.
    pub fn assume(&mut self, kind: Kind, key: &ObjectKey, fact: Fact) -> Touched {
        self.insert(kind, key, fact)
    }

    /// Takes note of an object that can't be read: what was known of it is dropped, and `error` says why.
    pub fn apply_unreadable(&mut self, kind: Kind, key: &ObjectKey, error: &str) -> Touched {
        let mut touched = self.remove_fact(kind, key);
        let contents = self.namespaces.entry(home(kind, key)).or_default();
        let known = contents.unreadable.insert((kind, key.name.clone()), error.into());
        if known.as_deref() != Some(error) {
            touched.add(Touched::namespace(home(kind, key)));
        }
        touched
    }

    /// Forgets an object.
    pub fn delete(&mut self, kind: Kind, key: &ObjectKey) -> Touched {
        let mut touched = self.remove_fact(kind, key);
        let home = home(kind, key);
        if let Some(contents) = self.namespaces.get_mut(&home)
            && contents.unreadable.remove(&(kind, key.name.clone())).is_some()
        {
            touched.add(Touched::namespace(home.clone()));
        }
        self.drop_if_empty(&home);
        touched
    }

    /// After a full list: whatever of this kind is known but not `listed` is gone.
    pub fn reset(&mut self, kind: Kind, listed: impl Fn(&ObjectKey) -> bool) -> Touched {
        let mut touched = Touched::Nothing;
        for key in self.keys(kind).into_iter().filter(|key| !listed(key)) {
            touched.add(self.delete(kind, &key));
        }
        self.namespaces.values_mut().for_each(Contents::shrink);
        touched
    }

    /// How many objects of this kind are known.
    #[must_use]
    pub fn count(&self, kind: Kind) -> usize {
        match Place::of(kind) {
            Place::Flux(kind) => self.flux.count(kind),
            Place::Nodes => self.nodes.nodes.len(),
            Place::Volumes => self.nodes.volumes.len(),
            Place::Upgrades => self.upgrades.keys(kind).count(),
            Place::Namespace => self.namespaces.values().map(|contents| contents.count(kind)).sum(),
        }
    }

    /// The names of all namespaces of which anything is known, in order.
    pub fn namespace_names(&self) -> impl Iterator<Item = &Text> {
        self.namespaces.keys()
    }

    /// A namespace and what is in it.
    #[must_use]
    pub fn namespace(&self, name: &Text) -> Option<NamespaceView<'_>> {
        self.namespaces
            .get_key_value(name)
            .map(|(name, contents)| NamespaceView::new(name, contents, &self.flux, &self.nodes))
    }

    /// A HelmRelease or Kustomization.
    #[must_use]
    pub fn flux_object(&self, kind: FluxKind, key: &ObjectKey) -> Option<&FluxObject> {
        self.flux.get(kind, key)
    }

    /// All nodes, by name.
    pub fn nodes(&self) -> impl Iterator<Item = (&Text, &Node)> {
        self.nodes.nodes.iter()
    }

    /// A node.
    #[must_use]
    pub fn node(&self, name: &Text) -> Option<&Node> {
        self.nodes.nodes.get(name)
    }

    /// A volume.
    #[must_use]
    pub fn volume(&self, name: &Text) -> Option<&Volume> {
        self.nodes.volumes.get(name)
    }

    /// What carries upgrades of nodes out, by kind and name; what can't be read is not among it.
    pub fn upgrades(&self) -> impl Iterator<Item = (Kind, &ObjectKey, &Upgrade)> {
        self.upgrades.iter()
    }

    /// Objects of a kind that can't be read, in all namespaces.
    pub fn unreadable(&self, kind: Kind) -> impl Iterator<Item = ObjectKey> {
        self.namespaces.iter().flat_map(move |(namespace, contents)| contents.unreadable_keys(kind, namespace))
    }

    fn insert(&mut self, kind: Kind, key: &ObjectKey, fact: Fact) -> Touched {
        let mut touched = match (Place::of(kind), fact) {
            (Place::Flux(kind), Fact::Flux(object)) => self.flux.insert(kind, key, object),
            (_, Fact::Node(node)) => self.nodes.insert_node(key.name.clone(), node),
            (_, Fact::Upgrade(upgrade)) => self.upgrades.insert(kind, key, upgrade),
            (_, Fact::Volume(volume)) => self.nodes.insert_volume(key.name.clone(), volume),
            (_, Fact::Budget(budget)) => self.insert_budget(key, budget),
            (_, fact) => {
                let contents = self.namespaces.entry(home(kind, key)).or_default();
                touched_if(contents.insert(kind, key, fact), kind, key)
            }
        };
        let home = home(kind, key);
        let readable_again = self
            .namespaces
            .get_mut(&home)
            .is_some_and(|contents| contents.unreadable.remove(&(kind, key.name.clone())).is_some());
        touched.add(touched_if(readable_again, kind, key));
        // A Flux object is kept elsewhere: its namespace may have been known only for not being readable.
        self.drop_if_empty(&home);
        touched
    }

    fn insert_budget(&mut self, key: &ObjectKey, budget: Budget) -> Touched {
        let contents = self.namespaces.entry(key.namespace.clone()).or_default();
        let ours = budget.is_held() && contents.holds(&key.name) != Some(false);
        match contents.insert(Kind::PodDisruptionBudget, key, Fact::Budget(budget)) {
            true if ours => Touched::Echo(key.namespace.clone()),
            changed => touched_if(changed, Kind::PodDisruptionBudget, key),
        }
    }

    fn remove_fact(&mut self, kind: Kind, key: &ObjectKey) -> Touched {
        match Place::of(kind) {
            Place::Flux(kind) => self.flux.remove(kind, key),
            Place::Nodes => self.nodes.remove_node(&key.name),
            Place::Volumes => self.nodes.remove_volume(&key.name),
            Place::Upgrades => self.upgrades.remove(kind, key),
            Place::Namespace => {
                let contents = self.namespaces.get_mut(&home(kind, key));
                touched_if(contents.is_some_and(|contents| contents.remove(kind, key)), kind, key)
            }
        }
    }

    fn drop_if_empty(&mut self, home: &Text) {
        if self.namespaces.get(home).is_some_and(Contents::is_empty) {
            self.namespaces.remove(home);
        }
    }

    fn keys(&self, kind: Kind) -> Vec<ObjectKey> {
        let readable = |(namespace, contents): (&Text, &Contents)| contents.keys(kind, namespace);
        let unreadable = self.namespaces.iter().flat_map(|(namespace, c)| c.unreadable_keys(kind, namespace));
        let named = |name: &Text| ObjectKey::new("", name.clone());
        match Place::of(kind) {
            Place::Flux(flux) => self.flux.keys(flux).chain(unreadable).collect(),
            Place::Nodes => self.nodes.nodes.keys().map(named).chain(unreadable).collect(),
            Place::Volumes => self.nodes.volumes.keys().map(named).chain(unreadable).collect(),
            Place::Upgrades => self.upgrades.keys(kind).cloned().chain(unreadable).collect(),
            Place::Namespace => self.namespaces.iter().flat_map(readable).collect(),
        }
    }
}

/// The namespace in which an object is kept: its own, and for a Namespace the one it is.
fn home(kind: Kind, key: &ObjectKey) -> Text {
    if kind == Kind::Namespace { key.name.clone() } else { key.namespace.clone() }
}

fn touched_if(changed: bool, kind: Kind, key: &ObjectKey) -> Touched {
    if changed { Touched::namespace(home(kind, key)) } else { Touched::Nothing }
}

/// Where the facts of a kind are kept.
enum Place {
    /// With their namespace.
    Namespace,
    /// Apart: what a Flux object owns may stand in any namespace.
    Flux(FluxKind),
    Nodes,
    Volumes,
    Upgrades,
}

impl Place {
    fn of(kind: Kind) -> Self {
        match kind {
            Kind::HelmRelease => Self::Flux(FluxKind::HelmRelease),
            Kind::Kustomization => Self::Flux(FluxKind::Kustomization),
            Kind::Node => Self::Nodes,
            Kind::PersistentVolume => Self::Volumes,
            Kind::TalosUpgrade | Kind::KubernetesUpgrade | Kind::Plan | Kind::TalosControlPlane => Self::Upgrades,
            Kind::Namespace
            | Kind::PersistentVolumeClaim
            | Kind::Deployment
            | Kind::StatefulSet
            | Kind::DaemonSet
            | Kind::ReplicaSet
            | Kind::Job
            | Kind::CronJob
            | Kind::Pod
            | Kind::PodDisruptionBudget
            | Kind::Event
            | Kind::HorizontalPodAutoscaler
            | Kind::ScaledObject
            | Kind::VaultTransitUnseal => Self::Namespace,
        }
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod released;
#[cfg(test)]
mod tests;
