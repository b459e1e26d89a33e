//! Reads a file as Flux or Kubernetes would, into values that know where they stand.
//!
//! What is in a checkout reaches the cluster through Kustomize, which reads with go-yaml 3 and writes strings in quotes:
//! there `yes` and `on` are strings. What goes to the API server as it is, and what Helm reads, passes through
//! `sigs.k8s.io/yaml`, where they are booleans ([`Dialect`]). In both `0644` is octal, a timestamp is a string here, and a
//! key that is no string becomes one. Merge keys are resolved; a key that stands in the mapping itself wins over a merged
//! one wherever it stands, as in Kustomize. Everything is bounded; a file that can't be read to its end gives what stands
//! before the error. Absent: files, and what the values mean.

mod embedded;
mod error;
mod scalar;
mod template;
mod text;
mod tree;

use ecow::EcoString;

use crate::{FileId, Node, Origin};

pub use embedded::parse_embedded;
pub use error::{ErrorKind, ParseError};
pub(crate) use scalar::plain;
pub use scalar::resolve;
pub(crate) use template::is_template;

/// Which words are booleans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// As Kustomize reads, and with it Flux: `true` and `false`.
    Flux,
    /// As the API server's clients and Helm read: `yes`, `on`, `y` and their opposites too.
    Kubernetes,
}

/// How much is read of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes that a file may have.
    pub bytes: usize,
    /// How deep sequences and mappings may be nested, aliases included.
    pub depth: usize,
    /// How many values aliases and merge keys of a file may stand for.
    pub aliased: usize,
}

impl Default for Limits {
    /// Far above what is written by hand: the largest bundles of custom resource definitions have five megabytes.
    fn default() -> Self {
        Self { bytes: 16 << 20, depth: 128, aliased: 1_000_000 }
    }
}

/// What a file holds.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// Its documents in order, without empty ones; of a file with an error those that end before it.
    pub documents: Vec<Node>,
    /// Why it wasn't read to its end.
    pub error: Option<ParseError>,
    /// Keys that are given twice in one mapping; the last value is in the tree.
    pub duplicates: Vec<Duplicate>,
    /// The first key that is no string, such as `80`. Kubernetes takes its text.
    pub other_key: Option<(EcoString, Origin)>,
}

impl Parsed {
    /// Why Kustomize refuses it as a file of objects, although Kubernetes would read it (observed with Kustomize 5.8).
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        let twice = self.duplicates.first().map(|Duplicate { key, first, last }| Refusal {
            at: *last,
            message: format!("the key {key} is given twice in one mapping, first in line {}", first.line()),
        });
        let other = || {
            let (key, at) = self.other_key.as_ref()?;
            Some(Refusal { at: *at, message: format!("the key {key} is no string; put it into quotes") })
        };
        twice.or_else(other)
    }
}

/// What Kustomize refuses of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Where.
    pub at: Origin,
    /// Why: a clause in lower case.
    pub message: String,
}

/// A key that is given twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duplicate {
    /// The key.
    pub key: EcoString,
    /// Where it stands first.
    pub first: Origin,
    /// Where it stands again, with the value that counts.
    pub last: Origin,
}

/// Reads a file of a checkout.
#[must_use]
pub fn parse(file: FileId, text: &[u8], limits: &Limits) -> Parsed {
    parse_as(Dialect::Flux, file, text, limits)
}

/// Reads a file in a dialect.
#[must_use]
pub fn parse_as(dialect: Dialect, file: FileId, text: &[u8], limits: &Limits) -> Parsed {
    match text::decode(file, text, limits) {
        Ok(text) => tree::parse(dialect, file, text, limits),
        Err(error) => Parsed { error: Some(error), ..Parsed::default() },
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
