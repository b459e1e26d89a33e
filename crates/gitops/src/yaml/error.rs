//! Why a file can't be read, in words for the person who wrote it.

use std::fmt;

use crate::Origin;

/// An error in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// What kind of error.
    pub kind: ErrorKind,
    /// Where reading ended.
    pub at: Origin,
    /// What is wrong, as a sentence without its full stop.
    pub message: String,
}

/// Kinds of errors in files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ErrorKind {
    /// It isn't YAML.
    Syntax,
    /// It is a template (Jinja, Go) that becomes YAML only when it is rendered.
    Template,
    /// It holds bytes that no text has.
    Binary,
    /// It isn't in UTF-8.
    Encoding,
    /// It is larger than what is read.
    TooLarge,
    /// It is nested deeper than what is read.
    TooDeep,
    /// Its aliases stand for more values than are read.
    TooManyAliases,
    /// An alias has no anchor before it, or stands inside of its own anchor.
    Alias,
    /// A merge key is given something that is no mapping.
    Merge,
    /// A key is a sequence or a mapping, which JSON doesn't have.
    Key,
}

impl ParseError {
    pub(super) fn new(kind: ErrorKind, at: Origin, message: impl Into<String>) -> Self {
        Self { kind, at, message: message.into() }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.at.line(), self.at.column(), self.message)
    }
}

impl std::error::Error for ParseError {}
