//! The prose of a rule as text for a terminal, and the list of rules.

mod text;

use std::io::{self, Write};

use holdfast_policy::rules::Rule;
use holdfast_policy::{Domain, RuleId};

use crate::Look;
use crate::human::{Paint, Tone};
use text::Text;

/// Prose is hard to read in longer lines.
const WIDEST: usize = 100;

/// Explains a rule.
///
/// # Errors
/// When it can't be written.
pub fn explain_rule(rule: RuleId, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint::new(Look { width: look.width.min(WIDEST), ..look });
    let rule = rule.rule();
    let severity = paint.tone(Tone::of(rule.severity), rule.severity.as_str());
    writeln!(out, "{}  {severity}, {}\n", paint.tone(Tone::Strong, rule.id.id()), rule.domain)?;
    let prose = rule.prose.split_once('\n').map_or("", |(_, rest)| rest);
    Text::new(paint).write(prose, out)
}

/// Lists the rules of a domain, or of all of them, the worst first.
///
/// # Errors
/// When it can't be written.
pub fn list_rules(only: Option<Domain>, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint::new(look);
    let names = RuleId::ALL.iter().map(|rule| rule.id().len()).max().unwrap_or(0);
    for domain in Domain::ALL.into_iter().filter(|domain| only.is_none_or(|only| only == *domain)) {
        let rules = rules_of(domain);
        if rules.is_empty() {
            continue;
        }
        writeln!(out, "{}", paint.tone(Tone::Strong, domain.name()))?;
        for rule in rules {
            let severity = paint.tone(Tone::of(rule.severity), &format!("{:8}", rule.severity.as_str()));
            let head = format!("  {severity}  {:names$}  {}", rule.id.id(), rule.summary);
            for line in paint.wrap(&head, "", &" ".repeat(names + 14)) {
                writeln!(out, "{line}")?;
            }
        }
        writeln!(out)?;
    }
    let hint = "holdfast explain RULE tells why it matters, what happens otherwise, and the remedy.";
    writeln!(out, "{}", paint.tone(Tone::Dim, hint))
}

/// The rules of a domain, the worst first, then by name.
fn rules_of(domain: Domain) -> Vec<&'static Rule> {
    let mut rules: Vec<&Rule> = RuleId::ALL.iter().map(|id| id.rule()).filter(|rule| rule.domain == domain).collect();
    rules.sort_by_key(|rule| (std::cmp::Reverse(rule.severity), rule.id.id()));
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(look: Look, write: impl Fn(Look, &mut Vec<u8>) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(look, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_rule_is_explained() {
        let look = Look { colour: false, width: 80 };
        insta::assert_snapshot!(told(look, |look, out| explain_rule(RuleId::DrainBlocked, look, out)));
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_unless_it_is_code_or_an_address() {
        for rule in RuleId::ALL {
            let text = told(Look { colour: false, width: 60 }, |look, out| explain_rule(*rule, look, out));
            for line in text.lines().filter(|line| 60 < line.chars().count()) {
                assert!(line.starts_with("    ") || line.contains("://") || line.contains('`'), "{rule}: {line}");
            }
        }
    }

    #[test]
    fn without_colours_there_are_no_escapes() {
        let list = |colour| told(Look { colour, width: 80 }, |look, out| list_rules(None, look, out));
        assert!(!list(false).contains('\u{1b}') && list(false).contains("drain-blocked"));
        assert!(list(true).contains('\u{1b}'));
    }
}
