//! What every format tells.

use std::collections::BTreeMap;

use holdfast_model::Locate;
use holdfast_model::repository::Inventory;
use holdfast_policy::drain::outlook::Outlook;
use holdfast_policy::pod_security::Server;
use holdfast_policy::{Audit, Domain, Severity};

use crate::clean::clean;
use crate::quote::Quote;
use crate::score::Grade;
use crate::{Baseline, Points, Score, Told};

/// What a report is made of, beside what was judged.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// The name of what was read.
    pub name: &'a str,
    /// The version of this program.
    pub version: &'a str,
    /// What was read.
    pub inventory: &'a Inventory,
    /// What is known of the API server.
    pub server: &'a Server,
    /// Who knows the lines of the files.
    pub files: &'a dyn Locate,
}

/// What was judged of a cluster, or of the checkout as a whole.
#[derive(Clone, Copy)]
pub struct Part<'a> {
    /// What was judged.
    pub audit: &'a Audit,
    /// Who knows where its objects are written.
    pub locate: &'a dyn Locate,
}

/// What every format tells.
pub struct Report<'a> {
    /// The name of what was read.
    pub name: String,
    /// The version of this program.
    pub version: &'a str,
    /// How good it is.
    pub score: Score,
    /// What was read.
    pub inventory: &'a Inventory,
    /// What is known of the API server.
    pub server: &'a Server,
    /// What files tell of draining every node, of all clusters together.
    pub outlook: Outlook,
    findings: Vec<Told<'a>>,
    known: Option<usize>,
    files: &'a dyn Locate,
}

fn joined(parts: &[Part<'_>]) -> Outlook {
    let mut all = Outlook::default();
    parts.iter().for_each(|part| all.join(part.audit.outlook.clone()));
    all
}

impl<'a> Report<'a> {
    /// A report of what was judged: of each cluster, and of the checkout as a whole.
    #[must_use]
    pub fn new(parts: &[Part<'a>], input: Input<'a>) -> Self {
        Self {
            name: clean(input.name).into_owned(),
            version: input.version,
            score: Score::new(parts.iter().map(|part| &part.audit.tally)),
            inventory: input.inventory,
            server: input.server,
            outlook: joined(parts),
            findings: Told::all(parts, input.files),
            known: None,
            files: input.files,
        }
    }

    /// Leaves out what was found before. The score stays that of everything.
    #[must_use]
    pub fn without(mut self, baseline: &Baseline) -> Self {
        let all = self.findings.len();
        self.findings.retain(|finding| !baseline.knows(&finding.fingerprint));
        self.known = Some(self.known() + all - self.findings.len());
        self
    }

    /// What is told, worst first.
    #[must_use]
    pub fn findings(&self) -> &[Told<'a>] {
        &self.findings
    }

    /// How many findings were left out since they were found before.
    #[must_use]
    pub fn known(&self) -> usize {
        self.known.unwrap_or(0)
    }

    /// Whether only what is new is told.
    #[must_use]
    pub fn is_compared(&self) -> bool {
        self.known.is_some()
    }

    /// What the next drain stops at.
    pub fn blockers(&self) -> impl Iterator<Item = &Told<'a>> {
        self.findings.iter().filter(|finding| finding.blocks_drain())
    }

    /// How a domain's score is to be taken, or that of all.
    pub(crate) fn grade(&self, points: Points, domain: Option<Domain>) -> Grade {
        let meant = |it: &&Told<'_>| it.counts() && domain.is_none_or(|domain| domain == it.domain);
        Grade::of(points, self.findings.iter().filter(meant).map(|it| it.severity).max())
    }

    /// Whether something that isn't excepted matters at least so much.
    #[must_use]
    pub fn has(&self, severity: Severity) -> bool {
        self.findings.iter().any(|finding| finding.excepted.is_none() && severity <= finding.severity)
    }

    /// How many findings that aren't excepted there are of each severity.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<Severity, usize> {
        let mut counts = BTreeMap::new();
        for finding in self.findings.iter().filter(|finding| finding.excepted.is_none()) {
            *counts.entry(finding.severity).or_default() += 1;
        }
        counts
    }

    /// How many findings are excepted.
    #[must_use]
    pub fn excepted(&self) -> usize {
        self.findings.iter().filter(|finding| finding.excepted.is_some()).count()
    }

    /// The line that a finding is about.
    pub(crate) fn quote(&self, finding: &Told<'_>) -> Option<Quote> {
        let position = finding.position()?;
        Quote::new(&self.files.line(&position.file, position.line)?, position.column)
    }
}
