//! Lists that are merged item by item: by the values of their keys, or as a set of scalars.
//!
//! The order is Kustomize's: items of the patch come first. An item of the object whose key another item of it has too is
//! merged into one. With several keys (`containerPort` and `protocol`) those count that any item gives a value for.

use ecow::EcoString;

use super::merge::{self, Directive, Merged};
use super::merge_keys::{List, Shape};
use super::problem::Problem;
use crate::{Node, Origin, Value};

/// The values of the keys of an item; empty where it has none.
type Values = Vec<EcoString>;

/// Merges two lists of which each may be absent or null, not both.
pub(super) fn walk(dest: Option<&Node>, patch: Option<&Node>, (keys, shape): List) -> Merged {
    let theirs = dest.filter(|dest| !dest.is_null());
    let (directive, stripped) = match (theirs, patch) {
        (Some(_), Some(patch)) if patch.is_null() => return Ok(None),
        (Some(_), Some(patch)) => merge::strip_list(patch)?,
        (_, None) | (None, Some(_)) => (Directive::Merge, None),
    };
    let patch = stripped.as_ref().or(patch);
    let base = match (theirs, directive) {
        (_, Directive::Delete) => return Ok(None),
        (Some(dest), Directive::Merge) => dest,
        (Some(_), Directive::Replace) | (None, _) => match patch {
            Some(patch) => patch,
            None => return Ok(None),
        },
    };
    // A list that the patch adds is merged with itself.
    let added = patch.is_some_and(|patch| std::ptr::eq(patch, base));
    let patch_items = patch.map(Node::items).unwrap_or_default();
    let items = match keys {
        [] => scalars(base.items(), patch_items),
        keys => merge_items(base.items(), patch_items, added, keys, shape)?,
    };
    Ok(Some(Node::new(Value::Sequence(items.into_iter().collect()), base.origin)))
}

/// A set: those of the patch first.
fn scalars(dest: &[Node], patch: &[Node]) -> Vec<Node> {
    let mut kept: Vec<Node> = Vec::with_capacity(dest.len());
    for item in patch.iter().chain(dest) {
        if !kept.iter().any(|known| known.text() == item.text()) {
            kept.push(item.clone());
        }
    }
    kept
}

fn merge_items(dest: &[Node], patch: &[Node], added: bool, keys: &[&str], shape: Shape) -> Result<Vec<Node>, Problem> {
    let all = all_values(patch.iter().chain(dest), keys);
    let mut dest = dest.to_vec();
    let mut patch = patch.to_vec();
    let mut first: Vec<Node> = Vec::new();
    let mut valid: Vec<usize> = Vec::new();
    for values in &all {
        valid = valid_keys(&all, keys);
        let matching = Matching { keys, used: &used(&valid, values), values };
        let (ours, theirs) = (matching.find(&dest), matching.find(&patch));
        let merged = merge::walk(ours.map(|at| &dest[at]), theirs.map(|at| &patch[at]), false, shape, None)?;
        match merged.filter(|node| !is_empty(node)) {
            None => {
                dest.retain(|item| !matching.removes(&valid, item));
                if added {
                    patch.clone_from(&dest);
                }
            }
            Some(node) => {
                let node = matching.completed(node);
                let replaced = theirs.is_some_and(|at| replaces(&patch[at]));
                if let (Some(at), false) = (ours, replaced) {
                    dest[at] = node.clone();
                }
                matching.put(&mut first, node);
            }
        }
    }
    Ok(append_rest(first, dest, keys, &valid))
}

/// Whether an item stands for itself: then the object's stays what it was, and comes last.
fn replaces(item: &Node) -> bool {
    item.get("$patch").and_then(Node::as_str) == Some("replace")
}

fn is_empty(node: &Node) -> bool {
    node.is_null() || node.as_mapping().is_some_and(crate::Mapping::is_empty)
}

/// Puts the object's items behind those of the patch, or in their places. Before an item without any key everything is
/// lost, as in Kustomize.
fn append_rest(mut items: Vec<Node>, rest: Vec<Node>, keys: &[&str], valid: &[usize]) -> Vec<Node> {
    for item in rest {
        let values: Values = keys.iter().map(|key| value_of(&item, key)).collect();
        let has: Vec<usize> = valid.iter().copied().filter(|key| item.get(keys[*key]).is_some()).collect();
        if has.is_empty() {
            items = vec![item];
            continue;
        }
        let matching = Matching { keys, used: &has, values: &values };
        // With several keys Kustomize moves the item to the end.
        if 1 < valid.len() {
            items.retain(|known| !matching.is(known));
        }
        matching.put(&mut items, item);
    }
    items
}

/// The values of all items, each once. With several keys, what one item leaves out another may say.
fn all_values<'a>(items: impl Iterator<Item = &'a Node>, keys: &[&str]) -> Vec<Values> {
    let mut all: Vec<Values> = Vec::new();
    for item in items {
        let values: Values = keys.iter().map(|key| value_of(item, key)).collect();
        if !all.contains(&values) {
            all.push(values);
        }
    }
    if keys.len() < 2 {
        return all;
    }
    for i in 0..all.len() {
        for j in 0..all.len() {
            if let Some(both) = unite(&all[i], &all[j]) {
                all[i].clone_from(&both);
                all[j] = both;
            }
        }
    }
    all
}

/// What two items say together, when they don't contradict each other and agree on something.
fn unite(one: &[EcoString], two: &[EcoString]) -> Option<Values> {
    let mut agree = false;
    let mut both = Values::with_capacity(one.len());
    for (one, two) in one.iter().zip(two) {
        if one == two {
            agree = true;
        } else if !one.is_empty() && !two.is_empty() {
            return None;
        }
        both.push(if one.is_empty() { two.clone() } else { one.clone() });
    }
    agree.then_some(both)
}

/// The keys for which some item has a value; all when none has.
fn valid_keys(all: &[Values], keys: &[&str]) -> Vec<usize> {
    let valid: Vec<usize> = (0..keys.len()).filter(|key| all.iter().any(|values| !values[*key].is_empty())).collect();
    if valid.is_empty() { (0..keys.len()).collect() } else { valid }
}

/// Of those, the keys for which this item has one.
fn used(valid: &[usize], values: &[EcoString]) -> Vec<usize> {
    let used: Vec<usize> = valid.iter().copied().filter(|key| !values[*key].is_empty()).collect();
    if used.is_empty() { valid.to_vec() } else { used }
}

fn value_of(item: &Node, key: &str) -> EcoString {
    item.get(key).and_then(Node::text).unwrap_or_default()
}

/// An item with certain values.
struct Matching<'a> {
    keys: &'a [&'a str],
    used: &'a [usize],
    values: &'a [EcoString],
}

impl Matching<'_> {
    fn is(&self, item: &Node) -> bool {
        self.used
            .iter()
            .all(|key| item.get(self.keys[*key]).is_some() && value_of(item, self.keys[*key]) == self.values[*key])
    }

    /// Whether an item is taken out with this one. An item without a key takes out every item that has one: that is
    /// Kustomize's doing, and so what Flux applies.
    fn removes(&self, valid: &[usize], item: &Node) -> bool {
        valid.iter().all(|key| {
            let has = item.get(self.keys[*key]).is_some_and(|value| !value.is_null());
            has && (self.values[*key].is_empty() || value_of(item, self.keys[*key]) == self.values[*key])
        })
    }

    fn find(&self, items: &[Node]) -> Option<usize> {
        items.iter().position(|item| self.is(item))
    }

    /// Takes the place of every item with these values, else is the last.
    fn put(&self, items: &mut Vec<Node>, node: Node) {
        let mut found = false;
        for item in items.iter_mut().filter(|item| self.is(item)) {
            *item = node.clone();
            found = true;
        }
        if !found {
            items.push(node);
        }
    }

    /// An item says what it was found by.
    fn completed(&self, mut node: Node) -> Node {
        for key in self.used {
            let (name, value) = (self.keys[*key], &self.values[*key]);
            if let Some(mapping) =
                node.as_mapping_mut().filter(|mapping| mapping.get(name).is_none() && !value.is_empty())
            {
                mapping.insert(name, Origin::NONE, Node::made(crate::yaml::plain(value)));
            }
        }
        node
    }
}
