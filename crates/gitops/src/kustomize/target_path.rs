//! Field paths of `replacements`: `spec.template.spec.containers.[name=web].env.0.value`, `*` for every item, brackets
//! around a name with dots.

use regex_lite::Regex;

use crate::node::Mapping;
use crate::{Node, Origin, Value};

/// What is made at the end of a path that isn't there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Made {
    Nothing,
    Scalar,
    Sequence,
    Mapping,
}

/// Why nothing can be changed at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PathError {
    /// It leads into the text of a scalar.
    IntoText,
    /// It leads nowhere: a clause that says why.
    Nowhere(String),
}

/// The parts of a path.
pub(super) fn split(path: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut pieces = pieces(path).into_iter();
    while let Some(piece) = pieces.next() {
        if !piece.starts_with('[') || piece.ends_with(']') {
            parts.push(piece);
            continue;
        }
        let mut whole = piece;
        for next in pieces.by_ref() {
            whole.push('.');
            whole.push_str(&next);
            if next.ends_with(']') {
                break;
            }
        }
        // With an equal sign it selects an item, else it is a name.
        parts.push(if whole.contains('=') { whole } else { whole.trim_matches(['[', ']']).to_owned() });
    }
    parts
}

/// What stands between the dots; a dot in a name is written `\.`.
fn pieces(path: &str) -> Vec<String> {
    let path = path.strip_prefix('.').unwrap_or(path);
    let mut pieces: Vec<String> = Vec::new();
    for piece in path.split('.') {
        match pieces.last_mut().filter(|last| last.ends_with('\\')) {
            Some(last) => {
                last.pop();
                last.push('.');
                last.push_str(piece);
            }
            None => pieces.push(piece.to_owned()),
        }
    }
    pieces
}

/// The value at a path.
pub(super) fn lookup<'a>(root: &'a Node, parts: &[String]) -> Option<&'a Node> {
    let mut parts = parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty());
    parts.try_fold(root, |node, part| {
        if let Ok(index) = part.parse::<usize>() {
            return node.items().get(index);
        }
        match (part, selected(part)) {
            ("-", _) => node.items().last(),
            (_, Some(("", value))) => node.items().iter().find(|item| item.text().is_some_and(|text| text == value)),
            (_, Some((field, value))) => {
                node.items().iter().find(|item| item.get(field).and_then(Node::text).is_some_and(|text| text == value))
            }
            (name, None) => node.get(name),
        }
    })
}

/// `[field=value]`.
fn selected(part: &str) -> Option<(&str, &str)> {
    part.strip_prefix('[')?.strip_suffix(']')?.split_once('=')
}

/// Calls `set` on every value at a path, and tells how many there were.
pub(super) fn visit(
    node: &mut Node,
    parts: &[String],
    made: Made,
    set: &mut dyn FnMut(&mut Node) -> Result<(), PathError>,
) -> Result<usize, PathError> {
    let Some((part, rest)) = parts.split_first() else {
        set(node)?;
        return Ok(1);
    };
    if let Ok(index) = part.parse::<usize>() {
        return visit_index(node, index, rest, made, set);
    }
    if part == "*" {
        return visit_items(node, |_| true, rest, made, set);
    }
    if part.starts_with('[') && part.ends_with(']') {
        return visit_selected(node, part, rest, made, set);
    }
    visit_field(node, part, rest, made, set)
}

fn nowhere<T>(why: impl Into<String>) -> Result<T, PathError> {
    Err(PathError::Nowhere(why.into()))
}

fn visit_index(
    node: &mut Node,
    index: usize,
    rest: &[String],
    made: Made,
    set: &mut dyn FnMut(&mut Node) -> Result<(), PathError>,
) -> Result<usize, PathError> {
    let origin = node.origin;
    let Value::Sequence(items) = &mut node.value else {
        return nowhere(format!("{index} is the place in a list, and there is none"));
    };
    if items.len() == index && made != Made::Nothing {
        items.push(new(rest, made, origin));
    }
    match items.len() {
        length if index < length => visit(&mut items.make_mut()[index], rest, made, set),
        length => nowhere(format!("the list has {length} items, so none at {index}")),
    }
}

fn visit_items(
    node: &mut Node,
    is_meant: impl Fn(&Node) -> bool,
    rest: &[String],
    made: Made,
    set: &mut dyn FnMut(&mut Node) -> Result<(), PathError>,
) -> Result<usize, PathError> {
    let Value::Sequence(items) = &mut node.value else { return nowhere("there is no list to look for an item in") };
    let mut count = 0;
    for item in items.make_mut().iter_mut().filter(|item| is_meant(item)) {
        count += visit(item, rest, made, set)?;
    }
    Ok(count)
}

fn visit_selected(
    node: &mut Node,
    part: &str,
    rest: &[String],
    made: Made,
    set: &mut dyn FnMut(&mut Node) -> Result<(), PathError>,
) -> Result<usize, PathError> {
    let Some((field, value)) = selected(part) else {
        return nowhere(format!("{part} selects no item: [field=value] does"));
    };
    let Ok(pattern) = Regex::new(value) else { return nowhere(format!("{value} is no regular expression")) };
    let is_meant = |item: &Node| {
        let value = if field.is_empty() { Some(item) } else { item.get(field) };
        value.and_then(Node::text).is_some_and(|text| pattern.is_match(text.trim()))
    };
    if field.is_empty() {
        // What an item is selected by is all of it.
        let count = visit_items(node, is_meant, &[], made, set)?;
        if 0 < count || made == Made::Nothing {
            return Ok(count);
        }
    } else {
        let count = visit_items(node, is_meant, rest, made, set)?;
        if 0 < count || made == Made::Nothing {
            return Ok(count);
        }
    }
    let origin = node.origin;
    let Value::Sequence(items) = &mut node.value else { return Ok(0) };
    let text = Node::new(crate::yaml::plain(value), origin);
    items.push(if field.is_empty() { text } else { one(field, text, origin) });
    visit_items(node, is_meant, if field.is_empty() { &[] } else { rest }, made, set)
}

fn one(key: &str, value: Node, origin: Origin) -> Node {
    let mut mapping = Mapping::default();
    mapping.insert(key, origin, value);
    Node::new(Value::Mapping(mapping), origin)
}

fn visit_field(
    node: &mut Node,
    name: &str,
    rest: &[String],
    made: Made,
    set: &mut dyn FnMut(&mut Node) -> Result<(), PathError>,
) -> Result<usize, PathError> {
    let origin = node.origin;
    let mapping = match &mut node.value {
        Value::Mapping(mapping) => mapping,
        Value::Null => return Ok(0),
        Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::String(_) | Value::Sequence(_) => {
            return nowhere(format!("{name} is a field, and there is no mapping"));
        }
    };
    let field = match (mapping.get(name), made) {
        (None, Made::Nothing) => return Ok(0),
        (Some(field), _) if field.text().is_some() && !rest.is_empty() => return Err(PathError::IntoText),
        (Some(_), _) => mapping.get_mut(name),
        (None, Made::Scalar | Made::Sequence | Made::Mapping) => {
            Some(mapping.get_or_insert(name, origin, || new(rest, made, origin)))
        }
    };
    field.map_or(Ok(0), |field| visit(field, rest, made, set))
}

/// What is made for a part before `rest`.
fn new(rest: &[String], made: Made, origin: Origin) -> Node {
    let is_list = |part: &String| part.parse::<usize>().is_ok() || (part.starts_with('[') && part.ends_with(']'));
    let value = match (rest.first(), made) {
        (Some(next), _) if is_list(next) => Value::Sequence(Default::default()),
        (None, Made::Sequence) => Value::Sequence(Default::default()),
        (None, Made::Scalar | Made::Nothing) => Value::Null,
        (Some(_), _) | (None, Made::Mapping) => Value::Mapping(Mapping::default()),
    };
    Node::new(value, origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_split_at_dots_that_stand_in_no_brackets() {
        let parts = split("spec.containers.[name=a.b].env.0.metadata.annotations.[x.y/z].a\\.b");
        let expected = ["spec", "containers", "[name=a.b]", "env", "0", "metadata", "annotations", "x.y/z", "a.b"];
        assert_eq!(parts, expected);
    }
}
