//! For programs: one object with names that stay, described by a JSON schema.
//!
//! The structs are the format; nothing of the inside is serialized. A field that goes or changes its meaning is another
//! `schemaVersion`; new fields are not. Everything is sorted, so that two runs can be compared with `diff`.

mod drain;
mod rows;

use std::borrow::Cow;
use std::io::{self, BufWriter, Write};

use holdfast_model::repository::{Item, Listing};
use jiff::Timestamp;
use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde::Serialize;

use crate::clean::clean;
use crate::{DomainScore, Report, Told};
use drain::Drain;
use rows::Rows;

/// The version of the format.
pub(crate) const VERSION: u32 = 1;

/// Writes it for programs.
///
/// # Errors
/// When it can't be written.
pub fn write_json(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    // Written word by word, each of which would be a call of somebody else's `Write`.
    let mut out = BufWriter::new(out);
    serde_json::to_writer_pretty(&mut out, &AuditReport::new(report))?;
    writeln!(out)?;
    out.flush()
}

/// The JSON schema (2020-12) of what [`write_json`] writes.
#[must_use]
pub fn schema() -> Schema {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<AuditReport<'_>>()
}

/// What `holdfast audit --format json` found.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "holdfast audit")]
struct AuditReport<'a> {
    /// The version of this format. It changes when a field goes or means something else; new fields may come at any time.
    schema_version: u32,
    /// What wrote it.
    tool: Tool<'a>,
    /// What was read.
    inventory: Inventory<'a>,
    /// As of what Pod Security was judged.
    pod_security: PodSecurity,
    /// What files tell of draining every node.
    drain: Drain<'a>,
    /// How good it is.
    score: Score<'a>,
    /// What was found: by severity (the worst first), file, line and rule.
    #[schemars(with = "Vec<Finding<'a>>")]
    findings: Rows<'a, Told<'a>, Finding<'a>>,
}

/// What wrote it.
#[derive(Serialize, JsonSchema)]
struct Tool<'a> {
    /// Always `holdfast`.
    name: &'a str,
    /// Its version.
    version: &'a str,
}

/// What was read.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Inventory<'a> {
    /// How many files were read.
    files: usize,
    /// How many are templates of another tool, such as Jinja, and were passed over.
    templates: usize,
    /// The effective namespaces.
    namespaces: Vec<Cow<'a, str>>,
    /// Files with Kubernetes objects that no Flux root reaches.
    unreachable: Vec<Cow<'a, str>>,
    /// HelmReleases.
    helm_releases: FluxObjects<'a>,
    /// Flux Kustomizations.
    kustomizations: FluxObjects<'a>,
    /// What makes pods: declared, rendered or inferred.
    workloads: Objects<'a>,
    /// Disruption budgets.
    budgets: Objects<'a>,
}

/// Flux objects of one kind.
#[derive(Serialize, JsonSchema)]
struct FluxObjects<'a> {
    /// How many there are.
    total: usize,
    /// How many of them a Flux root reaches.
    reachable: usize,
    /// How many of them are suspended.
    suspended: usize,
    /// By file and line.
    #[schemars(with = "Vec<Object<'a>>")]
    items: Rows<'a, Item, Object<'a>>,
}

/// Objects of one kind.
#[derive(Serialize, JsonSchema)]
struct Objects<'a> {
    /// How many there are.
    total: usize,
    /// By file and line.
    #[schemars(with = "Vec<Object<'a>>")]
    items: Rows<'a, Item, Object<'a>>,
}

/// An object that was read.
#[derive(Serialize, JsonSchema)]
struct Object<'a> {
    /// Its kind.
    kind: Cow<'a, str>,
    /// Its effective namespace.
    namespace: Option<Cow<'a, str>>,
    /// Its name.
    name: Cow<'a, str>,
    /// The file in which it is written, relative to the path that was read.
    file: Cow<'a, str>,
    /// The line, from 1.
    line: u32,
    /// Whether a Flux root reaches it.
    reachable: bool,
    /// The chart of a HelmRelease, as name@version.
    #[serde(skip_serializing_if = "Option::is_none")]
    chart: Option<Cow<'a, str>>,
    /// The replicas of a workload.
    #[serde(skip_serializing_if = "Option::is_none")]
    replicas: Option<u32>,
}

/// As of what Pod Security was judged.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct PodSecurity {
    /// The version that `latest` means, such as v1.35.
    version: String,
    /// Whether files say which version the API server has; else it is the newest that is known.
    version_stated: bool,
    /// The level that the API server enforces in namespaces without a label; null where files don't say.
    #[schemars(extend("enum" = ["privileged", "baseline", "restricted", null]))]
    cluster_default: Option<String>,
}

/// How good it is.
#[derive(Serialize, JsonSchema)]
struct Score<'a> {
    /// The mean of the domains that are judged, from 0 to 100; null when none is.
    overall: Option<f64>,
    /// Every domain.
    domains: Vec<Domain<'a>>,
}

/// How good a domain is: 100 x (1 - weightFailed / weightApplicable).
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Domain<'a> {
    /// Its stable name.
    id: &'a str,
    /// Its name for people.
    name: &'a str,
    /// `judged`, `not-yet-judged` (there are no rules yet) or `not-applicable` (there is nothing to judge).
    #[schemars(extend("enum" = ["judged", "not-yet-judged", "not-applicable"]))]
    state: &'a str,
    /// From 0 to 100, rounded down to tenths; null unless it is judged.
    score: Option<f64>,
    /// How often a rule held.
    passed: usize,
    /// How often a rule failed; what is excepted or only worth knowing isn't counted.
    failed: usize,
    /// The weight of what failed: critical 10, high 5, medium 2, low 1, info 0.
    weight_failed: usize,
    /// The weight of all that was asked.
    weight_applicable: usize,
}

/// Something that a rule found.
#[derive(Serialize, JsonSchema)]
struct Finding<'a> {
    /// The rule.
    rule: &'a str,
    /// Of what the rule speaks.
    domain: &'a str,
    /// How much it matters.
    #[schemars(extend("enum" = ["critical", "high", "medium", "low", "info"]))]
    severity: &'a str,
    /// On what it stands: written in a file, rendered from a chart, or inferred from its values.
    #[schemars(extend("enum" = ["declared", "rendered", "inferred"]))]
    confidence: &'a str,
    /// The file, relative to the path that was read; null for what has no place.
    file: Option<&'a str>,
    /// The line, from 1.
    line: Option<u32>,
    /// The column, from 1, in characters.
    column: Option<u32>,
    /// What it is about.
    object: Subject<'a>,
    /// In which Flux object a person mends it.
    owner: Option<Owner<'a>>,
    /// What is wrong: a clause without a full stop.
    message: &'a str,
    /// What to do about it.
    remedy: Remedy<'a>,
    /// The same in every run in which it is the same finding, wherever the lines have moved.
    fingerprint: &'a str,
    /// The exception that covers it; null when none does.
    excepted: Option<Excepted<'a>>,
}

/// What a finding is about.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Subject<'a> {
    /// Group and version; null for what is no object, such as a file.
    api_version: Option<&'a str>,
    /// Its kind; for what is no object what it is, such as File.
    kind: &'a str,
    /// Its effective namespace.
    namespace: Option<&'a str>,
    /// Its name; of a file the path.
    name: &'a str,
}

/// The Flux object in which a person mends it.
#[derive(Serialize, JsonSchema)]
struct Owner<'a> {
    /// HelmRelease or Kustomization.
    kind: &'a str,
    /// Its namespace.
    namespace: &'a str,
    /// Its name.
    name: &'a str,
}

/// What to do about it.
#[derive(Serialize, JsonSchema)]
struct Remedy<'a> {
    /// A clause without a full stop.
    text: &'a str,
    /// The same as a merge patch of the object in YAML; null where that can't be said exactly, and where a chart makes the
    /// object.
    patch: Option<&'a str>,
}

/// The exception that covers a finding.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Excepted<'a> {
    /// The PolicyException, or the annotation.
    by: String,
    /// The reason given.
    reason: Option<&'a str>,
    /// When it ends.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    expires_at: Option<Timestamp>,
}

impl<'a> AuditReport<'a> {
    fn new(report: &'a Report<'a>) -> Self {
        let read = report.inventory;
        Self {
            schema_version: VERSION,
            tool: Tool { name: "holdfast", version: report.version },
            inventory: Inventory {
                files: read.files,
                templates: read.templates,
                namespaces: read.namespaces.iter().map(|name| clean(name)).collect(),
                unreachable: read.unreachable.iter().map(|file| clean(file)).collect(),
                helm_releases: FluxObjects::new(&read.helm_releases),
                kustomizations: FluxObjects::new(&read.kustomizations),
                workloads: Objects::new(&read.workloads),
                budgets: Objects::new(&read.budgets),
            },
            pod_security: PodSecurity {
                version: report.server.version().to_string(),
                version_stated: report.server.minor.is_some(),
                cluster_default: report.server.default.map(|level| level.to_string()),
            },
            drain: Drain::new(&report.outlook),
            score: Score {
                overall: report.score.overall.map(crate::Points::as_f64),
                domains: report.score.domains.iter().map(Domain::new).collect(),
            },
            findings: Rows::new(report.findings(), Finding::new),
        }
    }
}

impl<'a> FluxObjects<'a> {
    fn new(listing: &'a Listing) -> Self {
        Self {
            total: listing.items.len(),
            reachable: listing.reachable(),
            suspended: listing.suspended(),
            items: Rows::new(&listing.items, Object::new),
        }
    }
}

impl<'a> Objects<'a> {
    fn new(listing: &'a Listing) -> Self {
        Self { total: listing.items.len(), items: Rows::new(&listing.items, Object::new) }
    }
}

impl<'a> Object<'a> {
    fn new(item: &'a Item) -> Self {
        Self {
            kind: clean(&item.kind),
            namespace: some(&item.namespace).map(clean),
            name: clean(&item.name),
            file: clean(&item.position.file),
            line: item.position.line,
            reachable: item.reachable,
            chart: item.chart.as_deref().map(clean),
            replicas: item.replicas,
        }
    }
}

impl Domain<'_> {
    fn new(it: &DomainScore) -> Self {
        Self {
            id: it.domain.id(),
            name: it.domain.name(),
            state: it.standing.as_str(),
            score: it.points().map(crate::Points::as_f64),
            passed: it.passed,
            failed: it.failed,
            weight_failed: it.weight_failed,
            weight_applicable: it.weight_applicable,
        }
    }
}

impl<'a> Finding<'a> {
    fn new(it: &'a Told<'a>) -> Self {
        let place = it.place.as_ref();
        Self {
            rule: it.rule.id(),
            domain: it.domain.id(),
            severity: it.severity.as_str(),
            confidence: it.confidence.as_str(),
            file: place.map(|place| &*place.file),
            line: place.map(|place| place.line),
            column: place.map(|place| place.column),
            object: Subject {
                api_version: it.api_version.as_deref(),
                kind: &it.kind,
                namespace: some(&it.namespace),
                name: &it.name,
            },
            owner: it.owner.as_ref().map(|owner| Owner {
                kind: owner.kind,
                namespace: &owner.namespace,
                name: &owner.name,
            }),
            message: &it.message,
            remedy: Remedy { text: &it.remedy, patch: it.patch },
            fingerprint: &it.fingerprint,
            excepted: it.excepted.as_ref().map(|by| Excepted {
                by: by.by(),
                reason: by.reason.as_deref(),
                expires_at: by.until,
            }),
        }
    }
}

fn some(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}
