//! Flux objects, and the way back from what a HelmRelease made.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::facts::{FluxHints, FluxKind, FluxObject, FluxOwner, InventoryEntry};
use crate::{Kind, ObjectKey, Text, Touched};

/// All HelmReleases and Kustomizations. The two maps are derived from `objects`, for look-ups only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FluxIndex {
    objects: BTreeMap<(FluxKind, ObjectKey), FluxObject>,
    by_entry: HashMap<InventoryEntry, BTreeSet<ObjectKey>>,
    by_release: HashMap<(Text, Text), BTreeSet<ObjectKey>>,
}

impl FluxIndex {
    pub(super) fn insert(&mut self, kind: FluxKind, key: &ObjectKey, object: FluxObject) -> Touched {
        if self.get(kind, key) == Some(&object) {
            return Touched::Nothing;
        }
        let mut touched = self.remove(kind, key);
        touched.add(touched_by(key, &object));
        for entry in &object.inventory {
            self.by_entry.entry(entry.clone()).or_default().insert(key.clone());
        }
        if let Some(release) = &object.release {
            self.by_release.entry(release.clone()).or_default().insert(key.clone());
        }
        self.objects.insert((kind, key.clone()), object);
        touched
    }

    pub(super) fn remove(&mut self, kind: FluxKind, key: &ObjectKey) -> Touched {
        let Some(object) = self.objects.remove(&(kind, key.clone())) else { return Touched::Nothing };
        for entry in &object.inventory {
            unlink(&mut self.by_entry, entry, key);
        }
        if let Some(release) = &object.release {
            unlink(&mut self.by_release, release, key);
        }
        touched_by(key, &object)
    }

    pub(super) fn get(&self, kind: FluxKind, key: &ObjectKey) -> Option<&FluxObject> {
        self.objects.get(&(kind, key.clone()))
    }

    pub(super) fn count(&self, kind: FluxKind) -> usize {
        self.objects.keys().filter(|(known, _)| *known == kind).count()
    }

    pub(super) fn keys(&self, kind: FluxKind) -> impl Iterator<Item = ObjectKey> {
        self.objects.keys().filter(move |(known, _)| *known == kind).map(|(_, key)| key.clone())
    }

    /// The owner of an object: by inventory, by labels, by annotations, in that order; else the Kustomization that
    /// its labels name. What annotations name counts only when such a HelmRelease is known: a plain `helm install`
    /// has them too. Labels are Flux's own word, also where the release can't be read.
    pub(super) fn owner(&self, kind: Kind, key: &ObjectKey, hints: &FluxHints) -> Option<FluxOwner> {
        let first = |keys: Option<&BTreeSet<ObjectKey>>| keys.and_then(BTreeSet::first).cloned();
        let listed = || first(self.by_entry.get(&InventoryEntry::of(kind, key.clone())));
        let labelled = || hints.helm_release().cloned();
        let annotated = || first(self.by_release.get(hints.release()?));
        let release = listed().or_else(labelled).or_else(annotated);
        let release = release.map(|key| FluxOwner { kind: FluxKind::HelmRelease, key });
        release.or_else(|| Some(FluxOwner { kind: FluxKind::Kustomization, key: hints.kustomization()?.clone() }))
    }
}

fn unlink<K: std::hash::Hash + Eq>(map: &mut HashMap<K, BTreeSet<ObjectKey>>, at: &K, key: &ObjectKey) {
    let Some(keys) = map.get_mut(at) else { return };
    keys.remove(key);
    if keys.is_empty() {
        map.remove(at);
    }
}

/// Whose owner may change: what the release lists, and what its release name stands in.
fn touched_by(key: &ObjectKey, object: &FluxObject) -> Touched {
    let listed = object.inventory.iter().map(|entry| entry.key.namespace.clone());
    let release = object.release.iter().map(|(namespace, _)| namespace.clone());
    let namespaces = listed.chain(release).chain([key.namespace.clone()]);
    Touched::Namespaces(namespaces.filter(|namespace| !namespace.is_empty()).collect())
}
