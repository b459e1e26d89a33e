//! Markdown, for a comment on a pull request.
//!
//! Bounded: GitHub takes 65,536 characters. Words from files are escaped, and neither mention people nor link to issues.

use std::fmt::Write as _;
use std::io::{self, Write};

use holdfast_policy::Severity;

use crate::outlook::outlook;
use crate::spans::{Span, spans};
use crate::verdict::{Verdict, count, inventory, judged_as, tally};
use crate::{DomainScore, Report, Standing, Told};

/// Less than GitHub takes, with room for the end.
const LONGEST: usize = 60_000;

/// Writes it for a comment.
///
/// # Errors
/// When it can't be written.
pub fn write_markdown(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut text = head(report);
    let counting: Vec<&Told<'_>> = report.findings().iter().filter(|it| it.counts()).collect();
    if !counting.is_empty() {
        text.push_str("| Severity | Finding | Where |\n|---|---|---|\n");
    }
    let scores = scores(report);
    let mut left = counting.len();
    for it in &counting {
        let row = row(it);
        if LONGEST < text.len() + row.len() + scores.len() {
            break;
        }
        text.push_str(&row);
        left -= 1;
    }
    if 0 < left {
        text.push_str(&format!("\n{} more: `holdfast audit` tells all of them.\n", left));
    }
    let infos = report.findings().iter().filter(|it| it.severity == Severity::Info && it.excepted.is_none()).count();
    if 0 < infos {
        text.push_str(&format!("\n{} worth knowing, not listed here.\n", count(infos, "thing")));
    }
    text.push_str(&scores);
    out.write_all(text.as_bytes())
}

fn head(report: &Report<'_>) -> String {
    let verdict = Verdict::of(report);
    let sign = match verdict {
        Verdict::Blocked(_) => "❌",
        Verdict::Clear => "✅",
        Verdict::Accepted | Verdict::Unasked => "➖",
    };
    let overall = report.score.overall.map(|points| format!(" Score **{points}** of 100.")).unwrap_or_default();
    let verdict = verdict.sentence(report);
    let read = inventory(report).join(" · ");
    let told = outlook(report).map(|sentence| format!("{sentence}.\n\n")).unwrap_or_default();
    let name = escape(&report.name);
    format!("### {sign} {verdict}\n\n{told}{}.{overall} {name}: {read}.\n\n", capital(&tally(report)))
}

fn row(it: &Told<'_>) -> String {
    let place = it.place.as_ref().map(|place| code(&format!("{}:{}", place.file, place.line))).unwrap_or_default();
    let owner = it.owner.as_ref().map(|owner| format!("<br>{}", escape(&owner.to_string()))).unwrap_or_default();
    format!(
        "| **{}** {} | {}: {}.<br>→ {}. | {place}{owner} |\n",
        it.severity,
        code(it.rule.id()),
        escape(&it.object()),
        sentence(&it.message),
        sentence(&it.remedy)
    )
}

fn scores(report: &Report<'_>) -> String {
    let mut text = "\n<details><summary>Score per domain</summary>\n\n\
                    | Domain | Score | Weight failing / applicable | Passed | Failed |\n|---|--:|--:|--:|--:|\n"
        .to_owned();
    for it in &report.score.domains {
        let row = score_row(it);
        text.push_str(&row);
    }
    if let Some(judged) = judged_as(report) {
        text.push_str(&format!("\n{judged}.\n"));
    }
    text.push_str("\n</details>\n");
    text
}

fn score_row(it: &DomainScore) -> String {
    let name = it.domain.name();
    match it.standing {
        Standing::Judged(points) => {
            format!(
                "| {name} | {points} | {} / {} | {} | {} |\n",
                it.weight_failed, it.weight_applicable, it.passed, it.failed
            )
        }
        Standing::NotYetJudged => format!("| {name} | not yet judged | | | |\n"),
        Standing::NotApplicable => format!("| {name} | nothing to judge | | | |\n"),
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// A sentence, in which what stands in backticks stays code.
fn sentence(text: &str) -> String {
    let told = |span: Span<'_>| match span {
        Span::Words(text) => escape(&text),
        Span::Code(text) => code(&text),
    };
    spans(text).into_iter().map(told).collect()
}

/// As plain words: nothing in it is markup, a mention or a reference.
fn escape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            // A space without width keeps GitHub from notifying people and from linking issues.
            '@' | '#' => {
                let _ = write!(plain, "{c}&#8203;");
            }
            '<' => plain.push_str("&lt;"),
            '>' => plain.push_str("&gt;"),
            '&' => plain.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '+' | '!' | '|' | '~' => {
                plain.push('\\');
                plain.push(c);
            }
            _ => plain.push(c),
        }
    }
    // An address in plain text becomes a link.
    plain.replace("://", ":&#8203;//").replace("www.", "www&#8203;.")
}

/// As code, also in a table.
fn code(text: &str) -> String {
    format!("`{}`", text.replace('`', "'").replace('|', "\\|"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(given: &str, told: &str) {
        assert_eq!(escape(given), told);
    }

    #[test]
    fn nothing_from_a_file_is_markup() {
        check("<img src=x>", "&lt;img src=x&gt;");
        check("a|b **c** [d](e)", "a\\|b \\*\\*c\\*\\* \\[d\\]\\(e\\)");
        check("https://evil.example", "https:&#8203;//evil.example");
    }

    #[test]
    fn nobody_is_mentioned() {
        check("@octocat fixes #1", "@&#8203;octocat fixes #&#8203;1");
    }

    #[test]
    fn code_stays_in_its_cell() {
        assert_eq!(code("a|b`c"), "`a\\|b'c`");
        assert_eq!(sentence("`${A_B}` is *not* set"), "`${A_B}` is \\*not\\* set");
    }
}
