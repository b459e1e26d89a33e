//! One page for a browser, which loads nothing from anywhere.
//!
//! `templates/audit.html` is the page; askama compiles it in and escapes whatever is put into it. Only the prose of rules,
//! which is ours, goes in as HTML. Without scripts everything can be read; with them it can be filtered.

use std::borrow::Cow;
use std::io::{self, Write};

use askama::Template;
use holdfast_model::Confidence;
use holdfast_policy::{Domain, RuleId, Severity};

use crate::clean::clean;
use crate::outlook::outlook;
use crate::prose::{consequence, html};
use crate::score::Grade;
use crate::spans::{Span, spans};
use crate::verdict::{Verdict, inventory, judged_as, tally};
use crate::{DomainScore, Report, Standing, Told};

/// A browser shows no more at once with pleasure.
const MOST_FINDINGS: usize = 2000;
/// The circumference of the ring that shows the overall score, of radius 54.
const RING: f64 = 339.292;

/// Writes the page.
///
/// # Errors
/// When it can't be written.
pub fn write_html(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let page = Page::new(report).render().map_err(io::Error::other)?;
    out.write_all(page.as_bytes())
}

#[derive(Template)]
#[template(path = "audit.html")]
struct Page<'a> {
    name: &'a str,
    version: &'a str,
    verdict: String,
    /// `blocked`, `clear`, `accepted` or `unasked`.
    state: &'static str,
    outlook: Option<String>,
    tally: String,
    inventory: Vec<String>,
    judged_as: Option<String>,
    overall: Option<Overall>,
    blockers: Vec<&'a Told<'a>>,
    severities: Vec<Chip>,
    domains: Vec<Card>,
    groups: Vec<Group<'a>>,
    shown: usize,
    left_out: usize,
    rules: Vec<Prose>,
    unreachable: Vec<Cow<'a, str>>,
}

struct Overall {
    points: String,
    filled: String,
    grade: &'static str,
}

/// A severity that can be filtered by.
struct Chip {
    id: &'static str,
    count: usize,
}

/// A domain with its chart.
struct Card {
    id: &'static str,
    name: &'static str,
    points: Option<String>,
    grade: &'static str,
    state: &'static str,
    detail: String,
    bars: Vec<Bar>,
    count: usize,
}

/// A part of a chart, in percent of its width.
struct Bar {
    class: &'static str,
    from: String,
    width: String,
}

struct Group<'a> {
    title: String,
    findings: Vec<Row<'a>>,
}

/// A finding.
struct Row<'a> {
    told: &'a Told<'a>,
    object: String,
    place: Option<String>,
    /// What stands before what is meant, that itself, and what stands after.
    quote: Option<(String, String, String)>,
    line: u32,
    from: Option<&'static str>,
    what: Vec<Span<'a>>,
    remedy: Vec<Span<'a>>,
    why: Vec<Span<'static>>,
    excepted: Option<String>,
}

/// The prose of a rule.
struct Prose {
    rule: RuleId,
    summary: &'static str,
    html: String,
}

impl<'a> Page<'a> {
    fn new(report: &'a Report<'_>) -> Self {
        let verdict = Verdict::of(report);
        let all = report.findings();
        let shown = &all[..all.len().min(MOST_FINDINGS)];
        Self {
            name: &report.name,
            version: report.version,
            verdict: verdict.sentence(report),
            state: match verdict {
                Verdict::Blocked(_) => "blocked",
                Verdict::Clear => "clear",
                Verdict::Accepted => "accepted",
                Verdict::Unasked => "unasked",
            },
            outlook: outlook(report),
            tally: tally(report),
            inventory: inventory(report),
            judged_as: judged_as(report),
            overall: report.score.overall.map(|points| Overall {
                points: points.to_string(),
                filled: format!("{:.1} {RING:.1}", points.as_f64() / 100.0 * RING),
                grade: class(report.grade(points, None)),
            }),
            blockers: report.blockers().take(MOST_FINDINGS).collect(),
            severities: severities(shown),
            domains: report.score.domains.iter().map(|it| Card::new(it, report)).collect(),
            groups: groups(report, shown),
            shown: shown.len(),
            left_out: all.len() - shown.len(),
            rules: prose(shown),
            unreachable: report.inventory.unreachable.iter().map(|file| clean(file)).collect(),
        }
    }
}

fn severities(findings: &[Told<'_>]) -> Vec<Chip> {
    let chip = |severity: Severity| Chip {
        id: severity.as_str(),
        count: findings.iter().filter(|it| it.severity == severity).count(),
    };
    Severity::ALL.into_iter().map(chip).filter(|chip| 0 < chip.count).collect()
}

/// Findings under the Flux object in which a person mends them.
fn groups<'a>(report: &'a Report<'_>, findings: &'a [Told<'a>]) -> Vec<Group<'a>> {
    let grouped = crate::human::grouped(findings.iter());
    let rows = |list: Vec<&'a Told<'a>>| list.into_iter().map(|it| Row::new(report, it)).collect();
    grouped.into_iter().map(|(title, list)| Group { title, findings: rows(list) }).collect()
}

fn prose(findings: &[Told<'_>]) -> Vec<Prose> {
    let mut rules: Vec<RuleId> = findings.iter().map(|it| it.rule).collect();
    rules.sort_by_key(|rule| rule.id());
    rules.dedup();
    let prose = |id: RuleId| {
        let rule = id.rule();
        let text = rule.prose.split_once('\n').map_or("", |(_, rest)| rest);
        Prose { rule: id, summary: rule.summary, html: html(text) }
    };
    rules.into_iter().map(prose).collect()
}

impl Card {
    fn new(it: &DomainScore, report: &Report<'_>) -> Self {
        let findings = report.findings();
        let points = it.points();
        Self {
            id: it.domain.id(),
            name: it.domain.name(),
            points: points.map(|points| points.to_string()),
            grade: points.map_or("none", |points| class(report.grade(points, Some(it.domain)))),
            state: it.standing.as_str(),
            detail: match it.standing {
                Standing::Judged(_) => format!(
                    "weight {} of {} fails: {} passed, {} failed",
                    it.weight_failed, it.weight_applicable, it.passed, it.failed
                ),
                Standing::NotYetJudged => "not yet judged".to_owned(),
                Standing::NotApplicable => "nothing to judge".to_owned(),
            },
            bars: bars(it, findings),
            count: findings.iter().filter(|finding| finding.domain == it.domain).count(),
        }
    }
}

/// What fails, by severity: as wide as its share of the findings that count, within the share of the weight that fails.
fn bars(it: &DomainScore, findings: &[Told<'_>]) -> Vec<Bar> {
    let of = |severity: Severity| {
        let domain: Domain = it.domain;
        findings.iter().filter(|it| it.domain == domain && it.severity == severity && it.counts()).count()
    };
    let counts: Vec<(Severity, usize)> = Severity::ALL.into_iter().map(|severity| (severity, of(severity))).collect();
    let weights: Vec<(Severity, usize)> =
        counts.into_iter().map(|(severity, count)| (severity, count * crate::score::weight(severity))).collect();
    let all: usize = weights.iter().map(|(_, weight)| weight).sum();
    let failing = 100.0 * it.weight_failed as f64 / it.weight_applicable.max(1) as f64;
    let mut from = 0.0;
    let mut bars = Vec::new();
    for (severity, weight) in weights.into_iter().filter(|(_, weight)| 0 < *weight) {
        let width = failing * weight as f64 / all as f64;
        bars.push(Bar { class: severity.as_str(), from: format!("{from:.2}"), width: format!("{width:.2}") });
        from += width;
    }
    bars
}

const fn class(grade: Grade) -> &'static str {
    match grade {
        Grade::Bad => "bad",
        Grade::Fair => "fair",
        Grade::Good => "good",
    }
}

impl<'a> Row<'a> {
    fn new(report: &Report<'_>, told: &'a Told<'a>) -> Self {
        let split = |quote: crate::quote::Quote| {
            let (before, rest) = quote.text.split_at(quote.span.start);
            let (meant, after) = rest.split_at(quote.span.len());
            (before.to_owned(), meant.to_owned(), after.to_owned())
        };
        Self {
            told,
            object: told.object(),
            place: told.place.as_ref().map(|place| format!("{}:{}", place.file, place.line)),
            quote: report.quote(told).map(split),
            line: told.place.as_ref().map_or(0, |place| place.line),
            from: match told.confidence {
                Confidence::Declared => None,
                Confidence::Rendered => Some("from the chart with these values"),
                Confidence::Inferred => Some("from the values, as charts usually read them"),
            },
            what: spans(&told.message),
            remedy: spans(&told.remedy),
            why: spans(&consequence(told.rule.rule().prose)).into_iter().map(Span::into_owned).collect(),
            excepted: told.excepted.as_ref().map(ToString::to_string),
        }
    }
}
