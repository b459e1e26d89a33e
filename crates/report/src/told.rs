//! A finding as it is told: cleaned, with its place, its owner and its fingerprint.

use std::borrow::Cow;
use std::cmp::{Ordering, Reverse};
use std::sync::Arc;

use holdfast_model::{Confidence, Locate, Position};
use holdfast_policy::{Domain, Excepted, Finding, RuleId, Severity};
use jiff::Timestamp;

use crate::clean::clean;
use crate::fingerprint::Fingerprints;
use crate::report::Part;

/// A finding as it is told. All text in it is safe to show, and borrowed from what was judged where that is safe as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told<'a> {
    /// The rule.
    pub rule: RuleId,
    /// Of what it speaks.
    pub domain: Domain,
    /// How much it matters.
    pub severity: Severity,
    /// On what it stands.
    pub confidence: Confidence,
    /// Where it is written, when it is.
    pub place: Option<Place>,
    /// Group and version of the object, when it is one.
    pub api_version: Option<Cow<'a, str>>,
    /// The kind of the object.
    pub kind: Cow<'a, str>,
    /// Its effective namespace; empty when it has none.
    pub namespace: Cow<'a, str>,
    /// Its name.
    pub name: Cow<'a, str>,
    /// The field, as a path; empty for the object itself.
    pub field: Cow<'a, str>,
    /// In which Flux object a person mends it.
    pub owner: Option<Owner<'a>>,
    /// What is wrong: a clause in lower case, without a full stop.
    pub message: Cow<'a, str>,
    /// What to do about it: a clause in lower case, without a full stop.
    pub remedy: Cow<'a, str>,
    /// The same as a merge patch of the object in YAML; only of an object that is written in a file.
    pub patch: Option<&'static str>,
    /// What makes it the same finding in another run.
    pub fingerprint: String,
    /// The exception that covers it.
    pub excepted: Option<Exempt>,
    /// Where it is written, as whoever read the files calls it.
    position: Option<Position>,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The path, relative to what was read.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
}

/// The Flux object in which a person mends something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner<'a> {
    /// Its kind.
    pub kind: &'static str,
    /// Its namespace.
    pub namespace: Cow<'a, str>,
    /// Its name.
    pub name: Cow<'a, str>,
}

/// The exception that covers a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exempt {
    /// The PolicyException's name; none for an annotation.
    pub by: Option<String>,
    /// The reason given.
    pub reason: Option<String>,
    /// When it ends.
    pub until: Option<Timestamp>,
}

impl<'a> Told<'a> {
    /// What is told of a finding.
    fn new(finding: &'a Finding, locate: &'a dyn Locate) -> Self {
        let found = locate.locate(&finding.subject, &finding.field);
        let confidence = found.as_ref().map_or(Confidence::Declared, |located| located.confidence);
        let position = finding.position.clone().or_else(|| found.map(|located| located.position));
        let subject = &finding.subject;
        Self {
            rule: finding.rule,
            domain: finding.rule.rule().domain,
            severity: finding.severity,
            confidence,
            place: position.as_ref().map(Place::new),
            api_version: locate.api_version(subject).map(clean),
            kind: clean(subject.kind),
            namespace: clean(&subject.namespace),
            name: clean(&subject.name),
            field: clean(&finding.field),
            owner: finding.owner.as_ref().map(|owner| Owner {
                kind: owner.kind.kind().as_str(),
                namespace: clean(&owner.key.namespace),
                name: clean(&owner.key.name),
            }),
            message: clean(&finding.message),
            remedy: clean(&finding.remedy),
            patch: finding.patch.filter(|_| confidence == Confidence::Declared),
            fingerprint: String::new(),
            excepted: finding.excepted.as_ref().map(Exempt::new),
            position,
        }
    }

    /// All that is told, in order. What two clusters of a checkout have in common is told once.
    pub(crate) fn all(parts: &[Part<'a>], files: &dyn Locate) -> Vec<Self> {
        let findings = parts.iter().flat_map(|part| part.audit.findings.iter().map(|finding| (finding, part.locate)));
        let mut told: Vec<(Self, &Finding)> =
            findings.map(|(finding, locate)| (Self::new(finding, locate), finding)).collect();
        told.sort_by(|(a, _), (b, _)| a.order(b));
        told.dedup_by(|(a, _), (b, _)| a == b);
        let mut fingerprints = Fingerprints::default();
        told.into_iter()
            .map(|(told, finding)| {
                let text = told.own_line(finding, files);
                let told = told.made_from(finding, files);
                Self { fingerprint: fingerprints.next(finding, text.trim()).to_string(), ..told }
            })
            .collect()
    }

    /// Where a change of the file itself would be lost, the remedy says where to make it. What concerns a whole cluster isn't mended
    /// in the file of its root.
    fn made_from(self, finding: &Finding, files: &dyn Locate) -> Self {
        let is_of_all = finding.field.is_empty() && finding.position.is_none();
        let nothing_to_mend = self.rule == RuleId::KustomizeUnsupported;
        if is_of_all || nothing_to_mend {
            return self;
        }
        let Some(template) = self.place.as_ref().and_then(|place| files.template_of(&place.file)) else { return self };
        // What the remedy names already is what it speaks of.
        if self.remedy.contains(&*template) {
            return self;
        }
        let remedy = if self.rule == RuleId::Unreachable {
            format!(
                "{}; it is made from {template}: the same goes for that, and for the templates of what lists it",
                self.remedy
            )
        } else {
            format!("{}; where this file is made from {template}, change that", self.remedy)
        };
        Self { remedy: clean(&remedy).into_owned().into(), ..self }
    }

    /// The text of the line, for what has nothing else to be known by.
    fn own_line(&self, finding: &Finding, files: &dyn Locate) -> String {
        let own = finding.position.as_ref().filter(|_| finding.field.is_empty());
        own.and_then(|position| files.line(&position.file, position.line)).unwrap_or_default()
    }

    /// By severity, file, line and rule, so that two runs can be compared line by line; what has no place comes last.
    fn order(&self, other: &Self) -> Ordering {
        Reverse(self.severity)
            .cmp(&Reverse(other.severity))
            .then_with(|| self.where_it_is().cmp(&other.where_it_is()))
            .then_with(|| self.what_it_is().cmp(&other.what_it_is()))
    }

    fn where_it_is(&self) -> (bool, Option<&Place>) {
        (self.place.is_none(), self.place.as_ref())
    }

    fn what_it_is(&self) -> [&str; 6] {
        [self.rule.id(), &self.kind, &self.namespace, &self.name, &self.field, &self.message]
    }

    /// Whether it wants mending: neither merely worth knowing nor excepted.
    #[must_use]
    pub fn counts(&self) -> bool {
        Severity::Info < self.severity && self.excepted.is_none()
    }

    /// Whether the next drain stops at it.
    #[must_use]
    pub fn blocks_drain(&self) -> bool {
        self.domain == Domain::Disruption && self.severity == Severity::Critical && self.excepted.is_none()
    }

    /// The object, for people: `Deployment shop/web`.
    #[must_use]
    pub fn object(&self) -> String {
        named(&self.kind, &self.namespace, &self.name)
    }

    /// Where it stands in the files, as whoever read them calls it.
    pub(crate) fn position(&self) -> Option<&Position> {
        self.position.as_ref()
    }
}

pub(crate) fn named(kind: &str, namespace: &str, name: &str) -> String {
    if namespace.is_empty() { format!("{kind} {name}") } else { format!("{kind} {namespace}/{name}") }
}

impl std::fmt::Display for Owner<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&named(self.kind, &self.namespace, &self.name))
    }
}

impl Place {
    fn new(position: &Position) -> Self {
        let file = match clean(&position.file) {
            Cow::Borrowed(_) => Arc::clone(&position.file),
            Cow::Owned(cleaned) => cleaned.into(),
        };
        Self { file, line: position.line, column: position.column }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

impl Exempt {
    fn new(excepted: &Excepted) -> Self {
        let text = |text: &holdfast_model::Text| clean(text).into_owned();
        Self { by: excepted.by.as_ref().map(text), reason: excepted.reason.as_ref().map(text), until: excepted.until }
    }

    /// Who exempts it, for people.
    #[must_use]
    pub fn by(&self) -> String {
        self.by.as_ref().map_or("annotation holdfast.dev/ignore".to_owned(), |name| format!("PolicyException {name}"))
    }
}

impl std::fmt::Display for Exempt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.by())?;
        if let Some(reason) = &self.reason {
            write!(f, ": {reason}")?;
        }
        if let Some(until) = &self.until {
            write!(f, " (until {until})")?;
        }
        Ok(())
    }
}
