//! Where each field of each object was written.
//!
//! The objects themselves are kept, whose values know it: a field is looked up when somebody asks, and few are asked for.
//! A path that isn't there is followed as far as it leads, and the last value on it gives the nearest place.

use std::sync::Arc;

use foldhash::HashMap;
use holdfast_model::{Locate, Located, Position, Subject};

use super::Sources;
use crate::Object;
use crate::facts::Paths;

/// The objects of a cluster.
#[derive(Debug, Default)]
pub struct Places {
    sources: Arc<Sources>,
    objects: Vec<Object>,
    /// By the hash of a subject, the place in `objects`.
    known: Known,
}

/// The first object of each name, by the hash of that.
type Known = HashMap<u64, u32>;

impl Places {
    pub(crate) fn new(sources: Arc<Sources>, objects: Vec<Object>, known: Known) -> Self {
        Self { sources, objects, known }
    }

    /// By what the objects are known.
    pub(crate) fn known(objects: &[Object]) -> Known {
        let mut known = Known::with_capacity_and_hasher(objects.len(), Default::default());
        for (place, object) in (0..).zip(objects) {
            known.entry(hash_of(&object.kind, &object.namespace, &object.name)).or_insert(place);
        }
        known
    }

    /// The files behind the places.
    #[must_use]
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    fn object(&self, subject: &Subject) -> Option<&Object> {
        let place = self.known.get(&hash_of(subject.kind, &subject.namespace, &subject.name))?;
        self.objects.get(*place as usize)
    }
}

const START: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a.
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
        let object = self.object(subject)?;
        let position: Position = self.sources.position(object.find(field))?;
        Some(Located { position, confidence: object.confidence })
    }

    fn line(&self, file: &str, line: u32) -> Option<String> {
        self.sources.line(file, line)
    }

    fn api_version(&self, subject: &Subject) -> Option<&str> {
        Some(&self.object(subject)?.api_version)
    }
}

#[cfg(test)]
mod tests;
