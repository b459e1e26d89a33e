//! The values of a HelmRelease, merged in the order in which helm-controller merges them.
//!
//! First each of `valuesFrom` as it comes (a whole document, or one value at a path), then `spec.values` over them. Maps
//! are merged, everything else is replaced. Values of Secrets that are encrypted, and of objects that aren't in Git, are
//! missing.

mod target;

use ecow::EcoString;

use super::Known;
use crate::checkout::embedded;
use crate::node::Entry;
use crate::{Mapping, Node, Object, Value};

/// The values of a HelmRelease.
pub(super) fn effective(release: &Object, known: &Known<'_>) -> Node {
    let spec = release.root.get("spec");
    let mut values = Node::made(Value::Mapping(Mapping::default()));
    for reference in spec.and_then(|spec| spec.get("valuesFrom")).map(Node::items).unwrap_or_default() {
        if let Some(value) = source(reference, release, known) {
            values = with(values, reference, &value);
        }
    }
    match spec.and_then(|spec| spec.get("values")).filter(|own| !own.is_null()) {
        Some(own) => merge(&values, own),
        None => values,
    }
}

/// The values with those that a reference gives.
fn with(mut values: Node, reference: &Node, value: &Node) -> Node {
    let Some(text) = value.as_str() else { return values };
    if let Some(path) = reference.get("targetPath").and_then(Node::as_str).filter(|path| !path.is_empty()) {
        target::set(&mut values, path, &target::value(text, value.origin));
        return values;
    }
    // What is no YAML is a problem of the release in the cluster, and here nothing that could be merged.
    let documents = embedded(value).unwrap_or_default();
    documents.iter().fold(values, |values, document| merge(&values, document))
}

/// The text that a reference names.
fn source(reference: &Node, release: &Object, known: &Known<'_>) -> Option<Node> {
    let text = |field: &str| reference.get(field).and_then(Node::as_str);
    let (kind, name) = (text("kind")?, text("name")?);
    let key = text("valuesKey").filter(|key| !key.is_empty()).unwrap_or("values.yaml");
    let object = known.get(&(kind, &*release.namespace, name)).copied();
    let object = object.or_else(|| generated(kind, &release.namespace, name, known))?;
    let data = if kind == "Secret" { "stringData" } else { "data" };
    let value = object.root.at(&[data, key])?;
    value.as_str().is_some_and(|text| !text.starts_with("ENC[")).then(|| value.clone())
}

/// A generated ConfigMap whose hash nobody wrote into the reference.
fn generated<'a>(kind: &str, namespace: &str, name: &str, known: &Known<'a>) -> Option<&'a Object> {
    const HASH: usize = 10;
    let is_it = |object: &&&Object| {
        let rest = object.name.strip_prefix(name).and_then(|rest| rest.strip_prefix('-'));
        object.kind == kind && object.namespace == namespace && rest.is_some_and(|hash| hash.len() == HASH)
    };
    known.values().filter(is_it).min_by_key(|object| object.name.clone()).copied()
}

/// Over a value another: maps are merged, everything else is replaced.
pub(super) fn merge(base: &Node, over: &Node) -> Node {
    let (Some(below), Some(above)) = (base.as_mapping(), over.as_mapping()) else { return over.clone() };
    let mut entries: Vec<Entry> = Vec::with_capacity(below.len() + above.len());
    for entry in below.iter() {
        match above.entry(&entry.key) {
            Some(new) => entries.push(Entry { value: merge(&entry.value, &new.value), ..new.clone() }),
            None => entries.push(entry.clone()),
        }
    }
    entries.extend(above.iter().filter(|entry| below.entry(&entry.key).is_none()).cloned());
    Node::new(Value::Mapping(entries.into_iter().collect()), over.origin)
}

/// What a Go template holds for empty.
pub(super) fn is_empty(node: &Node) -> bool {
    match &node.value {
        Value::Null => true,
        Value::Bool(truth) => !truth,
        Value::Integer(number) => *number == 0,
        Value::Float(number) => *number == 0.0,
        Value::String(text) => text.is_empty(),
        Value::Sequence(items) => items.is_empty(),
        Value::Mapping(mapping) => mapping.is_empty(),
    }
}

/// A scalar as a template would print it.
pub(super) fn printed(node: &Node) -> Option<EcoString> {
    let text = node.as_str().map(EcoString::from);
    let number = || node.as_integer().map(|number| ecow::eco_format!("{number}"));
    text.or_else(number).or_else(|| node.as_bool().map(|truth| ecow::eco_format!("{truth}")))
}

#[cfg(test)]
mod tests;
