//! Where each field of each object was written.
//!
//! Of a field only a number is kept (a hash of its path) and its origin: sixteen bytes, sorted. A path that isn't there
//! is looked up piece by piece, and the last piece that is gives the nearest place.

use std::collections::HashMap;
use std::sync::Arc;

use ecow::EcoString;
use holdfast_model::{Confidence, Locate, Located, Position, Subject};

use super::Sources;
use crate::facts::Paths;
use crate::{Node, Object, Origin, Value};

/// The fields of one object.
#[derive(Debug)]
pub(crate) struct Fields {
    api_version: EcoString,
    confidence: Confidence,
    at: Origin,
    fields: Box<[(u64, Origin)]>,
}

/// The fields of all objects of a cluster.
#[derive(Debug, Default)]
pub struct Places {
    sources: Arc<Sources>,
    objects: HashMap<u64, Fields>,
}

/// Deeper than any field that a finding names in these.
const SHALLOW: usize = 2;

impl Places {
    pub(crate) fn new(sources: Arc<Sources>, objects: &[Object]) -> Self {
        let mut places = Self { sources, objects: HashMap::with_capacity(objects.len()) };
        for object in objects {
            let key = hash_of(&object.kind, &object.namespace, &object.name);
            places.objects.entry(key).or_insert_with(|| Fields::of(object));
        }
        places
    }

    /// The files behind the places.
    #[must_use]
    pub fn sources(&self) -> &Sources {
        &self.sources
    }
}

impl Fields {
    pub(crate) fn of(object: &Object) -> Self {
        // Of a definition nobody cites a field of its schema, and there are thousands.
        let deepest = if &*object.kind == "CustomResourceDefinition" { SHALLOW } else { usize::MAX };
        let mut fields = Vec::new();
        gather(&object.root, START, object.origin(), true, deepest, &mut fields);
        fields.sort_unstable_by_key(|(hash, _)| *hash);
        let api_version = object.api_version.clone();
        Self { api_version, confidence: object.confidence, at: object.origin(), fields: fields.into() }
    }

    fn find(&self, field: &str) -> Origin {
        let mut hash = START;
        let mut found = self.at;
        for (at, byte) in field.bytes().enumerate() {
            hash = step(hash, byte);
            let ends = field.as_bytes().get(at + 1).is_none_or(|next| matches!(next, b'.' | b'['));
            if let Some(origin) = ends.then(|| self.get(hash)).flatten() {
                found = origin;
            }
        }
        found
    }

    fn get(&self, hash: u64) -> Option<Origin> {
        let place = self.fields.binary_search_by_key(&hash, |(known, _)| *known).ok()?;
        Some(self.fields[place].1)
    }
}

fn gather(node: &Node, path: u64, above: Origin, first: bool, deepest: usize, out: &mut Vec<(u64, Origin)>) {
    let Some(deeper) = deepest.checked_sub(1) else { return };
    match &node.value {
        Value::Mapping(mapping) => {
            for entry in mapping.iter() {
                let path = under(path, &entry.key, first);
                let origin = or(place(entry.at, entry.value.origin), above);
                out.push((path, origin));
                gather(&entry.value, path, origin, false, deeper, out);
            }
        }
        Value::Sequence(items) => {
            for (index, item) in items.iter().enumerate() {
                let path = bytes(path, format!("[{index}]").as_bytes());
                let origin = or(item.origin, above);
                out.push((path, origin));
                gather(item, path, origin, false, deeper, out);
            }
        }
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::String(_) => {}
    }
}

/// At the key, unless somebody else than who wrote the key gave the value.
fn place(key: Origin, value: Origin) -> Origin {
    let elsewhere = value.is_somewhere() && value.file() != key.file();
    if key.is_somewhere() && !elsewhere { key } else { value }
}

fn or(origin: Origin, above: Origin) -> Origin {
    if origin.is_somewhere() { origin } else { above }
}

/// As paths are written: `spec.replicas`, `labels[app.kubernetes.io/name]`.
fn under(path: u64, key: &str, first: bool) -> u64 {
    if key.is_empty() || key.contains(['.', '[', ']', '/']) {
        return step(bytes(step(path, b'['), key.as_bytes()), b']');
    }
    let path = if first { path } else { step(path, b'.') };
    bytes(path, key.as_bytes())
}

const START: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a, as it can go on from any piece of a path.
fn step(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
}

fn bytes(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| step(hash, *byte))
}

fn hash_of(kind: &str, namespace: &str, name: &str) -> u64 {
    [namespace, name].iter().fold(bytes(START, kind.as_bytes()), |hash, part| bytes(step(hash, 0), part.as_bytes()))
}

impl Locate for Places {
    fn locate(&self, subject: &Subject, field: &str) -> Option<Located> {
        let object = self.objects.get(&hash_of(subject.kind, &subject.namespace, &subject.name))?;
        let position: Position = self.sources.position(object.find(field))?;
        Some(Located { position, confidence: object.confidence })
    }

    fn line(&self, file: &str, line: u32) -> Option<String> {
        self.sources.line(file, line)
    }

    fn api_version(&self, subject: &Subject) -> Option<String> {
        let object = self.objects.get(&hash_of(subject.kind, &subject.namespace, &subject.name))?;
        Some(object.api_version.as_str().to_owned())
    }
}

#[cfg(test)]
mod tests;
