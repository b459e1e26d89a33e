//! Where each field of each object was written.
//!
//! A path that isn't there is followed as far as it leads, and the last field on it gives the nearest place.

use std::collections::hash_map::Entry;
use std::sync::Arc;

use foldhash::HashMap;
use holdfast_model::{Confidence, Locate, Located, Position, Subject, Text};

use super::Sources;
use super::outline::{Outline, Outlines};
use crate::Object;
use crate::facts::Paths;

/// The objects of a cluster.
#[derive(Debug, Default)]
pub struct Places {
    sources: Arc<Sources>,
    outlines: Outlines,
    /// The first object of each name, by the hash of that.
    known: HashMap<u64, Placed>,
}

/// What is kept of an object.
#[derive(Debug)]
struct Placed {
    api_version: Text,
    confidence: Confidence,
    outline: Outline,
}

impl Places {
    pub(super) fn new(sources: Arc<Sources>) -> Self {
        Self { sources, ..Self::default() }
    }

    /// Takes note of objects. The first of a name is the one that is asked for.
    pub(super) fn take(&mut self, objects: &[Object]) {
        for object in objects {
            if let Entry::Vacant(free) = self.known.entry(hash_of(&object.kind, &object.namespace, &object.name)) {
                free.insert(Placed {
                    api_version: object.api_version.as_str().into(),
                    confidence: object.confidence,
                    outline: self.outlines.add(object),
                });
            }
        }
    }

    /// The files behind the places.
    #[must_use]
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    fn object(&self, subject: &Subject) -> Option<&Placed> {
        self.known.get(&hash_of(subject.kind, &subject.namespace, &subject.name))
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
        let position: Position = self.sources.position(self.outlines.find(&object.outline, field))?;
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
