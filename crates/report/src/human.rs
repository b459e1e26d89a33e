//! For people, on a terminal.
//!
//! First the answer to "what blocks my next drain?", then the findings under the Flux object in which a person mends them,
//! then the score. The first findings of a rule are told in full; further ones of a middling severity only with their
//! place, since the twentieth quote of the same mistake is noise.

mod finding;
mod paint;
mod summary;

use std::collections::HashMap;
use std::io::{self, Write};

use holdfast_policy::{RuleId, Severity};

use crate::verdict::{UNBROKEN, Verdict, inventory};
use crate::{Look, Report, Told};
use finding::{Entry, Length, write_finding};
pub(crate) use paint::{Paint, Tone};
use summary::write_summary;

/// How many blockers the first screen lists.
const MOST_BLOCKERS: usize = 12;
/// How many findings of a rule are quoted, unless they are grave.
const MOST_QUOTED: usize = 3;
/// How many objects are listed of a rule that is only worth knowing.
const MOST_LISTED: usize = 8;

/// How much is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// One line for each finding that wants mending.
    Quiet,
    /// What a person wants to read.
    Usual,
    /// Every finding in full.
    Full,
}

/// Writes it for a person.
///
/// # Errors
/// When it can't be written.
pub fn write_human(report: &Report<'_>, look: Look, detail: Detail, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint::new(look);
    if detail == Detail::Quiet {
        return write_lines(report, paint, out);
    }
    write_head(report, paint, out)?;
    write_groups(report, paint, detail, out)?;
    if detail == Detail::Usual {
        write_worth_knowing(report, paint, out)?;
    }
    write_excepted(report, paint, out)?;
    write_summary(report, paint, out)
}

/// One line a finding, as other programs expect it.
fn write_lines(report: &Report<'_>, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    for it in report.findings().iter().filter(|it| it.counts()) {
        let place = it.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
        let severity = paint.tone(Tone::of(it.severity), it.severity.as_str());
        writeln!(out, "{place}{severity}[{}] {}: {}", it.rule, it.object(), it.message)?;
    }
    Ok(())
}

/// The first screen.
fn write_head(report: &Report<'_>, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out)?;
    let words = inventory(report).join(" · ");
    for line in paint.wrap(&format!("{} · {words}", paint.tone(Tone::Strong, &report.name)), "", "") {
        writeln!(out, "{line}")?;
    }
    writeln!(out)?;
    let verdict = Verdict::of(report);
    let (sign, tone) = match verdict {
        Verdict::Blocked(_) => ("✖", Tone::Critical),
        Verdict::Clear => ("✔", Tone::Good),
        Verdict::Unasked => ("–", Tone::Dim),
    };
    writeln!(out, "{} {}", paint.tone(tone, sign), paint.tone(tone, &verdict.sentence(report)))?;
    for it in report.blockers().take(MOST_BLOCKERS) {
        write_blocker(it, paint, out)?;
    }
    let more = report.blockers().count().saturating_sub(MOST_BLOCKERS);
    if 0 < more {
        writeln!(out, "  {}", paint.tone(Tone::Dim, &format!("and {more} more, below")))?;
    }
    writeln!(out)
}

fn write_blocker(it: &Told, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let text = format!("{}: {}", paint.tone(Tone::Strong, &it.object()), it.message);
    for line in paint.wrap(&text, "  ", "      ") {
        writeln!(out, "{line}")?;
    }
    if let Some(place) = &it.place {
        writeln!(out, "      {}", paint.tone(Tone::Place, &place.to_string()))?;
    }
    Ok(())
}

/// Findings under the Flux object in which they are mended.
fn write_groups(report: &Report<'_>, paint: Paint, detail: Detail, out: &mut dyn Write) -> io::Result<()> {
    let wanted = |it: &&Told| it.excepted.is_none() && (detail == Detail::Full || it.counts());
    let mut told: HashMap<RuleId, usize> = HashMap::new();
    for (title, findings) in grouped(report.findings().iter().filter(wanted)) {
        writeln!(out, "{}\n", paint.rule(&title))?;
        for it in findings {
            let before = told.entry(it.rule).or_default();
            let grave = Severity::High <= it.severity || detail == Detail::Full;
            let length = match *before {
                0 => Length::First,
                many if grave || many < MOST_QUOTED => Length::Quoted,
                _ => Length::Short,
            };
            *before += 1;
            write_finding(report, Entry { it, group: &title, length }, paint, out)?;
        }
    }
    Ok(())
}

/// Findings by where a person mends them, in the order of the worst of each.
pub(crate) fn grouped<'a>(findings: impl Iterator<Item = &'a Told>) -> Vec<(String, Vec<&'a Told>)> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut groups: Vec<(String, Vec<&Told>)> = Vec::new();
    for it in findings {
        let title = group(it);
        let at = *places.entry(title.clone()).or_insert(groups.len());
        match groups.get_mut(at) {
            Some((_, list)) => list.push(it),
            None => groups.push((title, vec![it])),
        }
    }
    groups
}

/// Where a person mends it: a HelmRelease or Kustomization itself, else the one that makes the object, else the object.
fn group(it: &Told) -> String {
    match (it.kind.as_str(), &it.owner) {
        ("HelmRelease" | "Kustomization", _) | (_, None) => it.object(),
        (_, Some(owner)) => owner.to_string(),
    }
}

/// What is only worth knowing, by rule.
fn write_worth_knowing(report: &Report<'_>, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let mut rules: Vec<(RuleId, Vec<&Told>)> = Vec::new();
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
        for line in paint.wrap(&head, "", "  ") {
            writeln!(out, "{line}")?;
        }
        let unbroken = |it: &&Told| it.object().replace(' ', &UNBROKEN.to_string());
        let mut names: Vec<String> = list.iter().take(MOST_LISTED).map(unbroken).collect();
        let more = list.len().saturating_sub(MOST_LISTED);
        if 0 < more {
            names.push(format!("and {more} more (--only {rule} lists them)"));
        }
        for line in paint.wrap(&names.join(", "), "  ", "  ") {
            writeln!(out, "{}", paint.tone(Tone::Dim, &line))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// What an exception covers: still told, since somebody should know.
fn write_excepted(report: &Report<'_>, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
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
