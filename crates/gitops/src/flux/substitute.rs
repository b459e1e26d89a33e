//! Puts variables into an object, as Flux does after a build (`fluxcd/pkg/kustomize/kustomize_varsub.go`).
//!
//! Flux substitutes in the serialised YAML, so that `replicas: ${N}` becomes an integer and `"${N}"` does too: the quotes
//! were lost when the object was serialised. Here each string is looked at alone: one that would be serialised without
//! quotes is read again as YAML, any other stays a string. What isn't known (a value in an encrypted Secret) stays as it
//! was written. Absent: any change of an object that carries no variable; it stays shared.

mod expression;
mod serialised;

use ecow::{EcoString, EcoVec};

use crate::checkout::embedded;
use crate::node::Entry;
use crate::{Mapping, Node, Origin, Value, yaml};

use super::variables::Variables;
pub(super) use expression::{Lookup, evaluate};

/// The label or annotation that keeps an object as it is.
const SUBSTITUTE: &str = "kustomize.toolkit.fluxcd.io/substitute";

/// What went wrong in an object.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Report {
    /// Variables without a value or a default, and where.
    pub(super) undefined: Vec<(EcoString, Origin)>,
    /// Expressions that can't be read, and where.
    pub(super) failed: Vec<(String, Origin)>,
    /// Whether a value was needed that can't be known.
    pub(super) unknown: bool,
}

/// Puts the variables into an object.
pub(super) fn substitute(object: &mut Node, variables: &Variables, report: &mut Report) {
    if is_disabled(object) {
        return;
    }
    if let Some(changed) = node(object, variables, report) {
        *object = changed;
    }
}

fn is_disabled(object: &Node) -> bool {
    let marked = |place: &str| object.at(&["metadata", place, SUBSTITUTE]).and_then(Node::as_str) == Some("disabled");
    marked("labels") || marked("annotations")
}

/// The value with variables put in; none when it has none.
fn node(whole: &Node, variables: &Variables, report: &mut Report) -> Option<Node> {
    let value = match &whole.value {
        Value::String(text) => return string(text, whole.origin, variables, report),
        Value::Sequence(items) => Value::Sequence(sequence(items, variables, report)?),
        Value::Mapping(entries) => Value::Mapping(mapping(entries, variables, report)?),
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) => return None,
    };
    Some(Node::new(value, whole.origin))
}

fn sequence(items: &EcoVec<Node>, variables: &Variables, report: &mut Report) -> Option<EcoVec<Node>> {
    let mut changed: Option<EcoVec<Node>> = None;
    for (place, item) in items.iter().enumerate() {
        if let Some(item) = node(item, variables, report) {
            changed.get_or_insert_with(|| items.clone()).make_mut()[place] = item;
        }
    }
    changed
}

fn mapping(entries: &Mapping, variables: &Variables, report: &mut Report) -> Option<Mapping> {
    // Most mappings carry no variable: nothing is copied before one is found.
    let mut changed: Option<Vec<Entry>> = None;
    for (place, entry) in entries.iter().enumerate() {
        let key = entry.key.contains('$').then(|| text(&entry.key, entry.at, variables, report)).flatten();
        let value = node(&entry.value, variables, report);
        if key.is_none() && value.is_none() {
            continue;
        }
        let new = &mut changed.get_or_insert_with(|| entries.iter().cloned().collect())[place];
        new.key = key.unwrap_or_else(|| entry.key.clone());
        new.value = value.unwrap_or_else(|| entry.value.clone());
    }
    changed.map(Mapping::from_iter)
}

fn string(before: &EcoString, at: Origin, variables: &Variables, report: &mut Report) -> Option<Node> {
    if !before.contains('$') {
        return None;
    }
    let after = text(before, at, variables, report)?;
    if !serialised::is_plain(before) {
        return Some(Node::new(Value::String(after), at));
    }
    Some(Node::new(read_again(&after, at), at))
}

/// A plain scalar means what its text means, be it a flow list.
fn read_again(text: &EcoString, at: Origin) -> Value {
    if serialised::is_scalar(text) {
        return yaml::resolve(text.trim());
    }
    match embedded(&Node::new(Value::String(text.clone()), at)).ok().as_deref() {
        Some([document]) => document.value.clone(),
        Some([]) => Value::Null,
        Some(_) | None => Value::String(text.clone()),
    }
}

/// The text with variables put in; none when nothing changes, also because it can't be read.
fn text(before: &str, at: Origin, variables: &Variables, report: &mut Report) -> Option<EcoString> {
    match evaluate(before, &|name| variables.get(name)) {
        Ok(evaluated) => {
            report.unknown |= evaluated.unknown;
            let place = |name: EcoString| (name.clone(), line_of(before, &format!("${{{name}"), at));
            report.undefined.extend(evaluated.undefined.into_iter().map(place));
            (evaluated.text != before).then_some(evaluated.text)
        }
        Err(error) => {
            report.failed.push((error.to_string(), line_of(before, error.excerpt(), at)));
            None
        }
    }
}

/// Where a part of a text stands: of a block the line it is in, of any other text the text itself.
fn line_of(text: &str, part: &str, at: Origin) -> Origin {
    let before = text.find(part).map_or("", |found| &text[..found]);
    match before.rsplit_once('\n') {
        None => at,
        Some((lines, line)) => {
            let above = lines.matches('\n').count() + 1;
            Origin::new(at.file(), at.line() as usize + above, at.column() as usize + line.chars().count())
        }
    }
}

#[cfg(test)]
mod tests;
