//! The prose of rules: its sections, and its Markdown as text for a terminal or as HTML.
//!
//! The prose is ours and compiled in, so nothing here is hostile. A test of the policies holds that each has its sections.

use pulldown_cmark::{Event, Parser, Tag, TagEnd};

/// The text under a heading of the second level.
pub(crate) fn section<'a>(prose: &'a str, heading: &str) -> &'a str {
    let mut sections = prose.split("\n## ").skip(1);
    let found = sections.find_map(|section| section.strip_prefix(heading)?.strip_prefix('\n'));
    found.unwrap_or_default().trim()
}

/// A sentence that is shorter says too little alone: "While all is well, nothing".
const TELLING: usize = 70;

/// What happens if nothing is done, in a sentence or two without Markdown and without the last full stop.
pub(crate) fn consequence(prose: &str) -> String {
    let text = first_paragraph(section(prose, "What happens otherwise"));
    let mut ends = text.match_indices(". ").map(|(at, _)| at);
    let end = ends.find(|at| TELLING <= *at && is_end(&text[at + 2..]));
    text[..end.unwrap_or(text.len())].trim_end_matches('.').to_owned()
}

/// A sentence begins with a capital, or with code.
fn is_end(rest: &str) -> bool {
    rest.starts_with(|c: char| c.is_uppercase() || c == '`')
}

#[expect(clippy::wildcard_enum_match_arm, reason = "Markdown has more than our prose uses")]
fn first_paragraph(markdown: &str) -> String {
    let mut text = String::new();
    for event in Parser::new(markdown) {
        match event {
            Event::Text(part) => text.push_str(&part),
            Event::Code(part) => text.extend(["`", &part, "`"]),
            Event::SoftBreak | Event::HardBreak => text.push(' '),
            Event::End(TagEnd::Paragraph) => break,
            _ => {}
        }
    }
    text
}

/// As HTML.
#[expect(clippy::wildcard_enum_match_arm, reason = "Markdown has more than our prose uses")]
pub(crate) fn html(markdown: &str) -> String {
    let mut html = String::new();
    // The page has headings of its own, and the rule's title stands in one already.
    let inner = Parser::new(markdown).map(|event| match event {
        Event::Start(Tag::Heading { id, classes, attrs, .. }) => {
            Event::Start(Tag::Heading { level: pulldown_cmark::HeadingLevel::H4, id, classes, attrs })
        }
        Event::End(TagEnd::Heading(_)) => Event::End(TagEnd::Heading(pulldown_cmark::HeadingLevel::H4)),
        other => other,
    });
    pulldown_cmark::html::push_html(&mut html, inner);
    html
}

#[cfg(test)]
mod tests {
    use holdfast_policy::RuleId;

    use super::*;

    #[test]
    fn every_rule_says_in_a_sentence_what_happens_otherwise() {
        for rule in RuleId::ALL {
            let sentence = consequence(rule.rule().prose);
            assert!((10..=400).contains(&sentence.len()), "{rule}: {sentence:?}");
            assert!(!sentence.ends_with('.') && !sentence.contains('\n'), "{rule}: {sentence:?}");
        }
    }

    #[test]
    fn a_sentence_ends_where_the_next_one_begins() {
        let told =
            |text: &str| consequence(&format!("# r\n\n## What happens otherwise\n\n{text}\n\n## Remedy\n\nX. Y.\n"));
        let long = "and this goes on for as long as it takes to say something";
        assert_eq!(told(&format!("V1. 2 is `a. b`\nlate {long}. Then more.")), format!("V1. 2 is `a. b` late {long}"));
        assert_eq!(told(&format!("Nothing. Until {long}. Then more.")), format!("Nothing. Until {long}"));
        assert_eq!(told("It is [told](https://example.org)."), "It is told");
    }
}
