//! The objects of a build, in the order in which they came.

use ecow::EcoString;
use foldhash::HashSet;

use super::id::{Gvk, Id};
use super::problem::{ProblemKind, Problems};
use super::resource::{Behavior, Resource};
use crate::node::Mapping;
use crate::{Node, Value};

/// More than any checkout that is applied to a cluster.
const MOST: usize = 100_000;

/// Objects of which no two have the same kind, namespace and name.
#[derive(Clone, Debug, Default)]
pub(super) struct Collection {
    pub(super) list: Vec<Resource>,
    /// What they are called, as far as objects are being added; empty when names may have changed since.
    known: HashSet<Key>,
}

/// What makes two objects the same.
type Key = (Gvk, EcoString, EcoString);

pub(super) fn key(id: &Id) -> Key {
    (id.gvk.clone(), id.effective_namespace(), id.name.clone())
}

impl Collection {
    /// Says that objects may be called otherwise now.
    pub(super) fn names_changed(&mut self) {
        self.known.clear();
    }

    /// Adds an object. One that is already there stays, and the other is told.
    pub(super) fn append(&mut self, resource: Resource, problems: &mut Problems) {
        if self.known.is_empty() {
            self.known = self.list.iter().map(|resource| key(&resource.id())).collect();
        }
        let id = resource.id();
        if !self.known.insert(key(&id)) {
            let message = format!("{} is there twice in one build", id.told());
            problems.add(ProblemKind::Clash, resource.root.origin, message);
        } else if self.list.len() < MOST {
            self.list.push(resource);
        } else if self.known.len() == MOST + 1 {
            let message = format!("a build of more than {MOST} objects, which is all that is built");
            problems.add(ProblemKind::TooLarge, resource.root.origin, message);
        }
    }

    pub(super) fn append_all(&mut self, other: Self, problems: &mut Problems) {
        if self.list.is_empty() {
            *self = other;
            return;
        }
        other.list.into_iter().for_each(|resource| self.append(resource, problems));
    }

    /// Adds what a generator made, or merges it into what is there.
    pub(super) fn absorb(&mut self, mut made: Resource, problems: &mut Problems) {
        let id = made.id();
        let known: Vec<usize> = self.with_any_id(&id).collect();
        match (known.as_slice(), made.behavior) {
            ([], Behavior::Create) => self.append(made, problems),
            ([index], Behavior::Replace | Behavior::Merge) => {
                let old = &mut self.list[*index];
                take_over(&mut made, old);
                *old = made;
            }
            ([], Behavior::Replace | Behavior::Merge) => {
                let message = format!("{} isn't there to be merged or replaced", id.told());
                problems.add(ProblemKind::TargetMissing, made.root.origin, message);
            }
            ([_], Behavior::Create) => {
                let message = format!("{} is there already: its behavior must be merge or replace", id.told());
                problems.add(ProblemKind::Clash, made.root.origin, message);
            }
            ([_, _, ..], _) => {
                let message = format!("{} could mean several objects", id.told());
                problems.add(ProblemKind::Clash, made.root.origin, message);
            }
        }
    }

    /// Where the objects are that are, or were, called so.
    pub(super) fn with_any_id(&self, id: &Id) -> impl Iterator<Item = usize> {
        let all = self.list.iter().enumerate();
        all.filter(|(_, resource)| resource.is_any(|other| other.is(id))).map(|(index, _)| index)
    }

    pub(super) fn drop_empty(&mut self) {
        self.list.retain(|resource| !resource.is_empty());
    }

    pub(super) fn into_objects(self) -> Vec<Node> {
        self.list.into_iter().map(|resource| resource.root).collect()
    }
}

/// What a generated object takes over from the one that it replaces or is merged into.
fn take_over(made: &mut Resource, old: &Resource) {
    for field in ["labels", "annotations"] {
        let merged = union(old.root.at(&["metadata", field]), made.root.at(&["metadata", field]));
        set_in_metadata(made, field, merged);
    }
    made.hashed &= old.hashed;
    let (name, namespace) = (old.root.at(&["metadata", "name"]), old.root.at(&["metadata", "namespace"]));
    set_in_metadata(made, "name", name.cloned());
    set_in_metadata(made, "namespace", namespace.cloned());
    if made.behavior == Behavior::Merge {
        for field in ["data", "binaryData"] {
            let merged = union(old.root.get(field), made.root.get(field));
            if let (Some(root), Some(merged)) = (made.root.as_mapping_mut(), merged) {
                root.insert(field, merged.origin, merged);
            }
        }
    }
    made.inherit(old);
}

fn set_in_metadata(made: &mut Resource, field: &str, value: Option<Node>) {
    let metadata = made.root.as_mapping_mut().and_then(|root| root.get_mut("metadata")).and_then(Node::as_mapping_mut);
    let Some(metadata) = metadata else { return };
    match value {
        Some(value) => metadata.insert(field, value.origin, value),
        None => drop(metadata.remove(field)),
    }
}

/// Both mappings in one; the second wins.
fn union(first: Option<&Node>, second: Option<&Node>) -> Option<Node> {
    let origin = first.or(second)?.origin;
    let both = [first, second].into_iter().flatten().flat_map(Node::entries).cloned();
    let mapping: Mapping = both.collect();
    (!mapping.is_empty()).then(|| Node::new(Value::Mapping(mapping), origin))
}
