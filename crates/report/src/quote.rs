//! The line that a finding is about, cut to what can be shown, and the part of it that is meant.

use std::ops::Range;

use crate::clean::visible;

/// How much is shown of a line on either side of where it is wrong.
const BEFORE: usize = 60;
const AFTER: usize = 140;

/// A line, safe to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Quote {
    /// The line, or a part of it.
    pub(crate) text: String,
    /// The bytes of it that are meant.
    pub(crate) span: Range<usize>,
}

impl Quote {
    /// The line with what begins at the column, counted from 1 in characters. None of an empty line.
    pub(crate) fn new(line: &str, column: u32) -> Option<Self> {
        let line = line.trim_end();
        let start = Some((column as usize).saturating_sub(1)).filter(|at| *at < line.chars().count()).unwrap_or(0);
        let skipped = start.saturating_sub(BEFORE);
        let mut text = String::new();
        let mut span = None;
        for (at, c) in line.chars().enumerate().skip(skipped).take(BEFORE + AFTER) {
            if at == start {
                span = Some(text.len());
            }
            text.push(visible(c));
        }
        // A column that isn't there, or that points at indentation, means what comes next, else all of it.
        let rest = span.map(|from| text[from..].trim_start()).filter(|rest| !rest.is_empty());
        let rest = rest.or_else(|| Some(text.trim_start()).filter(|rest| !rest.is_empty()))?;
        let from = text.len() - rest.len();
        let until = from + meant(&text[from..]);
        if skipped + BEFORE + AFTER < line.chars().count() {
            text.push('…');
        }
        Some(Self { span: from..until, text })
    }
}

/// How many bytes are meant: up to the end, or to a comment.
fn meant(text: &str) -> usize {
    let end = text.find(" #").unwrap_or(text.len());
    text[..end].trim_end().len().max(text.chars().next().map_or(0, char::len_utf8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, column: u32, meant: &str) {
        let quote = Quote::new(line, column);
        assert_eq!(quote.as_ref().map(|it| &it.text[it.span.clone()]), Some(meant), "{quote:?}");
    }

    #[test]
    fn what_is_meant_ends_with_the_line_or_before_a_comment() {
        check("  minAvailable: 1", 3, "minAvailable: 1");
        check("  minAvailable: 1   # why", 17, "1");
        check("  url: \"http://x#y\"", 3, "url: \"http://x#y\"");
    }

    #[test]
    fn a_column_that_is_not_there_means_the_whole_line() {
        check("  spec:", 80, "spec:");
        check("  spec:", 0, "spec:");
        check("  spec:", 1, "spec:");
        assert_eq!(Quote::new("   ", 1), None);
    }

    #[test]
    fn a_very_long_line_is_cut_around_the_place() {
        let quote =
            Quote::new(&format!("{}minAvailable: 1, {}", "x".repeat(100_000), "y".repeat(100_000)), 100_001).unwrap();
        assert!(quote.text.len() < 300 && quote.text[quote.span].starts_with("minAvailable: 1"));
    }

    #[test]
    fn escapes_in_a_line_are_shown() {
        assert_eq!(Quote::new("a: \u{1b}[31mred", 1).unwrap().text, "a: ␛[31mred");
    }
}
