//! For programs: a list with an entry for each object, and in it one for each place that has to change.

use std::io::{self, Write};

use holdfast_pod_security::{Check, Level, Version};
use serde::Serialize;

use super::{JudgedObject, PodSecurity};

/// Writes it for programs.
///
/// # Errors
/// When it can't be written.
pub fn write_pod_security_json(told: &PodSecurity<'_>, out: &mut dyn Write) -> io::Result<()> {
    let entries: Vec<Entry<'_>> = told.objects.iter().map(|object| Entry::new(object, told.version)).collect();
    serde_json::to_writer_pretty(&mut *out, &entries)?;
    writeln!(out)
}

#[derive(Serialize)]
struct Entry<'a> {
    file: &'a str,
    kind: &'a str,
    namespace: Option<&'a str>,
    name: &'a str,
    level: Level,
    version: Version,
    allowed: bool,
    violations: Vec<Place<'a>>,
}

#[derive(Serialize)]
struct Place<'a> {
    check: Check,
    message: String,
    path: String,
    /// Null where nothing is written.
    value: Option<&'a serde_json::Value>,
    fix: String,
}

impl<'a> Entry<'a> {
    fn new(object: &'a JudgedObject, version: Version) -> Self {
        Self {
            file: &object.file,
            kind: object.kind,
            namespace: object.namespace.as_deref(),
            name: &object.name,
            level: object.level,
            version,
            allowed: object.allowed,
            violations: places(object).collect(),
        }
    }
}

fn places(object: &JudgedObject) -> impl Iterator<Item = Place<'_>> {
    object.violations.iter().flat_map(move |located| {
        let violation = &located.violation;
        violation.offences.iter().zip(&located.written).map(move |(offence, written)| Place {
            check: violation.check,
            message: violation.to_string(),
            path: format!("{}{}", object.pod_at, offence.path),
            value: written.value.as_ref(),
            fix: object.change(&offence.fix),
        })
    })
}
