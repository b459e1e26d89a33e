//! SARIF 2.1.0, for code scanning.
//!
//! Written for GitHub's reading of it: every result has a place (what has none is shown at the readme), rules carry their
//! prose as help, and what is excepted is suppressed. `partialFingerprints` has our own key only: GitHub's upload adds its
//! own from the text of the line, and warns about each result when somebody else has set that.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};

use holdfast_policy::{Domain, RuleId, Severity};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use crate::fingerprint::SCHEME;
use crate::prose::{consequence, section};
use crate::{Exempt, Report, Told};

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
const SITE: &str = "https://github.com/holdfast-dev/holdfast";
/// Where a finding is shown that has no place: a file that most checkouts have.
const NOWHERE: &str = "README.md";
const ROOT: &str = "%SRCROOT%";
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_').remove(b'~');

/// Writes it for code scanning. `prefix` is the path of what was read within the repository, empty when it is all of it.
///
/// # Errors
/// When it can't be written.
pub fn write_sarif(report: &Report<'_>, prefix: &str, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &Log::new(report, prefix))?;
    writeln!(out)
}

#[derive(Serialize)]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'a str,
    version: &'a str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Tool<'a>,
    column_kind: &'a str,
    original_uri_base_ids: BTreeMap<&'a str, Base<'a>>,
    results: Vec<ResultOf<'a>>,
}

#[derive(Serialize)]
struct Base<'a> {
    description: Message<'a>,
}

#[derive(Serialize)]
struct Tool<'a> {
    driver: Driver<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver<'a> {
    name: &'a str,
    version: &'a str,
    semantic_version: &'a str,
    information_uri: &'a str,
    rules: Vec<Descriptor<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor<'a> {
    id: &'a str,
    name: &'a str,
    short_description: Message<'a>,
    full_description: Message<'a>,
    help_uri: String,
    help: Help<'a>,
    default_configuration: Configuration<'a>,
    properties: Properties<'a>,
}

#[derive(Serialize)]
struct Configuration<'a> {
    level: &'a str,
}

#[derive(Serialize)]
struct Properties<'a> {
    tags: Vec<&'a str>,
    precision: &'a str,
    #[serde(rename = "problem.severity")]
    problem_severity: &'a str,
    /// With it GitHub shows critical, high, medium and low; only for what is about security.
    #[serde(rename = "security-severity", skip_serializing_if = "Option::is_none")]
    security_severity: Option<&'a str>,
}

#[derive(Serialize)]
struct Help<'a> {
    text: Cow<'a, str>,
    markdown: Cow<'a, str>,
}

#[derive(Serialize)]
struct Message<'a> {
    text: Cow<'a, str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResultOf<'a> {
    rule_id: &'a str,
    rule_index: usize,
    level: &'a str,
    message: Message<'a>,
    locations: [Location<'a>; 1],
    partial_fingerprints: BTreeMap<&'a str, &'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suppressions: Vec<Suppression>,
    properties: ResultProperties<'a>,
}

#[derive(Serialize)]
struct ResultProperties<'a> {
    severity: &'a str,
    confidence: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location<'a> {
    physical_location: Physical<'a>,
    logical_locations: [Logical<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical<'a> {
    artifact_location: Artifact<'a>,
    region: Region<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Artifact<'a> {
    uri: String,
    uri_base_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region<'a> {
    start_line: u32,
    start_column: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    snippet: Option<Message<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Logical<'a> {
    fully_qualified_name: String,
    kind: &'a str,
}

#[derive(Serialize)]
struct Suppression {
    kind: &'static str,
    status: &'static str,
    justification: String,
}

impl<'a> Log<'a> {
    fn new(report: &'a Report<'_>, prefix: &str) -> Self {
        let mut rules: Vec<RuleId> = report.findings().iter().map(|it| it.rule).collect();
        rules.sort_by_key(|rule| rule.id());
        rules.dedup();
        let results = report.findings().iter().map(|it| ResultOf::new(it, report, &rules, prefix)).collect();
        let driver = Driver {
            name: "holdfast",
            version: report.version,
            semantic_version: report.version,
            information_uri: SITE,
            rules: rules.iter().map(|rule| Descriptor::new(*rule)).collect(),
        };
        let base = Base { description: message("The root of the repository.") };
        let run = Run {
            tool: Tool { driver },
            column_kind: "unicodeCodePoints",
            original_uri_base_ids: BTreeMap::from([(ROOT, base)]),
            results,
        };
        Self { schema: SCHEMA, version: "2.1.0", runs: [run] }
    }
}

impl Descriptor<'_> {
    fn new(id: RuleId) -> Self {
        let rule = id.rule();
        let remedy = section(rule.prose, "Remedy");
        Self {
            id: id.id(),
            name: id.reason(),
            short_description: message(capital(rule.summary)),
            full_description: message(format!("{}. {}.", capital(rule.summary), consequence(rule.prose))),
            help_uri: format!("{SITE}/blob/main/docs/rules/{id}.md"),
            help: Help { text: remedy.into(), markdown: rule.prose.into() },
            default_configuration: Configuration { level: level(rule.severity) },
            properties: Properties {
                tags: tags(rule.domain),
                precision: "high",
                problem_severity: problem_severity(rule.severity),
                security_severity: is_security(rule.domain).then(|| security_severity(rule.severity)),
            },
        }
    }
}

impl<'a> ResultOf<'a> {
    fn new(it: &'a Told<'a>, report: &Report<'_>, rules: &[RuleId], prefix: &str) -> Self {
        let text = format!("{}: {}. Remedy: {}.", it.object(), it.message, it.remedy);
        let name = if it.field.is_empty() { it.object() } else { format!("{} {}", it.object(), it.field) };
        let logical =
            Logical { fully_qualified_name: name, kind: if it.field.is_empty() { "object" } else { "member" } };
        Self {
            rule_id: it.rule.id(),
            rule_index: rules.iter().position(|rule| *rule == it.rule).unwrap_or_default(),
            level: level(it.severity),
            message: message(text),
            locations: [Location {
                physical_location: Physical::new(it, report, prefix),
                logical_locations: [logical],
            }],
            partial_fingerprints: BTreeMap::from([(SCHEME, it.fingerprint.as_str())]),
            suppressions: it.excepted.iter().map(Suppression::new).collect(),
            properties: ResultProperties {
                severity: it.severity.as_str(),
                confidence: it.confidence.as_str(),
                owner: it.owner.as_ref().map(ToString::to_string),
            },
        }
    }
}

impl Physical<'_> {
    fn new(it: &Told<'_>, report: &Report<'_>, prefix: &str) -> Self {
        let (file, line, column) = match &it.place {
            Some(place) => (&*place.file, place.line, place.column),
            None => (NOWHERE, 1, 1),
        };
        let path = if prefix.is_empty() || it.place.is_none() { file.to_owned() } else { format!("{prefix}/{file}") };
        Self {
            artifact_location: Artifact { uri: utf8_percent_encode(&path, PATH).to_string(), uri_base_id: ROOT },
            region: Region {
                start_line: line.max(1),
                start_column: column.max(1),
                snippet: report.quote(it).map(|quote| message(quote.text)),
            },
        }
    }
}

impl Suppression {
    fn new(by: &Exempt) -> Self {
        // An annotation stands on the object itself, a PolicyException elsewhere.
        let kind = if by.by.is_some() { "external" } else { "inSource" };
        Self { kind, status: "accepted", justification: by.to_string() }
    }
}

fn message<'a>(text: impl Into<Cow<'a, str>>) -> Message<'a> {
    Message { text: text.into() }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

const fn problem_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "recommendation",
    }
}

const fn security_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "3.0",
        Severity::Info => "0.0",
    }
}

fn tags(domain: Domain) -> Vec<&'static str> {
    if is_security(domain) { vec!["security", domain.id()] } else { vec![domain.id()] }
}

const fn is_security(domain: Domain) -> bool {
    match domain {
        Domain::PodSecurity | Domain::Supply | Domain::Network => true,
        Domain::Disruption
        | Domain::Health
        | Domain::Resources
        | Domain::Flux
        | Domain::Helm
        | Domain::Talos
        | Domain::Observability
        | Domain::Documentation => false,
    }
}
