//! Words and quotes as the server writes them: its messages are compared letter by letter.

use std::borrow::Cow;
use std::fmt::Write as _;

/// `"a", "b"`. The quotes are only put around: nothing is escaped.
pub(crate) fn quoted<'a>(items: impl IntoIterator<Item = &'a str>) -> String {
    let mut text = String::new();
    for item in items {
        let start = if text.is_empty() { "\"" } else { ", \"" };
        text.extend([start, item, "\""]);
    }
    text
}

/// `container "a"`, `containers "a", "b"`.
pub(crate) fn named(singular: &str, plural: &str, names: &[&str]) -> String {
    let mut text = String::with_capacity(plural.len() + names.iter().map(|name| name.len() + 4).sum::<usize>());
    text.push_str(counted(singular, plural, names.len()));
    let mut separator = " \"";
    for name in names {
        text.extend([separator, name, "\""]);
        separator = ", \"";
    }
    text
}

/// `container "a"`, `containers "a", "b"`.
pub(crate) fn containers(names: &[&str]) -> String {
    named("container", "containers", names)
}

pub(crate) const fn counted<'a>(singular: &'a str, plural: &'a str, count: usize) -> &'a str {
    if count == 1 { singular } else { plural }
}

/// As Go's `%q`.
pub(crate) fn go_quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\x07' => quoted.push_str("\\a"),
            '\x08' => quoted.push_str("\\b"),
            '\x0c' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\x0b' => quoted.push_str("\\v"),
            c if is_printed(c) => quoted.push(c),
            c => escape(&mut quoted, c),
        }
    }
    quoted.push('"');
    quoted
}

/// Whether Go writes the character itself. Rust's own list of what can be printed is the same but for the combining
/// marks, which Go prints and Rust escapes when they stand alone: behind a letter, both print them.
fn is_printed(c: char) -> bool {
    let alone = || ['a', c].iter().collect::<String>().escape_debug().count() == 2;
    c == ' ' || c.is_ascii_graphic() || !c.is_ascii() && !c.is_whitespace() && alone()
}

fn escape(quoted: &mut String, c: char) {
    let code = u32::from(c);
    let written = match code {
        0..0x80 => write!(quoted, "\\x{code:02x}"),
        0x80..0x1_0000 => write!(quoted, "\\u{code:04x}"),
        _ => write!(quoted, "\\U{code:08x}"),
    };
    written.expect("invariant: writing to a string doesn't fail");
}

/// A text as JSON.
pub(crate) fn json(text: &str) -> Cow<'static, str> {
    let mut json = String::with_capacity(text.len() + 2);
    json.push('"');
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            c if c < ' ' => {
                write!(json, "\\u{:04x}", u32::from(c)).expect("invariant: writing to a string doesn't fail");
            }
            c => json.push(c),
        }
    }
    json.push('"');
    Cow::Owned(json)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quotes_are_those_of_go() {
        assert_eq!(go_quoted("plain ü é 世"), "\"plain ü é 世\"");
        assert_eq!(go_quoted("\"\\\n\t\u{7f}\u{0}\u{a0}\u{200b}"), r#""\"\\\n\t\x7f\x00\u00a0\u200b""#);
        assert_eq!(go_quoted("e\u{301}"), "\"e\u{301}\"");
        assert_eq!(go_quoted("\u{301}"), "\"\u{301}\"");
        assert_eq!(go_quoted("\u{e0001}"), r#""\U000e0001""#);
    }

    proptest! {
        #[test]
        fn any_text_is_valid_json(text in ".*") {
            prop_assert_eq!(serde_json::from_str::<String>(&json(&text)).unwrap(), text);
        }
    }
}
