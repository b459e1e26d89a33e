//! Strategic merge: a patch that looks like the object, walked together with it.
//!
//! As Kustomize walks it, with what follows from that: null takes a field away, also one in what a patch adds; a null of
//! the object that is written out stays, and one that is left out (`key:`) goes; `$patch` says replace, delete or merge.
//! What a patch sets stands where the patch sets it.

use super::merge_keys::Shape;
use super::merge_list;
use super::problem::{Problem, ProblemKind};
use crate::node::{Entry, Mapping};
use crate::{Node, Origin, Value};

const DIRECTIVE: &str = "$patch";

/// What became of a value.
pub(super) type Merged = Result<Option<Node>, Problem>;

/// What a patch says about a mapping or a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Directive {
    Merge,
    Replace,
    Delete,
}

/// Merges a patch into an object; none when the patch deletes it.
pub(super) fn merge(object: &Node, patch: &Node) -> Merged {
    walk(Some(object), Some(patch), false, Shape::Unknown, None)
}

/// Merges two values of which each may be absent. `left_out`: the object's null is only a key without a value.
pub(super) fn walk(
    dest: Option<&Node>,
    patch: Option<&Node>,
    left_out: bool,
    shape: Shape,
    list: Option<super::merge_keys::List>,
) -> Merged {
    let shape =
        if shape.is_known() { shape } else { shape_of(dest).unwrap_or_else(|| shape_of(patch).unwrap_or(shape)) };
    match dest.into_iter().chain(patch).find(|node| !node.is_null()).map(|node| &node.value) {
        Some(Value::Mapping(_)) => {
            expect_kind(dest, patch, "a mapping", |node| node.as_mapping().is_some())?;
            walk_mapping(dest, patch, left_out, shape)
        }
        Some(Value::Sequence(_)) => {
            expect_kind(dest, patch, "a list", |node| matches!(node.value, Value::Sequence(_)))?;
            match list {
                Some(list) => merge_list::walk(dest, patch, list),
                None => Ok(patch.or(dest).filter(|node| !node.is_null()).cloned()),
            }
        }
        Some(Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::String(_)) => {
            expect_kind(dest, patch, "a scalar", is_scalar)?;
            Ok(patch.or(dest).filter(|node| !node.is_null()).cloned())
        }
        Some(Value::Null) | None => Ok(dest.filter(|_| patch.is_none() && !left_out).cloned()),
    }
}

fn is_scalar(node: &Node) -> bool {
    node.text().is_some()
}

/// An object inside of an object is known by its kind again.
fn shape_of(node: Option<&Node>) -> Option<Shape> {
    let node = node?;
    let (version, kind) = (node.get("apiVersion")?.as_str()?, node.get("kind")?.as_str()?);
    Some(Shape::of(version, kind))
}

fn expect_kind(
    dest: Option<&Node>,
    patch: Option<&Node>,
    name: &str,
    is: impl Fn(&Node) -> bool,
) -> Result<(), Problem> {
    let wrong = |node: Option<&Node>| node.is_some_and(|node| !node.is_null() && !is(node));
    if !wrong(dest) && !wrong(patch) {
        return Ok(());
    }
    let at = patch.or(dest).map_or(Origin::NONE, |node| node.origin);
    let message = format!("the patch gives something else where the object has {name}");
    Err(Problem::new(ProblemKind::PatchFails, at, message))
}

fn walk_mapping(dest: Option<&Node>, patch: Option<&Node>, left_out: bool, shape: Shape) -> Merged {
    let (directive, stripped) = match patch {
        Some(patch) if patch.is_null() && dest.is_some_and(|dest| !dest.is_null()) => return Ok(None),
        Some(patch) => strip_mapping(patch)?,
        None => (Directive::Merge, None),
    };
    let patch = stripped.as_ref().or(patch);
    let dest = match (dest.filter(|dest| !dest.is_null()), directive) {
        (_, Directive::Delete) => return Ok(None),
        (Some(dest), Directive::Merge) => dest,
        (Some(_), Directive::Replace) | (None, _) => match patch {
            Some(patch) => patch,
            None => return Ok(dest.filter(|_| !left_out).cloned()),
        },
    };
    let fields = match (dest.as_mapping(), patch.and_then(Node::as_mapping)) {
        (Some(dest), patch) => merge_fields(dest, patch, shape)?,
        (None, _) => return Ok(Some(dest.clone())),
    };
    Ok(Some(Node::new(Value::Mapping(fields), dest.origin)))
}

fn merge_fields(dest: &Mapping, patch: Option<&Mapping>, shape: Shape) -> Result<Mapping, Problem> {
    let mut fields = Vec::with_capacity(dest.len());
    for entry in dest.iter() {
        let theirs = patch.and_then(|patch| patch.entry(&entry.key));
        let left_out = entry.value.is_null() && entry.at == entry.value.origin;
        let (inner, list) = (shape.field(&entry.key), shape.list(&entry.key));
        let merged = walk(Some(&entry.value), theirs.map(|theirs| &theirs.value), left_out, inner, list)?;
        let Some(value) = merged else { continue };
        // A key belongs to who gave its value; of a mapping that both have, to the object.
        let at = theirs.filter(|theirs| theirs.value.origin == value.origin).map_or(entry.at, |theirs| theirs.at);
        fields.push(Entry { key: entry.key.clone(), at, value });
    }
    for entry in patch.into_iter().flat_map(Mapping::iter).filter(|entry| dest.get(&entry.key).is_none()) {
        let (inner, list) = (shape.field(&entry.key), shape.list(&entry.key));
        let Some(value) = walk(None, Some(&entry.value), false, inner, list)? else { continue };
        fields.push(Entry { key: entry.key.clone(), at: entry.at, value });
    }
    Ok(fields.into_iter().collect())
}

/// The directive of a mapping, and the mapping without it.
fn strip_mapping(patch: &Node) -> Result<(Directive, Option<Node>), Problem> {
    let Some(directive) = patch.get(DIRECTIVE) else { return Ok((Directive::Merge, None)) };
    let directive = read_directive(directive)?;
    let mut stripped = patch.clone();
    if let Some(mapping) = stripped.as_mapping_mut() {
        mapping.remove(DIRECTIVE);
    }
    Ok((directive, Some(stripped)))
}

/// The directive of a list, which is an item of its own, and the list without it.
pub(super) fn strip_list(patch: &Node) -> Result<(Directive, Option<Node>), Problem> {
    let Some(item) = patch.items().iter().find(|item| item.get(DIRECTIVE).is_some()) else {
        return Ok((Directive::Merge, None));
    };
    let directive = match (item.as_mapping().map(Mapping::len), item.get(DIRECTIVE)) {
        (Some(1), Some(directive)) => directive,
        // With more keys it is about the item.
        (Some(_) | None, _) => return Ok((Directive::Merge, None)),
    };
    let meant = read_directive(directive)?;
    let is_directive = |item: &Node| item.get(DIRECTIVE).is_some_and(|it| it.value == directive.value);
    let rest = patch.items().iter().filter(|item| !is_directive(item)).cloned().collect();
    Ok((meant, Some(Node::new(Value::Sequence(rest), patch.origin))))
}

fn read_directive(directive: &Node) -> Result<Directive, Problem> {
    match directive.as_str() {
        Some("merge") => Ok(Directive::Merge),
        Some("replace") => Ok(Directive::Replace),
        Some("delete") => Ok(Directive::Delete),
        Some(_) | None => {
            let message = "$patch must be merge, replace or delete";
            Err(Problem::new(ProblemKind::PatchFails, directive.origin, message))
        }
    }
}

#[cfg(test)]
mod tests;
