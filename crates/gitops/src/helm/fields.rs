//! Makes the nodes of an inferred object: what values set keeps its place, what is made stands where the release does.

use ecow::EcoString;

use crate::node::Entry;
use crate::{Mapping, Node, Origin, Value};

/// The fields of a mapping that is being made.
#[derive(Clone, Debug)]
pub(super) struct Fields {
    at: Origin,
    entries: Vec<Entry>,
}

impl Fields {
    /// None yet; what is made stands there.
    pub(super) fn at(at: Origin) -> Self {
        Self { at, entries: Vec::new() }
    }

    /// A field with a value that has its own place.
    pub(super) fn with(mut self, key: &str, value: Node) -> Self {
        let at = if value.origin.is_somewhere() { value.origin } else { self.at };
        self.entries.push(Entry { key: key.into(), at, value });
        self
    }

    /// A field as values have it, with the place of its key.
    pub(super) fn with_entry(mut self, entry: Entry) -> Self {
        self.entries.push(entry);
        self
    }

    /// A field that may not be there.
    pub(super) fn with_some(self, key: &str, value: Option<Node>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// A field with a text that is made.
    pub(super) fn text(self, key: &str, text: impl Into<EcoString>) -> Self {
        let node = Node::new(Value::String(text.into()), self.at);
        self.with(key, node)
    }

    /// A field with a number that is made.
    pub(super) fn number(self, key: &str, number: i64) -> Self {
        let node = Node::new(Value::Integer(number), self.at);
        self.with(key, node)
    }

    /// A field with a truth value that is made.
    pub(super) fn truth(self, key: &str, truth: bool) -> Self {
        let node = Node::new(Value::Bool(truth), self.at);
        self.with(key, node)
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The mapping.
    pub(super) fn node(self) -> Node {
        Node::new(Value::Mapping(self.entries.into_iter().collect::<Mapping>()), self.at)
    }

    /// The mapping, when there is anything in it.
    pub(super) fn some(self) -> Option<Node> {
        (!self.is_empty()).then(|| self.node())
    }
}

/// A sequence.
pub(super) fn list(at: Origin, items: impl IntoIterator<Item = Node>) -> Node {
    Node::new(Value::Sequence(items.into_iter().collect()), at)
}

/// An object's first three fields.
pub(super) fn object(at: Origin, api_version: &str, kind: &str, metadata: Fields) -> Fields {
    Fields::at(at).text("apiVersion", api_version).text("kind", kind).with("metadata", metadata.node())
}
