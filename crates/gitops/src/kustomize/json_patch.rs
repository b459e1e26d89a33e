//! JSON patch (RFC 6902), with what Kustomize's library makes of it: a missing key can be replaced, an index may count
//! from the end, an index past the end is an error.

use super::problem::{Problem, ProblemKind};
use super::size;
use crate::node::Mapping;
use crate::{Node, Origin, Value};

/// More operations than any patch.
const MOST: usize = 10_000;

/// Applies the operations, all or none.
pub(super) fn apply(object: &Node, operations: &[Node]) -> Result<Node, Problem> {
    let mut patched = object.clone();
    for operation in operations.iter().take(MOST) {
        apply_one(&mut patched, operation)?;
    }
    Ok(patched)
}

/// What an operation says.
struct Operation<'a> {
    node: &'a Node,
    path: &'a str,
    at: Origin,
}

fn apply_one(root: &mut Node, node: &Node) -> Result<(), Problem> {
    let at = node.get("path").map_or(node.origin, |path| path.origin);
    let Some(path) = node.get("path").and_then(Node::as_str) else {
        return Err(Problem::new(ProblemKind::Invalid, at, "an operation of a JSON patch needs a path"));
    };
    let operation = Operation { node, path, at };
    let kind = node.get("op").and_then(Node::as_str).unwrap_or_default();
    match kind {
        "add" => add(root, path, operation.value(), operation.value_at(), &operation)?,
        "remove" => drop(take(root, path, &operation)?),
        "replace" => replace(root, &operation)?,
        "move" => {
            let from = operation.from()?;
            let value = take(root, from, &operation)?;
            add(root, path, value, at, &operation)?;
        }
        "copy" => {
            let value = find(root, operation.from()?).ok_or_else(|| operation.missing(path))?.clone();
            add(root, path, value, at, &operation)?;
        }
        "test" if find(root, path).map_or(&Value::Null, |found| &found.value) != &operation.value().value => {
            return Err(operation.fails(format!("the test of {path} fails, so that nothing of the patch is done")));
        }
        "test" => {}
        other => return Err(operation.fails(format!("a JSON patch knows no operation {other}"))),
    }
    if matches!(kind, "add" | "copy" | "move" | "replace") && !size::fits(root) {
        return Err(operation.fails("the patch makes the object larger than is built".to_owned()));
    }
    Ok(())
}

impl<'a> Operation<'a> {
    fn value(&self) -> Node {
        self.node.get("value").cloned().unwrap_or_else(|| Node::new(Value::Null, self.at))
    }

    /// Where the value is given: at its key.
    fn value_at(&self) -> Origin {
        self.node.as_mapping().and_then(|node| node.entry("value")).map_or(self.at, |entry| entry.at)
    }

    fn from(&self) -> Result<&'a str, Problem> {
        let from = self.node.get("from").and_then(Node::as_str);
        from.ok_or_else(|| self.fails("the operation needs a from".to_owned()))
    }

    fn fails(&self, message: String) -> Problem {
        Problem::new(ProblemKind::PatchFails, self.at, message)
    }

    fn missing(&self, path: &str) -> Problem {
        self.fails(format!("there is nothing at {path}, where the patch would change something"))
    }
}

fn replace(root: &mut Node, operation: &Operation<'_>) -> Result<(), Problem> {
    let (value, at) = (operation.value(), operation.value_at());
    if operation.path.is_empty() {
        *root = value;
        return Ok(());
    }
    let missing = || operation.missing(operation.path);
    let (parent, key) = parent(root, operation.path).ok_or_else(missing)?;
    match &mut parent.value {
        Value::Mapping(mapping) => mapping.insert(key, at, value),
        Value::Sequence(items) => {
            let index = index(&key, items.len(), items.len()).ok_or_else(missing)?;
            items.make_mut()[index] = value;
        }
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::String(_) => return Err(missing()),
    }
    Ok(())
}

fn add(root: &mut Node, path: &str, value: Node, at: Origin, operation: &Operation<'_>) -> Result<(), Problem> {
    let missing = || operation.missing(path);
    let (parent, key) = parent(root, path).ok_or_else(missing)?;
    match &mut parent.value {
        Value::Mapping(mapping) => mapping.insert(key, at, value),
        Value::Sequence(items) if key == "-" => items.push(value),
        Value::Sequence(items) => {
            let index = index(&key, items.len() + 1, items.len() + 1).ok_or_else(missing)?;
            items.insert(index, value);
        }
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::String(_) => return Err(missing()),
    }
    Ok(())
}

fn take(root: &mut Node, path: &str, operation: &Operation<'_>) -> Result<Node, Problem> {
    let missing = || operation.missing(path);
    let (parent, key) = parent(root, path).ok_or_else(missing)?;
    match &mut parent.value {
        Value::Mapping(mapping) => mapping.remove(&key).ok_or_else(missing),
        Value::Sequence(items) => {
            let index = index(&key, items.len(), items.len()).ok_or_else(missing)?;
            Ok(items.remove(index))
        }
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::String(_) => Err(missing()),
    }
}

/// The position that is meant; a negative one counts from the end.
fn index(key: &str, length: usize, most: usize) -> Option<usize> {
    let index: i64 = key.parse().ok()?;
    let index = if index < 0 { index + i64::try_from(length).ok()? } else { index };
    usize::try_from(index).ok().filter(|index| *index < most)
}

/// The value that holds the end of a path, and the last key.
fn parent<'a>(root: &'a mut Node, path: &str) -> Option<(&'a mut Node, String)> {
    let (parents, key) = path.rsplit_once('/')?;
    let mut node = root;
    for part in parents.split('/').skip(1) {
        let part = unescape(part);
        node = match &mut node.value {
            Value::Mapping(mapping) => mapping.get_mut(&part)?,
            Value::Sequence(items) => {
                let index = index(&part, items.len(), items.len())?;
                &mut items.make_mut()[index]
            }
            Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::String(_) => return None,
        };
    }
    Some((node, unescape(key)))
}

fn find<'a>(root: &'a Node, path: &str) -> Option<&'a Node> {
    path.split('/').skip(1).try_fold(root, |node, part| {
        let part = unescape(part);
        match &node.value {
            Value::Mapping(mapping) => Mapping::get(mapping, &part),
            Value::Sequence(items) => items.get(index(&part, items.len(), items.len())?),
            Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::String(_) => None,
        }
    })
}

fn unescape(part: &str) -> String {
    part.replace("~1", "/").replace("~0", "~")
}

#[cfg(test)]
mod tests;
