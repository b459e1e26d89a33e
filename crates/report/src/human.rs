//! For people, on a terminal.
//!
//! First the answer to "what blocks my next drain?", then the findings under the Flux object in which a person mends them,
//! then the score. The first findings of a rule are told in full; further ones of a middling severity only with their
//! place, since the twentieth quote of the same mistake is noise.

mod aside;
mod finding;
mod paint;
mod summary;

use std::collections::HashMap;
use std::io::{self, Write};

use holdfast_policy::{RuleId, Severity};

use crate::outlook::{doubts, outlook};
use crate::verdict::{Verdict, inventory};
use crate::{Look, Report, Told};
use aside::{write_excepted, write_worth_knowing};
use finding::{Entry, Length, write_finding};
pub(crate) use paint::{Paint, Tone, wrap};
use summary::write_summary;

/// How many blockers the first screen lists.
const MOST_BLOCKERS: usize = 12;
/// How many of those it lists that may block.
const MOST_DOUBTS: usize = 3;
/// How many findings of a rule are quoted, unless they are grave.
const MOST_QUOTED: usize = 3;

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
        Verdict::Accepted => ("–", Tone::Medium),
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
    write_outlook(report, paint, out)?;
    writeln!(out)
}

/// How a drain of every node goes, and of whom it can't be told whether they stay.
fn write_outlook(report: &Report<'_>, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let Some(sentence) = outlook(report) else { return Ok(()) };
    writeln!(out)?;
    for line in paint.wrap(&format!("{sentence}."), "", "") {
        writeln!(out, "{line}")?;
    }
    for doubt in doubts(report).take(MOST_DOUBTS) {
        paint.wrap(&doubt, "  ", "      ").iter().try_for_each(|line| writeln!(out, "{line}"))?;
    }
    let more = doubts(report).count().saturating_sub(MOST_DOUBTS);
    if 0 < more {
        writeln!(out, "  {}", paint.tone(Tone::Dim, &format!("and {more} more that may")))?;
    }
    Ok(())
}

fn write_blocker(it: &Told<'_>, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
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
    let wanted = |it: &&Told<'_>| it.excepted.is_none() && (detail == Detail::Full || it.counts());
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
pub(crate) fn grouped<'t, 'a>(findings: impl Iterator<Item = &'t Told<'a>>) -> Vec<(String, Vec<&'t Told<'a>>)>
where
    'a: 't,
{
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut groups: Vec<(String, Vec<&Told<'_>>)> = Vec::new();
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
fn group(it: &Told<'_>) -> String {
    match (&*it.kind, &it.owner) {
        ("HelmRelease" | "Kustomization", _) | (_, None) => it.object(),
        (_, Some(owner)) => owner.to_string(),
    }
}
