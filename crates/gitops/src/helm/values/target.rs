//! One value at a path, in the notation of `helm --set`: `a.b[0].c`, with `\.` for a dot in a key.

use crate::node::Entry;
use crate::{Mapping, Node, Origin, Value, yaml};

/// No list of values is longer; a larger index is a mistake.
const LONGEST: usize = 1_000;

enum Step {
    Key(String),
    Index(usize),
}

/// Puts a value at a path, making what is missing on the way.
pub(super) fn set(values: &mut Node, path: &str, value: &Node) {
    put(values, &steps(path), value);
}

/// As `--set` reads a value: quotes make it a string.
pub(super) fn value(text: &str, at: Origin) -> Node {
    let quoted = |sign: char| text.strip_prefix(sign).and_then(|rest| rest.strip_suffix(sign));
    let value = match quoted('\'').or_else(|| quoted('"')) {
        Some(inner) => inner.into(),
        None => yaml::resolve(text.trim_end_matches('\n')),
    };
    Node::new(value, at)
}

fn steps(path: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut key = String::new();
    let mut signs = path.chars();
    let push = |key: &mut String, steps: &mut Vec<Step>| {
        if !key.is_empty() {
            steps.push(Step::Key(std::mem::take(key)));
        }
    };
    while let Some(sign) = signs.next() {
        match sign {
            '\\' => key.extend(signs.next()),
            '.' => push(&mut key, &mut steps),
            '[' => {
                push(&mut key, &mut steps);
                let index: String = signs.by_ref().take_while(|sign| *sign != ']').collect();
                if let Ok(index) = index.parse::<usize>() {
                    steps.push(Step::Index(index.min(LONGEST)));
                }
            }
            sign => key.push(sign),
        }
    }
    push(&mut key, &mut steps);
    steps
}

fn put(node: &mut Node, steps: &[Step], value: &Node) {
    let Some((step, rest)) = steps.split_first() else {
        *node = value.clone();
        return;
    };
    match step {
        Step::Key(key) => {
            let mapping = node.as_mapping().cloned().unwrap_or_default();
            let mut inner = mapping.get(key).cloned().unwrap_or_else(|| Node::new(Value::Null, value.origin));
            put(&mut inner, rest, value);
            let kept = mapping.iter().filter(|entry| entry.key != *key).cloned();
            let new = Entry { key: key.as_str().into(), at: value.origin, value: inner };
            node.value = Value::Mapping(kept.chain([new]).collect::<Mapping>());
        }
        Step::Index(index) => {
            let mut items: Vec<Node> = node.items().to_vec();
            while items.len() <= *index {
                items.push(Node::new(Value::Null, value.origin));
            }
            put(&mut items[*index], rest, value);
            node.value = Value::Sequence(items.into_iter().collect());
        }
    }
}
