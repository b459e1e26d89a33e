//! Fields that a transformer changes: a path, and in which kinds.
//!
//! A path makes no difference between lists and mappings: where it meets a list it goes on in each item. `name[]` is only
//! followed when it is there, and so is every other step unless the field is to be created.

use std::borrow::Cow;

use super::id::Gvk;
use crate::node::Mapping;
use crate::{Node, Origin, Value};

/// A field.
#[derive(Clone, Debug)]
pub(super) struct FieldSpec {
    pub(super) group: Cow<'static, str>,
    pub(super) version: Cow<'static, str>,
    pub(super) kind: Cow<'static, str>,
    pub(super) path: Cow<'static, str>,
    pub(super) create: bool,
}

/// What is made where the field isn't there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaf {
    Nothing,
    Mapping,
    Scalar,
}

/// A path that leads through a scalar.
#[derive(Clone, Copy, Debug)]
pub(super) struct NotAContainer(pub(super) Origin);

type Visited = Result<(), NotAContainer>;

impl FieldSpec {
    /// Of a group and kind; an empty one is any.
    pub(super) const fn new(group: &'static str, kind: &'static str, path: &'static str, create: bool) -> Self {
        Self {
            group: Cow::Borrowed(group),
            version: Cow::Borrowed(""),
            kind: Cow::Borrowed(kind),
            path: Cow::Borrowed(path),
            create,
        }
    }

    /// Of a kind of the core group, in its first version.
    pub(super) const fn core(kind: &'static str, path: &'static str) -> Self {
        Self {
            group: Cow::Borrowed(""),
            version: Cow::Borrowed("v1"),
            kind: Cow::Borrowed(kind),
            path: Cow::Borrowed(path),
            create: true,
        }
    }

    pub(super) fn applies_to(&self, gvk: &Gvk) -> bool {
        gvk.is_selected(&self.group, &self.version, &self.kind)
    }

    /// Calls `set` on every value at the path. What is made on the way stands at `at`.
    pub(super) fn visit(
        &self,
        root: &mut Node,
        leaf: Leaf,
        at: Origin,
        set: &mut dyn FnMut(&mut Node) -> Visited,
    ) -> Visited {
        let parts = split(&self.path);
        if self.create && leaf != Leaf::Nothing || leads_somewhere(root, &parts) {
            let leaf = if self.create { leaf } else { Leaf::Nothing };
            return follow(root, &parts, leaf, at, set);
        }
        Ok(())
    }
}

/// Whether there is a value at the path, so that what is shared isn't copied in vain.
fn leads_somewhere(node: &Node, parts: &[String]) -> bool {
    let Some(part) = parts.first() else { return true };
    match &node.value {
        Value::Sequence(items) => items.iter().any(|item| leads_somewhere(item, parts)),
        Value::Mapping(mapping) => {
            let name = part.strip_suffix("[]").unwrap_or(part);
            mapping.get(name).is_some_and(|value| leads_somewhere(value, &parts[1..]))
        }
        Value::Null => false,
        // To be told.
        Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::String(_) => true,
    }
}

fn follow(
    node: &mut Node,
    parts: &[String],
    leaf: Leaf,
    at: Origin,
    set: &mut dyn FnMut(&mut Node) -> Visited,
) -> Visited {
    let Some((part, rest)) = parts.split_first() else { return set(node) };
    if node.is_null() {
        return Ok(());
    }
    let origin = node.origin;
    match &mut node.value {
        Value::Sequence(items) => items.make_mut().iter_mut().try_for_each(|item| follow(item, parts, leaf, at, set)),
        Value::Mapping(mapping) => follow_field(mapping, part, rest, leaf, at, set),
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::String(_) => {
            Err(NotAContainer(origin))
        }
    }
}

fn follow_field(
    mapping: &mut Mapping,
    part: &str,
    rest: &[String],
    leaf: Leaf,
    at: Origin,
    set: &mut dyn FnMut(&mut Node) -> Visited,
) -> Visited {
    let (name, is_list) = part.strip_suffix("[]").map_or((part, false), |name| (name, true));
    let made = match (is_list, leaf, rest) {
        (true, _, _) | (_, Leaf::Nothing, _) => None,
        (false, Leaf::Scalar, []) => Some(Value::String("".into())),
        (false, Leaf::Mapping | Leaf::Scalar, _) => Some(Value::Mapping(Mapping::default())),
    };
    let field = match (&made, mapping.get(name)) {
        (None, None) => return Ok(()),
        (None, Some(_)) => mapping.get_mut(name),
        (Some(made), _) => Some(mapping.get_or_insert(name, at, || Node::new(made.clone(), at))),
    };
    let Some(field) = field else { return Ok(()) };
    if field.is_null() {
        match made {
            Some(made) => field.value = made,
            None if is_list => field.value = Value::Sequence(Default::default()),
            None => {}
        }
    }
    follow(field, rest, leaf, at, set)
}

/// The parts of a path; a slash in a name is written `\/`.
pub(super) fn split(path: &str) -> Vec<String> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let mut parts: Vec<String> = Vec::new();
    for piece in path.split('/') {
        match parts.last_mut().filter(|last| last.ends_with('\\')) {
            Some(last) => {
                last.pop();
                last.push('/');
                last.push_str(piece);
            }
            None => parts.push(piece.to_owned()),
        }
    }
    parts
}
