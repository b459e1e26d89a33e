//! Keys and values for generated ConfigMaps and Secrets: literals, files, and files of variables.

use std::borrow::Cow;

/// A key and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) key: String,
    pub(super) value: Vec<u8>,
}

/// `key=value`, with or without quotes around the value.
pub(super) fn literal(text: &str) -> Option<Pair> {
    let (key, value) = text.split_once('=').filter(|(key, _)| !key.is_empty())?;
    let quoted = |quote: char| value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    let value = quoted('"').or_else(|| quoted('\'')).unwrap_or(value);
    Some(Pair { key: key.to_owned(), value: value.as_bytes().to_vec() })
}

/// `key=path`, or a path whose last part is the key.
pub(super) fn file(text: &str) -> Option<(&str, &str)> {
    match text.split_once('=') {
        None => Some((super::path::name(text), text)),
        Some((key, path)) if !key.is_empty() && !path.is_empty() && !path.contains('=') => Some((key, path)),
        Some(_) => None,
    }
}

/// The lines of a file of variables; the first line that is none as an error.
pub(super) fn variables(content: &[u8]) -> Result<Vec<Pair>, String> {
    let content = content.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(content);
    let mut pairs = Vec::new();
    for (number, line) in content.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Ok(line) = str::from_utf8(line) else { return Err(format!("line {} isn't UTF-8", number + 1)) };
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (key, value) = line.split_once('=').unwrap_or((line, ""));
        if !is_variable(key) {
            return Err(format!("line {} holds no variable: {key} is no name of one", number + 1));
        }
        pairs.push(Pair { key: key.to_owned(), value: value.as_bytes().to_vec() });
    }
    Ok(pairs)
}

fn is_variable(key: &str) -> bool {
    let fine = |character: char| character.is_ascii_alphanumeric() || "-._".contains(character);
    !key.is_empty() && !key.starts_with(|first: char| first.is_ascii_digit()) && key.chars().all(fine)
}

/// Whether a ConfigMap may have the key.
pub(super) fn is_key(key: &str) -> bool {
    let fine = |character: char| character.is_ascii_alphanumeric() || "-._".contains(character);
    !key.is_empty() && key.len() <= 253 && key != "." && !key.starts_with("..") && key.chars().all(fine)
}

/// Base64 as Kustomize writes it: in lines of 70 when it is longer than one.
pub(super) fn base64(content: &[u8]) -> String {
    use base64::Engine as _;
    const LINE: usize = 70;
    let encoded = base64::engine::general_purpose::STANDARD.encode(content);
    if encoded.len() < LINE {
        return encoded;
    }
    let lines = encoded.as_bytes().chunks(LINE).map(String::from_utf8_lossy);
    lines.flat_map(|line| [line, Cow::Borrowed("\n")]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(key: &str, value: &str) -> Pair {
        Pair { key: key.to_owned(), value: value.as_bytes().to_vec() }
    }

    #[test]
    fn a_literal_may_be_quoted_and_hold_more_equal_signs() {
        assert_eq!(literal("a=b=c"), Some(pair("a", "b=c")));
        assert_eq!(literal("a=\"b\""), Some(pair("a", "b")));
        assert_eq!(literal("a='b\""), Some(pair("a", "'b\"")));
        assert_eq!(literal("a=\""), Some(pair("a", "\"")));
        assert_eq!(literal("a="), Some(pair("a", "")));
        assert_eq!((literal("=a"), literal("a")), (None, None));
    }

    #[test]
    fn a_file_is_called_by_its_name_or_as_is_said() {
        assert_eq!(file("a/b.txt"), Some(("b.txt", "a/b.txt")));
        assert_eq!(file("c=a/b.txt"), Some(("c", "a/b.txt")));
        assert_eq!((file("=a"), file("a="), file("a=b=c")), (None, None, None));
    }

    #[test]
    fn variables_stand_in_lines() {
        let found = variables(b"\xef\xbb\xbfA=1\r\n# no\n\n  B=x=y \nC\n").unwrap();
        assert_eq!(found, [pair("A", "1"), pair("B", "x=y "), pair("C", "")]);
        assert!(variables(b"1A=2").is_err() && variables(b"A\xff=1").is_err());
    }

    #[test]
    fn a_key_is_short_and_plain() {
        assert!(is_key("a.b-c_D") && is_key(".a") && !is_key("..a") && !is_key("a b") && !is_key(""));
    }
}
