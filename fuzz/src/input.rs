//! The form of an input: lines that a person can read, each something that an API server might send.
//!
//! `object Deployment {...}` is an object that a watch adds, `event Deployment {...}` the whole line of a watch, `page
//! Deployment {...}` a list, `refusal {...}` the answer to a request. Lines that begin in another way are skipped, so that
//! a mutation of any byte is an input too.

use holdfast_controller::access::Source;

/// What comes before the kind.
pub const WORDS: [&str; 3] = ["object", "event", "page"];
/// What comes before the answer to a request.
pub const REFUSAL: &str = "refusal";

/// One line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// An object that a watch adds.
    Object(Source, &'a [u8]),
    /// The line of a watch.
    Event(Source, &'a [u8]),
    /// A page of a list.
    Page(Source, &'a [u8]),
    /// The answer to a request.
    Refusal(&'a [u8]),
}

/// The lines that mean something.
pub fn parse(bytes: &[u8]) -> impl Iterator<Item = Line<'_>> {
    bytes.split(|byte| *byte == b'\n').filter_map(parse_line)
}

fn parse_line(line: &[u8]) -> Option<Line<'_>> {
    let (word, rest) = cut(line)?;
    if word == REFUSAL {
        return Some(Line::Refusal(rest));
    }
    let (kind, payload) = cut(rest)?;
    let source = Source::all().find(|source| source.as_str() == kind)?;
    match word {
        "object" => Some(Line::Object(source, payload)),
        "event" => Some(Line::Event(source, payload)),
        "page" => Some(Line::Page(source, payload)),
        _ => None,
    }
}

fn cut(text: &[u8]) -> Option<(&str, &[u8])> {
    let at = text.iter().position(|byte| *byte == b' ')?;
    Some((str::from_utf8(&text[..at]).ok()?, &text[at + 1..]))
}

#[cfg(test)]
mod tests {
    use holdfast_model::Kind;

    use super::*;

    #[test]
    fn lines_are_told_apart_and_others_skipped() {
        let text =
            b"object Pod {}\nnoise\nevent Pod 1\n\npage Nothing {}\npage PolicyException []\nrefusal {} \n\xff Pod";
        let found: Vec<Line<'_>> = parse(text).collect();
        let pod = Source::Facts(Kind::Pod);
        let expected = [
            Line::Object(pod, b"{}"),
            Line::Event(pod, b"1"),
            Line::Page(Source::PolicyException, b"[]"),
            Line::Refusal(b"{} "),
        ];
        assert_eq!(found, expected);
    }
}
