//! For people, on a terminal: the answer in a line, a line for each object, then what is forbidden, where and what to do.

use std::io::{self, Write};

use holdfast_pod_security::{Level, Offence, Version};

use super::{JudgedObject, LocatedViolation, PodSecurity, Written};
use crate::Look;
use crate::clean::clean;
use crate::human::{Detail, Paint, Tone};

/// Longer values are said to be there, not shown.
const LONGEST_VALUE: usize = 60;

/// Writes it for a person. [`Detail::Full`] shows no more than [`Detail::Usual`]: that is everything.
///
/// # Errors
/// When it can't be written.
pub fn write_pod_security_human(
    told: &PodSecurity<'_>,
    look: Look,
    detail: Detail,
    out: &mut dyn Write,
) -> io::Result<()> {
    let paint = Paint::new(look);
    match detail {
        Detail::Quiet => told.objects.iter().try_for_each(|object| write_lines(object, paint, out)),
        Detail::Usual | Detail::Full => write_all(told, paint, out),
    }
}

/// One line for each place, as other programs expect it.
fn write_lines(object: &JudgedObject, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let level = paint.tone(tone(object), object.forbidding().name());
    for (located, offence, written) in places(object) {
        let violation = &located.violation;
        writeln!(
            out,
            "{}: {level}[{}] {}: {}; {}",
            place(object, written),
            violation.check,
            clean(&object.title()),
            clean(&violation.to_string()),
            clean(&object.change(&offence.fix)),
        )?;
    }
    Ok(())
}

fn write_all(told: &PodSecurity<'_>, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out)?;
    write_answer(told, paint, out)?;
    writeln!(out)?;
    write_table(told, paint, out)?;
    told.objects.iter().filter(|object| !object.violations.is_empty()).try_for_each(|it| write_object(it, paint, out))
}

fn write_answer(told: &PodSecurity<'_>, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let all = told.objects.len();
    let version = version(told.version);
    let refused = told.objects.iter().filter(|object| !object.allowed).count();
    let (sign, tone, text) = match (told.asked, refused) {
        (None, _) => {
            let objects = if all == 1 { "object" } else { "objects" };
            ("–", Tone::Dim, format!("{all} {objects} with pods, judged by the standards of {version}."))
        }
        (Some(level), 0) if all == 1 => ("✔", Tone::Good, format!("The object is allowed by {level} of {version}.")),
        (Some(level), 0) => ("✔", Tone::Good, format!("All {all} objects are allowed by {level} of {version}.")),
        (Some(level), _) if all == 1 => {
            ("✖", Tone::Critical, format!("The object is not allowed by {level} of {version}."))
        }
        (Some(level), _) => {
            let are = if refused == 1 { "is" } else { "are" };
            ("✖", Tone::Critical, format!("{refused} of {all} objects {are} not allowed by {level} of {version}."))
        }
    };
    for line in paint.wrap(&text, "", "  ").iter().enumerate().map(|(at, line)| {
        let line = paint.tone(tone, line);
        if at == 0 { format!("{} {line}", paint.tone(tone, sign)) } else { line }
    }) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// `latest` is that of a server; without one it is what is known here.
fn version(asked: Version) -> String {
    let newest = Version::NEWEST_KNOWN;
    match asked {
        Version::Latest => format!("{newest}, the newest that is known"),
        _ if newest < asked => format!("{asked}, judged as {newest}, the newest that is known"),
        Version::Minor(_) => asked.to_string(),
    }
}

fn write_table(told: &PodSecurity<'_>, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let titles: Vec<String> = told.objects.iter().map(|object| clean(&object.title()).into_owned()).collect();
    let columns = |text: &str| textwrap::core::display_width(text);
    let width = titles.iter().map(|title| columns(title)).max().unwrap_or_default().max("OBJECT".len());
    let verdict = if told.asked.is_some() { "VERDICT" } else { "STRICTEST" };
    writeln!(out, "{}", paint.tone(Tone::Dim, &format!("  {:width$}  {verdict:10}  PLACE", "OBJECT")))?;
    for (object, title) in told.objects.iter().zip(&titles) {
        let pad = " ".repeat(width.saturating_sub(columns(title)));
        let word = match (told.asked, object.allowed) {
            (None, _) => object.level.name(),
            (Some(_), true) => "allowed",
            (Some(_), false) => "refused",
        };
        let word = paint.tone(tone(object), &format!("{word:10}"));
        writeln!(out, "  {title}{pad}  {word}  {}:{}", clean(&object.file), object.line)?;
    }
    Ok(())
}

fn tone(object: &JudgedObject) -> Tone {
    match (object.allowed, object.level) {
        (false, _) | (true, Level::Privileged) => Tone::Critical,
        (true, Level::Baseline) => Tone::Medium,
        (true, Level::Restricted) => Tone::Good,
    }
}

fn write_object(object: &JudgedObject, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n{}", paint.rule(&format!("{}: {} forbids", clean(&object.title()), object.forbidding())))?;
    object.violations.iter().try_for_each(|located| write_violation(object, located, paint, out))
}

fn write_violation(
    object: &JudgedObject,
    located: &LocatedViolation,
    paint: Paint,
    out: &mut dyn Write,
) -> io::Result<()> {
    let violation = &located.violation;
    writeln!(out)?;
    let mut indented = |first: &str, other: &str, text: &str| -> io::Result<()> {
        paint.wrap(text, first, other).iter().try_for_each(|line| writeln!(out, "{line}"))
    };
    let reason = paint.tone(Tone::Strong, violation.reason);
    indented("  ", "      ", &format!("{reason} ({})", clean(&violation.detail)))?;
    for (offence, written) in violation.offences.iter().zip(&located.written) {
        let place = paint.tone(Tone::Place, &place(object, written));
        let path = format!("{}{}", object.pod_at, offence.path);
        indented("    ", "      ", &format!("{place} {}{}", clean(&path), value(written)))?;
        let change = object.change(&offence.fix);
        indented("      ", "        ", &format!("{} {}", paint.tone(Tone::Good, "→"), clean(&change)))?;
    }
    let caution = format!("mind: {}", violation.check.caution());
    paint.wrap(&caution, "    ", "      ").iter().try_for_each(|line| writeln!(out, "{}", paint.tone(Tone::Dim, line)))
}

/// `web.yaml:14:9`
fn place(object: &JudgedObject, written: &Written) -> String {
    format!("{}:{}:{}", clean(&object.file), written.line, written.column)
}

fn value(written: &Written) -> String {
    match written.value.as_ref().map(ToString::to_string) {
        None => " is not set".to_owned(),
        Some(json) if json.chars().count() <= LONGEST_VALUE => format!(": {}", clean(&json)),
        Some(_) => " is set".to_owned(),
    }
}

fn places(object: &JudgedObject) -> impl Iterator<Item = (&LocatedViolation, &Offence, &Written)> {
    object.violations.iter().flat_map(|located| {
        let written = located.violation.offences.iter().zip(&located.written);
        written.map(move |(offence, written)| (located, offence, written))
    })
}
