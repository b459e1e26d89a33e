//! What needs no mending: what is only worth knowing, and what an exception covers. Still told, but shortly.

use std::io::{self, Write};

use holdfast_policy::{RuleId, Severity};

use super::{Paint, Tone};
use crate::verdict::UNBROKEN;
use crate::{Report, Told};

/// Of a rule that says so few things each is told whole.
const MOST_SPELLED: usize = 2;
/// How many objects are listed of a rule.
const MOST_LISTED: usize = 8;

/// What is only worth knowing, by rule.
pub(super) fn write_worth_knowing(report: &Report<'_>, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let mut rules: Vec<(RuleId, Vec<&Told<'_>>)> = Vec::new();
    let infos = report.findings().iter().filter(|it| it.severity == Severity::Info && it.excepted.is_none());
    for it in infos {
        match rules.iter_mut().find(|(rule, _)| *rule == it.rule) {
            Some((_, list)) => list.push(it),
            None => rules.push((it.rule, vec![it])),
        }
    }
    if rules.is_empty() {
        return Ok(());
    }
    writeln!(out, "{}\n", paint.rule("Worth knowing"))?;
    for (rule, list) in rules {
        let many = if 1 < list.len() { format!(" ({})", list.len()) } else { String::new() };
        let head = format!("{}{many}: {}", paint.tone(Tone::Info, rule.id()), rule.rule().summary);
        paint.wrap(&head, "", "  ").iter().try_for_each(|line| writeln!(out, "{line}"))?;
        let dim = |line: &String| paint.tone(Tone::Dim, line);
        match list.len() {
            0..=MOST_SPELLED => spelled(&list, paint).iter().try_for_each(|line| writeln!(out, "{}", dim(line)))?,
            _ => named(rule, &list, paint).iter().try_for_each(|line| writeln!(out, "{}", dim(line)))?,
        }
        writeln!(out)?;
    }
    Ok(())
}

fn spelled(list: &[&Told<'_>], paint: Paint) -> Vec<String> {
    let whole = |it: &&Told<'_>| paint.wrap(&format!("{}: {}", it.object(), it.message), "  ", "    ");
    list.iter().flat_map(whole).collect()
}

fn named(rule: RuleId, list: &[&Told<'_>], paint: Paint) -> Vec<String> {
    let unbroken = |it: &&Told<'_>| it.object().replace(' ', &UNBROKEN.to_string());
    let mut names: Vec<String> = list.iter().take(MOST_LISTED).map(unbroken).collect();
    let more = list.len().saturating_sub(MOST_LISTED);
    if 0 < more {
        names.push(format!("and {more} more (--only {rule} lists them)"));
    }
    paint.wrap(&names.join(", "), "  ", "  ")
}

/// What an exception covers: still told, since somebody should know.
pub(super) fn write_excepted(report: &Report<'_>, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let mut excepted = report.findings().iter().filter_map(|it| it.excepted.as_ref().map(|by| (it, by))).peekable();
    if excepted.peek().is_none() {
        return Ok(());
    }
    writeln!(out, "{}\n", paint.rule("Excepted"))?;
    for (it, by) in excepted {
        let severity = paint.tone(Tone::of(it.severity), it.severity.as_str());
        let text = format!("{severity}[{}] {}: {}", it.rule, it.object(), it.message);
        let by = format!("by {by}");
        for line in paint.wrap(&text, "", "  ").into_iter().chain(paint.wrap(&by, "  ", "  ")) {
            writeln!(out, "{line}")?;
        }
    }
    writeln!(out)
}
