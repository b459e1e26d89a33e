//! One finding: what and where, the line with a caret, why it matters, what to do.

use std::io::{self, Write};

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Element, Level, Origin, Renderer, Snippet};
use holdfast_model::Confidence;
use holdfast_policy::Severity;

use super::paint::wrap;
use super::{Paint, Tone};
use crate::prose::consequence;
use crate::{Report, Told};

/// How much is told of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    /// The first of its rule: also why it matters.
    First,
    /// With the line, and what to do.
    Quoted,
    /// What and where.
    Short,
}

/// A finding in its group.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) it: &'a Told<'a>,
    /// The title of the group.
    pub(super) group: &'a str,
    pub(super) length: Length,
}

/// Writes a finding.
pub(super) fn write_finding(
    report: &Report<'_>,
    entry: Entry<'_>,
    paint: Paint,
    out: &mut dyn Write,
) -> io::Result<()> {
    let Entry { it, group, length } = entry;
    let head = format!("{}[{}]: ", it.severity, it.rule);
    let object = it.object();
    let message = if object == group { it.message.to_string() } else { format!("{object}: {}", it.message) };
    let title = wrap(&message, paint.width().saturating_sub(head.len()), "", "").join("\n");
    let level = level(it.severity).with_name(it.severity.as_str());
    let mut elements: Vec<Element<'_>> = place(report, it, length).into_iter().collect();
    for (name, text) in notes(it, length) {
        let room = paint.width().saturating_sub(name.len() + 8);
        let text = wrap(&text, room, "", "").join("\n");
        elements.push(Level::NOTE.with_name(name).message(text).into());
    }
    let group = level.primary_title(&title).id(it.rule.id()).elements(elements);
    writeln!(out, "{}\n", renderer(paint).render(&[group]))
}

/// The line, or only where it is.
fn place<'a>(report: &Report<'_>, it: &'a Told<'a>, length: Length) -> Option<Element<'a>> {
    let place = it.place.as_ref()?;
    let origin = || Origin::path(&*place.file).line(place.line as usize).char_column(place.column as usize);
    Some(match report.quote(it).filter(|_| length != Length::Short) {
        Some(quote) => {
            let annotation = AnnotationKind::Primary.span(quote.span);
            let snippet = Snippet::source(quote.text).line_start(place.line as usize).path(&*place.file);
            snippet.annotation(annotation).into()
        }
        None => origin().into(),
    })
}

/// What is said below.
fn notes(it: &Told<'_>, length: Length) -> Vec<(&'static str, String)> {
    let mut notes = Vec::new();
    match it.confidence {
        Confidence::Declared => {}
        Confidence::Rendered => notes.push(("rendered", "from the chart with these values".to_owned())),
        Confidence::Inferred => notes.push(("inferred", "from the values, as charts usually read them".to_owned())),
    }
    match length {
        Length::Short => return Vec::new(),
        Length::First => notes.push(("why", consequence(it.rule.rule().prose))),
        Length::Quoted => {}
    }
    notes.push(("remedy", it.remedy.to_string()));
    notes.extend(it.patch.map(|patch| ("patch", patch.to_owned())));
    notes
}

const fn level(severity: Severity) -> Level<'static> {
    match severity {
        Severity::Critical | Severity::High => Level::ERROR,
        Severity::Medium => Level::WARNING,
        Severity::Low => Level::HELP,
        Severity::Info => Level::INFO,
    }
}

fn renderer(paint: Paint) -> Renderer {
    let renderer = if paint.has_colour() {
        Renderer::styled()
            .error(Tone::Critical.style())
            .warning(Tone::Medium.style())
            .help(Tone::Low.style())
            .info(Tone::Info.style())
            .note(Tone::Strong.style())
            .line_num(Tone::Dim.style())
    } else {
        Renderer::plain()
    };
    renderer.term_width(paint.width()).decor_style(DecorStyle::Unicode)
}
