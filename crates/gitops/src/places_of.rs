//! A rendered object with the places of what it was rendered from.
//!
//! A renderer keeps no positions. Where the same object stands in the files, or was inferred from values, each field has
//! the place of its counterpart there, and a field without one that of the nearest above it.

use crate::node::Entry;
use crate::{Mapping, Node, Origin, Value};

/// The value with the places of another.
pub(crate) fn with_places_of(rendered: &Node, source: &Node) -> Node {
    placed(rendered, Some(source), source.origin)
}

/// The value, all of it at one place.
pub(crate) fn all_at(rendered: &Node, at: Origin) -> Node {
    placed(rendered, None, at)
}

fn placed(node: &Node, source: Option<&Node>, above: Origin) -> Node {
    let at = source.map(|source| source.origin).filter(|origin| origin.is_somewhere()).unwrap_or(above);
    let value = match &node.value {
        Value::Mapping(mapping) => Value::Mapping(entries(mapping, source, above)),
        Value::Sequence(items) => {
            let known = source.map(Node::items).unwrap_or_default();
            let placed = items.iter().enumerate().map(|(index, item)| {
                let same = counterpart(item, index, known);
                placed(item, same, same.map_or(at, |same| same.origin))
            });
            Value::Sequence(placed.collect())
        }
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::String(_) => node.value.clone(),
    };
    Node::new(value, at)
}

/// A field without counterpart stands where the key of its mapping does: the mapping itself begins at its first field.
fn entries(mapping: &Mapping, source: Option<&Node>, above: Origin) -> Mapping {
    let known = source.and_then(Node::as_mapping);
    let placed = mapping.iter().map(|entry| {
        let same = known.and_then(|known| known.entry(&entry.key));
        Entry {
            key: entry.key.clone(),
            at: same.map_or(above, |same| same.at),
            value: placed(&entry.value, same.map(|same| &same.value), same.map_or(above, key)),
        }
    });
    placed.collect()
}

/// Where the key is, unless somebody else than who wrote it gave the value.
fn key(entry: &Entry) -> Origin {
    let value = entry.value.origin;
    if value.is_somewhere() && value.file() != entry.at.file() { value } else { entry.at }
}

/// The item of the same name, else the one at the same place.
fn counterpart<'a>(item: &Node, index: usize, known: &'a [Node]) -> Option<&'a Node> {
    match item.get("name") {
        Some(name) => known.iter().find(|other| other.get("name") == Some(name)),
        None => known.get(index),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FileId;
    use crate::yaml::{Limits, parse};

    fn read(text: &str, file: usize) -> Node {
        let parsed = parse(FileId::new(file).unwrap(), text.as_bytes(), &Limits::default());
        parsed.documents.into_iter().next().unwrap()
    }

    #[track_caller]
    fn check(field: &str, expected: (usize, u32)) {
        let written = read("spec:\n  replicas: 1\n  containers:\n  - name: a\n  - name: b\n    image: x\n", 0);
        let rendered = read("spec: {replicas: 2, paused: true, containers: [{name: b, image: y, args: []}]}", 1);
        let placed = with_places_of(&rendered, &written);
        assert_eq!(placed, rendered);
        let origin = placed.find(field).origin;
        assert_eq!((origin.file().index(), origin.line()), expected);
    }

    #[test]
    fn a_field_stands_where_its_counterpart_does() {
        check("spec.replicas", (0, 2));
        check("spec.containers[0].image", (0, 6));
    }

    #[test]
    fn a_field_without_counterpart_stands_where_the_nearest_above_does() {
        check("spec.paused", (0, 1));
        check("spec.containers[0].args", (0, 5));
    }
}
