//! How large a value may become: a patch that copies a value into itself doubles it each time, and shares what it copies,
//! so that it costs nothing until somebody walks over it.

use crate::{Node, Value};

/// More values than the largest of objects has.
const MOST_VALUES: usize = 1_000_000;
/// Deeper than any object.
const DEEPEST: usize = 200;

/// Whether a value is one that can be walked over.
pub(super) fn fits(node: &Node) -> bool {
    let mut left = MOST_VALUES;
    fits_below(node, DEEPEST, &mut left)
}

fn fits_below(node: &Node, levels: usize, left: &mut usize) -> bool {
    if *left == 0 || levels == 0 {
        return false;
    }
    *left -= 1;
    match &node.value {
        Value::Sequence(items) => items.iter().all(|item| fits_below(item, levels - 1, left)),
        Value::Mapping(mapping) => mapping.iter().all(|entry| fits_below(&entry.value, levels - 1, left)),
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::String(_) => true,
    }
}
