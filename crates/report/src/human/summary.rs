//! The last screen: the score of each domain with both its numbers, and how many findings there are.

use std::io::{self, Write};

use holdfast_policy::Domain;

use super::{Paint, Tone};
use crate::score::Grade;
use crate::verdict::{Verdict, judged_as, tally};
use crate::{DomainScore, Points, Report, Standing};

const BAR: usize = 20;

/// Writes the summary.
pub(super) fn write_summary(report: &Report<'_>, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}\n", paint.rule("Score"))?;
    for it in &report.score.domains {
        write_domain(report, it, paint, out)?;
    }
    let name = column("Overall");
    match report.score.overall {
        Some(points) => {
            writeln!(out, "{}  {}", paint.tone(Tone::Strong, &name), bar(points, report.grade(points, None), paint))?
        }
        None => writeln!(out, "{}  {}", paint.tone(Tone::Strong, &name), paint.tone(Tone::Dim, "nothing is judged"))?,
    }
    writeln!(out)?;
    for line in judged_as(report).iter().flat_map(|text| paint.wrap(&format!("{text}."), "", "")) {
        writeln!(out, "{}", paint.tone(Tone::Dim, &line))?;
    }
    let verdict = Verdict::of(report);
    let tone = match verdict {
        Verdict::Blocked(_) => Tone::Critical,
        Verdict::Clear => Tone::Good,
        Verdict::Accepted => Tone::Medium,
        Verdict::Unasked => Tone::Dim,
    };
    let text = format!("{}. {}.", paint.tone(tone, &verdict.sentence(report)), tally(report));
    for line in paint.wrap(&text, "", "") {
        writeln!(out, "{line}")?;
    }
    if let Some(worst) = report.findings().iter().find(|it| it.counts()) {
        let text = format!("More about a rule: holdfast explain {}", worst.rule);
        writeln!(out, "{}", paint.tone(Tone::Dim, &text))?;
    }
    Ok(())
}

fn write_domain(report: &Report<'_>, it: &DomainScore, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let name = column(it.domain.name());
    match it.standing {
        Standing::Judged(points) => {
            let detail = format!("weight {} of {} fails", it.weight_failed, it.weight_applicable);
            let counts = format!("{} passed, {} failed", it.passed, it.failed);
            let bar = bar(points, report.grade(points, Some(it.domain)), paint);
            writeln!(out, "{name}  {bar}  {}", detail_of(&counts, &detail, paint))
        }
        Standing::NotYetJudged => writeln!(out, "{name}  {}", paint.tone(Tone::Dim, "not yet judged")),
        Standing::NotApplicable => writeln!(out, "{name}  {}", paint.tone(Tone::Dim, "nothing to judge")),
    }
}

/// As wide as the longest name of a domain.
fn column(name: &str) -> String {
    let widest = Domain::ALL.iter().map(|domain| domain.name().len()).max().unwrap_or(0);
    format!("{name:widest$}")
}

/// Both numbers when there is room, else the weights alone.
fn detail_of(counts: &str, detail: &str, paint: Paint) -> String {
    let used = column("").len() + 2 + BAR + 8;
    let both = format!("{detail}; {counts}");
    let text = if used + both.len() <= paint.width() { both.as_str() } else { detail };
    if used + text.len() <= paint.width() { paint.tone(Tone::Dim, text) } else { String::new() }
}

/// A bar and the number.
fn bar(points: Points, grade: Grade, paint: Paint) -> String {
    let filled = (points.as_f64() / 100.0 * BAR as f64).floor() as usize;
    let tone = match grade {
        Grade::Bad => Tone::Critical,
        Grade::Fair => Tone::Medium,
        Grade::Good => Tone::Good,
    };
    let (full, empty) = ("█".repeat(filled), "░".repeat(BAR - filled.min(BAR)));
    format!("{}{} {points:>5}", paint.tone(tone, &full), paint.tone(Tone::Dim, &empty))
}
