//! An object on its way through a build, with the names that it had before.

use ecow::EcoString;

use super::id::{Gvk, Id};
use crate::node::Mapping;
use crate::{Node, Origin, Value};

/// What a generator does with an object that is already there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Behavior {
    #[default]
    Create,
    Replace,
    Merge,
}

/// An object.
#[derive(Clone, Debug)]
pub(super) struct Resource {
    pub(super) root: Node,
    /// What it was called, the oldest first.
    previous: Vec<Previous>,
    pub(super) prefixes: Vec<EcoString>,
    pub(super) suffixes: Vec<EcoString>,
    /// Whether its name gets the hash of its content.
    pub(super) hashed: bool,
    pub(super) behavior: Behavior,
}

#[derive(Clone, Debug)]
struct Previous {
    kind: EcoString,
    name: EcoString,
    namespace: EcoString,
}

impl Resource {
    pub(super) fn new(root: Node) -> Self {
        Self {
            root,
            previous: Vec::new(),
            prefixes: Vec::new(),
            suffixes: Vec::new(),
            hashed: false,
            behavior: Behavior::Create,
        }
    }

    pub(super) fn gvk(&self) -> Gvk {
        Gvk::new(&self.text(&["apiVersion"]), &self.kind())
    }

    pub(super) fn kind(&self) -> EcoString {
        self.text(&["kind"])
    }

    pub(super) fn name(&self) -> EcoString {
        self.text(&["metadata", "name"])
    }

    pub(super) fn namespace(&self) -> EcoString {
        self.text(&["metadata", "namespace"])
    }

    fn text(&self, path: &[&str]) -> EcoString {
        self.root.at(path).and_then(Node::text).unwrap_or_default()
    }

    /// What it is called now.
    pub(super) fn id(&self) -> Id {
        Id { gvk: self.gvk(), name: self.name(), namespace: self.namespace() }
    }

    /// What it was called, the oldest first. Group and version are always those of now.
    pub(super) fn previous_ids(&self) -> impl Iterator<Item = Id> {
        let gvk = self.gvk();
        self.previous.iter().map(move |previous| Id {
            gvk: Gvk { kind: previous.kind.clone(), ..gvk.clone() },
            name: previous.name.clone(),
            namespace: previous.namespace.clone(),
        })
    }

    /// What it was called first.
    pub(super) fn original_id(&self) -> Id {
        self.previous_ids().next().unwrap_or_else(|| self.id())
    }

    /// Whether it is, or was, called so.
    pub(super) fn is_any(&self, matches: impl Fn(&Id) -> bool) -> bool {
        self.previous_ids().any(|id| matches(&id)) || matches(&self.id())
    }

    /// Remembers what it is called before that changes.
    pub(super) fn remember(&mut self) {
        let id = self.id();
        let namespace = id.effective_namespace();
        self.previous.push(Previous { kind: id.gvk.kind, name: id.name, namespace });
    }

    /// The kinds under which it was known by another name.
    pub(super) fn previous_kinds(&self) -> impl Iterator<Item = &EcoString> {
        self.previous.iter().map(|previous| &previous.kind)
    }

    /// Takes over what another was called, and what was done to its name.
    pub(super) fn inherit(&mut self, other: &Self) {
        self.previous.clone_from(&other.previous);
        self.prefixes.clone_from(&other.prefixes);
        self.suffixes.clone_from(&other.suffixes);
        self.behavior = other.behavior;
    }

    /// Gives it a name; it still stands where it stood.
    pub(super) fn set_name(&mut self, name: EcoString) {
        self.set_metadata("name", Some(Value::String(name)), Origin::NONE);
    }

    /// Gives it a namespace, or takes it away.
    pub(super) fn set_namespace(&mut self, namespace: &str, at: Origin) {
        let value = (!namespace.is_empty()).then(|| Value::String(namespace.into()));
        self.set_metadata("namespace", value, at);
    }

    fn set_metadata(&mut self, key: &str, value: Option<Value>, at: Origin) {
        let Some(root) = self.root.as_mapping_mut() else { return };
        if value.is_none() && root.get("metadata").is_none() {
            return;
        }
        let empty = || Node::made(Value::Mapping(Mapping::default()));
        let Some(metadata) = root.get_or_insert("metadata", at, empty).as_mapping_mut() else { return };
        match value {
            Some(value) => put(metadata, key, value, at),
            None => drop(metadata.remove(key)),
        }
    }

    /// The pairs under `labels` or `annotations` of its metadata.
    pub(super) fn pairs(&self, field: &str) -> impl Iterator<Item = (&EcoString, EcoString)> {
        let node = self.root.at(&["metadata", field]);
        node.into_iter().flat_map(Node::entries).map(|entry| (&entry.key, entry.value.text().unwrap_or_default()))
    }

    /// Whether nothing is left of it.
    pub(super) fn is_empty(&self) -> bool {
        self.root.as_mapping().is_none_or(Mapping::is_empty)
    }
}

/// Puts a value under a key. Without a place of its own it stands where the old one stood.
pub(super) fn put(mapping: &mut Mapping, key: &str, value: Value, at: Origin) {
    let known = mapping.entry(key).map(|entry| (entry.at, entry.value.origin));
    let (key_at, value_at) = match known {
        Some(known) if !at.is_somewhere() => known,
        Some(_) | None => (at, at),
    };
    mapping.insert(key, key_at, Node::new(value, value_at));
}
