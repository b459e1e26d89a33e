//! Field paths as the API server's error messages write them, and the way along them into a value.
//!
//! `spec.template.spec.containers[0].image`; a key that isn't a plain name stands in brackets, as in
//! `metadata.labels[app.kubernetes.io/name]`.

use std::fmt::Write as _;

use ecow::EcoString;

use crate::{Node, Origin, Value};

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    /// Into a mapping.
    Key(EcoString),
    /// Into a sequence, from 0.
    Index(usize),
}

/// What stands at a path, or as near to it as there is something.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// The value.
    pub node: &'a Node,
    /// Where to point: at its key, unless somebody else than who wrote the key gave the value.
    pub origin: Origin,
    /// Whether this is the end of the path; else it is the last value on the way.
    pub complete: bool,
}

impl Node {
    /// The value at the end of the path, or the last one on the way that is there.
    #[must_use]
    pub fn find(&self, path: &str) -> Found<'_> {
        let mut found = Found { node: self, origin: self.origin, complete: true };
        for segment in parse(path) {
            match step(found, &segment) {
                Some(next) => found = next,
                None => return Found { complete: false, ..found },
            }
        }
        found
    }
}

fn step<'a>(from: Found<'a>, segment: &Segment) -> Option<Found<'a>> {
    let (node, origin) = match (&from.node.value, segment) {
        (Value::Mapping(mapping), Segment::Key(key)) => {
            let entry = mapping.entry(key)?;
            (&entry.value, place(entry.at, entry.value.origin))
        }
        // A key that is a number is written as an index is.
        (Value::Mapping(mapping), Segment::Index(index)) => {
            let entry = mapping.entry(&ecow::eco_format!("{index}"))?;
            (&entry.value, place(entry.at, entry.value.origin))
        }
        (Value::Sequence(items), Segment::Index(index)) => {
            let item = items.get(*index)?;
            (item, item.origin)
        }
        (Value::Sequence(_), Segment::Key(_))
        | (Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::String(_), _) => return None,
    };
    // What was made here is shown where the value stands that holds it.
    let origin = if origin.is_somewhere() { origin } else { from.origin };
    Some(Found { node, origin, complete: true })
}

/// Where a value under a key is shown: at the key, unless somebody else than who wrote the key gave the value.
pub(crate) fn place(key: Origin, value: Origin) -> Origin {
    let elsewhere = value.is_somewhere() && value.file() != key.file();
    if key.is_somewhere() && !elsewhere { key } else { value }
}

/// The steps of a path. What can't be read as one is a key as it stands.
pub(crate) fn parse(path: &str) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix('[') {
            let (name, after) = inside.split_once(']').unwrap_or((inside, ""));
            segments.push(bracket(name));
            rest = after;
        } else {
            rest = rest.strip_prefix('.').unwrap_or(rest);
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            if 0 < end {
                segments.push(Segment::Key(rest[..end].into()));
            }
            rest = &rest[end..];
        }
    }
    segments
}

fn bracket(name: &str) -> Segment {
    match name.parse() {
        Ok(index) => Segment::Index(index),
        Err(_) => Segment::Key(name.trim_matches(['"', '\'']).into()),
    }
}

/// The path of these steps.
pub(crate) fn join<'a>(segments: impl Iterator<Item = &'a Segment>) -> String {
    let mut path = String::new();
    for segment in segments {
        let written = match segment {
            Segment::Index(index) => write!(path, "[{index}]"),
            Segment::Key(key) if !is_plain(key) => write!(path, "[{key}]"),
            Segment::Key(key) if path.is_empty() => write!(path, "{key}"),
            Segment::Key(key) => write!(path, ".{key}"),
        };
        debug_assert!(written.is_ok(), "a string takes everything");
    }
    path
}

fn is_plain(key: &str) -> bool {
    !key.is_empty() && !key.contains(['.', '[', ']', '/'])
}

#[cfg(test)]
mod tests;
