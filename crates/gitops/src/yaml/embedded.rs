//! YAML that stands in a string of another file: a patch, the value of a ConfigMap.
//!
//! Its places are told in the file around it: exactly for a literal block, as well as can be known for other strings.

use super::{Dialect, Limits, ParseError, Parsed, parse_as};
use crate::node::{Entry, Mapping};
use crate::{Node, Origin, Value};

/// Reads the YAML in a string. What is no string has no documents.
#[must_use]
pub fn parse_embedded(text: &Node, limits: &Limits) -> Parsed {
    let Some(inner) = text.as_str() else { return Parsed::default() };
    let parsed = parse_as(Dialect::Flux, text.origin.file(), inner.as_bytes(), limits);
    let place = Place { base: text.origin, block: inner.contains('\n'), blank: blank_lines(inner) };
    Parsed {
        documents: parsed.documents.iter().map(|document| place.moved(document)).collect(),
        error: parsed.error.map(|error| ParseError { at: place.of(error.at), ..error }),
        duplicates: parsed.duplicates,
        other_key: parsed.other_key,
    }
}

/// The place of a string is that of its first character that isn't blank, when it is a block.
fn blank_lines(text: &str) -> usize {
    text.lines().take_while(|line| line.trim().is_empty()).count()
}

struct Place {
    base: Origin,
    block: bool,
    blank: usize,
}

impl Place {
    fn of(&self, inner: Origin) -> Origin {
        if !self.base.is_somewhere() || !inner.is_somewhere() {
            return self.base;
        }
        let (line, column) = (inner.line() as usize, inner.column() as usize);
        let (first, indent) = (self.base.line() as usize, self.base.column() as usize);
        if self.block {
            return Origin::new(self.base.file(), (first + line).saturating_sub(1 + self.blank), indent + column - 1);
        }
        // Behind the quote.
        Origin::new(self.base.file(), first, indent + column)
    }

    fn moved(&self, node: &Node) -> Node {
        let value = match &node.value {
            Value::Sequence(items) => Value::Sequence(items.iter().map(|item| self.moved(item)).collect()),
            Value::Mapping(mapping) => Value::Mapping(self.moved_entries(mapping)),
            Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::String(_) => node.value.clone(),
        };
        Node::new(value, self.of(node.origin))
    }

    fn moved_entries(&self, mapping: &Mapping) -> Mapping {
        let entries = mapping.iter().map(|entry| Entry {
            key: entry.key.clone(),
            at: self.of(entry.at),
            value: self.moved(&entry.value),
        });
        entries.collect()
    }
}
