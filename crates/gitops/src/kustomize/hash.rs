//! The hash of a ConfigMap's or Secret's content that Kustomize puts behind its name.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::{Node, Value};

/// The hash; ten letters and digits.
pub(super) fn hash(root: &Node) -> String {
    let mut json = String::new();
    let fields: &[&str] = match root.get("kind").and_then(Node::as_str) {
        Some("Secret") => &["data", "kind", "name", "stringData", "type"],
        Some(_) | None => &["binaryData", "data", "kind", "name"],
    };
    let mut written = Vec::new();
    for field in fields {
        // Kustomize means to take the name in and looks in a place where it never is.
        let value = if *field == "name" { None } else { root.get(field) };
        let optional = matches!(*field, "binaryData" | "stringData");
        if optional && value.and_then(Node::as_mapping).is_none() {
            continue;
        }
        json.clear();
        write_string(field, &mut json);
        json.push(':');
        match value {
            Some(value) => write_value(value, &mut json),
            None => json.push_str("\"\""),
        }
        written.push(json.clone());
    }
    let digest = Sha256::digest(format!("{{{}}}", written.join(",")));
    let hexadecimal = digest.iter().take(5).fold(String::new(), |mut text, byte| {
        // A string takes everything.
        let _ = write!(text, "{byte:02x}");
        text
    });
    hexadecimal.chars().map(without_vowels_and_twins).collect()
}

/// No word can come of it, and no digit be taken for a letter.
fn without_vowels_and_twins(digit: char) -> char {
    match digit {
        '0' => 'g',
        '1' => 'h',
        '3' => 'k',
        'a' => 'm',
        'e' => 't',
        other => other,
    }
}

/// As Go writes JSON: keys in order, what HTML gives a meaning escaped.
fn write_value(node: &Node, into: &mut String) {
    match &node.value {
        Value::String(text) => write_string(text, into),
        Value::Mapping(mapping) => {
            let mut entries: Vec<_> = mapping.iter().collect();
            entries.sort_by(|one, two| one.key.cmp(&two.key));
            into.push('{');
            for (index, entry) in entries.into_iter().enumerate() {
                if 0 < index {
                    into.push(',');
                }
                write_string(&entry.key, into);
                into.push(':');
                write_value(&entry.value, into);
            }
            into.push('}');
        }
        Value::Sequence(items) => {
            into.push('[');
            for (index, item) in items.iter().enumerate() {
                if 0 < index {
                    into.push(',');
                }
                write_value(item, into);
            }
            into.push(']');
        }
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) => {
            into.push_str(&node.to_json().to_string());
        }
    }
}

fn write_string(text: &str, into: &mut String) {
    into.push('"');
    for character in text.chars() {
        let written = match character {
            '"' => write!(into, "\\\""),
            '\\' => write!(into, "\\\\"),
            '\n' => write!(into, "\\n"),
            '\r' => write!(into, "\\r"),
            '\t' => write!(into, "\\t"),
            '\u{8}' => write!(into, "\\b"),
            '\u{c}' => write!(into, "\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => write!(into, "\\u{:04x}", character as u32),
            other => write!(into, "{other}"),
        };
        debug_assert!(written.is_ok(), "a string takes everything");
    }
    into.push('"');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// With what the real one calls such a ConfigMap.
    #[test]
    fn what_html_and_javascript_give_a_meaning_is_escaped_as_in_go() {
        let data = json!({ "a": "1", "b": "x y", "c": "<&>='\u{2028}ü", "d": "" });
        assert_eq!(hash(&Node::from(&json!({ "kind": "ConfigMap", "data": data, "immutable": true }))), "h72dk5ktkc");
    }
}
