//! Where something is: the object and field that a finding is about, and how that becomes a line in a file.
//!
//! A decision names a [`Subject`] and a field path and nothing else, so that it is the same for a cluster and for files.
//! Whoever read files knows, through [`Locate`], where each value came from, also after overlays and substitution.

use std::fmt;
use std::sync::Arc;

use crate::{Kind, Text};

/// The object that a finding is about. For something that is no object, such as a workflow or the checkout itself, `kind`
/// says what it is, the namespace is empty, and the name is its path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subject {
    /// Its kind, as the API spells it.
    pub kind: &'static str,
    /// Its namespace.
    pub namespace: Text,
    /// Its name.
    pub name: Text,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            return write!(f, "{} {}", self.kind, self.name);
        }
        write!(f, "{} {}/{}", self.kind, self.namespace, self.name)
    }
}

/// A position in a file of the checkout. Lines and columns count from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// The path, relative to what was read, with `/` between its parts.
    pub file: Arc<str>,
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// On what an object stands that a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Confidence {
    /// It is written in a file, as it is or with overlays.
    Declared,
    /// A renderer made it from a chart.
    Rendered,
    /// It was inferred from the values of a HelmRelease.
    Inferred,
}

impl Confidence {
    /// As it is written in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Declared => "declared",
            Self::Rendered => "rendered",
            Self::Inferred => "inferred",
        }
    }
}

/// Where something is, and how certain it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// The nearest place: of the field itself, else of the nearest field above it, else of the object.
    pub position: Position,
    /// On what it stands.
    pub confidence: Confidence,
}

/// Turns subjects and fields into places.
pub trait Locate {
    /// Where this field of this object was written. A field path is written as in error messages of the API server:
    /// `spec.template.spec.containers[0].image`; the empty path is the object itself.
    fn locate(&self, subject: &Subject, field: &str) -> Option<Located>;

    /// The text of a line, without its end, for quoting.
    fn line(&self, file: &str, line: u32) -> Option<String>;

    /// The template from which this file seems to be made: one of the same path below another folder, as makejinja keeps them.
    fn template_of(&self, _file: &str) -> Option<Arc<str>> {
        None
    }

    /// Group and version of an object, as its file writes them. Without an answer those that are read of its kind.
    fn api_version(&self, subject: &Subject) -> Option<&str> {
        let kind = Kind::ALL.into_iter().find(|kind| kind.as_str() == subject.kind)?;
        Some(kind.api_version())
    }
}

/// Nowhere: for findings of a live cluster.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nowhere;

impl Locate for Nowhere {
    fn locate(&self, _: &Subject, _: &str) -> Option<Located> {
        None
    }

    fn line(&self, _: &str, _: u32) -> Option<String> {
        None
    }
}
