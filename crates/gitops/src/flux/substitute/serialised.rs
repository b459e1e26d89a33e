//! Whether go-yaml writes a string without quotes, and what a text without quotes can be.
//!
//! Only asked about strings with a variable in them. Whatever would be quoted stays a string whatever is put in.

/// What a plain scalar can't begin with.
const INDICATORS: [char; 18] =
    ['-', '?', ':', ',', '[', ']', '{', '}', '#', '&', '*', '!', '|', '>', '\'', '"', '%', '@'];

/// Whether this string is serialised without quotes.
pub(super) fn is_plain(text: &str) -> bool {
    let Some(first) = text.chars().next() else { return false };
    let spaced = |sign: char| INDICATORS.contains(&sign) && !matches!(sign, '-' | '?' | ':');
    let leading = |sign: char| matches!(sign, '-' | '?' | ':') && text.chars().nth(1).is_none_or(char::is_whitespace);
    !(spaced(first) || leading(first) || first == '`' || first.is_whitespace()) && is_unbroken(text)
}

/// Whether nothing inside ends a plain scalar.
fn is_unbroken(text: &str) -> bool {
    !text.ends_with(char::is_whitespace)
        && !text.ends_with(':')
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.contains(char::is_control)
}

/// Whether a text without quotes is one scalar: neither a list nor a mapping, and without quotes of its own.
pub(super) fn is_scalar(text: &str) -> bool {
    let trimmed = text.trim();
    trimmed.is_empty() || is_plain(trimmed)
}
