//! What holds for any file: reading never panics, and what is written is read as it was.

use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};

use super::{Dialect, Limits, parse, parse_as, resolve};
use crate::{FileId, Node};

/// Pieces of which files are made that look like YAML.
const PIECES: [&str; 34] = [
    "a", "b: ", "- ", "\n", "  ", "    ", ": ", "[", "]", "{", "}", ", ", "&a ", "*a", "<<: ", "*a\n", "|\n", ">-\n",
    "'", "\"", "#", "---\n", "...\n", "!!str ", "? ", "\\", "\t", "~", "yes", "0644", "{{ x }}", "%", "\u{feff}", "ü",
];

fn file() -> FileId {
    FileId::new(0).unwrap()
}

/// Small, so that what is found is found soon.
fn limits() -> Limits {
    Limits { bytes: 4096, depth: 16, aliased: 1000 }
}

/// Every place in a document lies in the text.
fn check_places(node: &Node, lines: usize) {
    assert!(node.origin.is_somewhere() && 1 <= node.origin.column(), "{node:?}");
    assert!((1..=lines).contains(&(node.origin.line() as usize)), "{node:?} of {lines} lines");
    node.items().iter().for_each(|item| check_places(item, lines));
    node.entries().for_each(|entry| check_places(&entry.value, lines));
}

fn check_reads(bytes: &[u8]) {
    for dialect in [Dialect::Flux, Dialect::Kubernetes] {
        let parsed = parse_as(dialect, file(), bytes, &limits());
        // A carriage return ends a line too.
        let lines = bytes.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count() + 1;
        parsed.documents.iter().for_each(|document| check_places(document, lines));
        parsed.error.iter().for_each(|error| assert!(!error.message.is_empty()));
    }
}

fn scalar() -> impl Strategy<Value = Json> {
    prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        (-1e9..1e9_f64).prop_map(Json::from),
        "\\PC{0,12}".prop_map(Json::from),
        "[ \\n\\t:#\"'a-c-]{0,8}".prop_map(Json::from),
        prop::sample::select(&["yes", "0644", "~", "1.0", "<<", "null", "- a", "{{", "1e3"][..]).prop_map(Json::from),
    ]
}

/// A document; on top a mapping or a list, as an empty one is none.
fn tree() -> impl Strategy<Value = Json> {
    let inner = scalar().prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Json::from),
            prop::collection::vec(("[a-z.~<\"' ]{0,6}", inner), 0..5)
                .prop_map(|pairs| Json::Object(pairs.into_iter().collect::<Map<_, _>>())),
        ]
    });
    prop::collection::vec(inner, 1..4).prop_map(Json::from)
}

/// Block style, strings quoted.
fn write_block(value: &Json, indent: usize, into: &mut String) {
    let pad = " ".repeat(indent);
    match value {
        Json::Array(items) if !items.is_empty() => {
            for item in items {
                into.push_str(&format!("\n{pad}-"));
                write_block(item, indent + 2, into);
            }
        }
        Json::Object(fields) if !fields.is_empty() => {
            for (key, value) in fields {
                into.push_str(&format!("\n{pad}{}:", json!(key)));
                write_block(value, indent + 2, into);
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) | Json::Object(_) => {
            into.push_str(&format!(" {value}"));
        }
    }
}

/// As it is read: a number without a fraction is whole, whatever it was.
fn normal(value: &Json) -> Json {
    Node::from(value).to_json()
}

fn read_back(text: &str) -> Json {
    let parsed = parse(file(), text.as_bytes(), &Limits::default());
    assert_eq!(parsed.error, None, "{text}");
    parsed.documents.iter().map(Node::to_json).collect()
}

proptest! {
    #[test]
    fn any_bytes_can_be_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        check_reads(&bytes);
    }

    #[test]
    fn anything_like_yaml_can_be_read(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..40)) {
        check_reads(pieces.concat().as_bytes());
    }

    #[test]
    fn any_scalar_can_be_resolved(text in "\\PC{0,20}|[-+0-9._eExobn]{0,12}") {
        let value = resolve(&text);
        // What isn't a string is one when it is quoted.
        prop_assert!(value == crate::Value::from(text.as_str()) || !text.contains(' '));
    }

    #[test]
    fn what_is_written_as_json_is_read_as_it_was(tree in tree()) {
        let expected = json!([normal(&tree)]);
        prop_assert_eq!(read_back(&tree.to_string()), expected.clone());
        let pretty = serde_json::to_string_pretty(&tree).unwrap();
        prop_assert_eq!(read_back(&pretty), expected);
    }

    #[test]
    fn what_is_written_in_blocks_is_read_as_it_was(tree in tree()) {
        let mut text = String::new();
        write_block(&tree, 0, &mut text);
        prop_assert_eq!(read_back(&text), json!([normal(&tree)]));
    }
}
