//! A sentence as words and code in turn, as backticks part it.

use std::borrow::Cow;

/// A part of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Span<'a> {
    /// Words.
    Words(Cow<'a, str>),
    /// Code, without its backticks.
    Code(Cow<'a, str>),
}

/// The parts of a sentence. One whose backticks aren't pairs is all words.
pub(crate) fn spans(text: &str) -> Vec<Span<'_>> {
    if text.matches('`').count() % 2 == 1 {
        return vec![Span::Words(text.into())];
    }
    let parts = text.split('`').enumerate().filter(|(_, part)| !part.is_empty());
    parts.map(|(at, part)| if at % 2 == 0 { Span::Words(part.into()) } else { Span::Code(part.into()) }).collect()
}

impl Span<'_> {
    /// The same, whoever has the text.
    pub(crate) fn into_owned(self) -> Span<'static> {
        match self {
            Self::Words(text) => Span::Words(text.into_owned().into()),
            Self::Code(text) => Span::Code(text.into_owned().into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, told: &str) {
        let tell = |span: &Span<'_>| match span {
            Span::Words(text) => format!("({text})"),
            Span::Code(text) => format!("[{text}]"),
        };
        assert_eq!(spans(text).iter().map(tell).collect::<String>(), told);
    }

    #[test]
    fn backticks_part_code_from_words() {
        check("`${A}` has no value", "[${A}]( has no value)");
        check("write `a` or `b`", "(write )[a]( or )[b]");
        check("nothing", "(nothing)");
    }

    #[test]
    fn a_backtick_alone_is_a_word() {
        check("a ` b", "(a ` b)");
        check("", "");
    }
}
