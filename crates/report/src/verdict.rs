//! The answer to the first question: what blocks the next drain?

use holdfast_policy::Domain;
use holdfast_policy::drain::Verdict::Blocks;

use crate::{Report, Standing};

/// What is known of the next drain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// So many things block it.
    Blocked(usize),
    /// Nothing does.
    Clear,
    /// Something does, of which nobody wants to hear: it is excepted, or its rule was left out.
    Accepted,
    /// Nothing was asked about drains: no workloads, or other rules.
    Unasked,
}

impl Verdict {
    pub(crate) fn of(report: &Report<'_>) -> Self {
        let asked = report.score.domains.iter().any(|it| it.domain == Domain::Disruption && it.asked);
        match report.blockers().count() {
            0 if asked && !report.is_compared() && report.outlook.verdict() == Some(Blocks) => Self::Accepted,
            0 if asked => Self::Clear,
            0 => Self::Unasked,
            many => Self::Blocked(many),
        }
    }

    /// As a sentence without a full stop.
    pub(crate) fn sentence(self, report: &Report<'_>) -> String {
        let new = if report.is_compared() { "new " } else { "" };
        match self {
            Self::Blocked(1) => format!("1 {new}thing blocks the next drain"),
            Self::Blocked(many) => format!("{many} {new}things block the next drain"),
            Self::Clear if new.is_empty() => "Nothing here blocks the next drain".to_owned(),
            Self::Clear => "Nothing new blocks the next drain".to_owned(),
            Self::Accepted => "Nothing blocks the next drain but what is excepted or left out".to_owned(),
            Self::Unasked => "Nothing here was asked about drains".to_owned(),
        }
    }
}

/// `1 finding`, `2 findings`, which no end of a line parts.
pub(crate) fn count(many: usize, what: &str) -> String {
    if many == 1 { format!("1{UNBROKEN}{what}") } else { format!("{many}{UNBROKEN}{what}s") }
}

/// A space at which no line ends.
pub(crate) const UNBROKEN: char = '\u{a0}';

/// What was read, in a few words: only what is there.
pub(crate) fn inventory(report: &Report<'_>) -> Vec<String> {
    let read = report.inventory;
    let mut words = vec![count(read.files, "file")];
    if 0 < read.templates {
        words.push(format!("{} passed over", count(read.templates, "template")));
    }
    for (listing, what) in [(&read.helm_releases, "HelmRelease"), (&read.kustomizations, "Kustomization")] {
        let (all, reachable) = (listing.items.len(), listing.reachable());
        match all {
            0 => {}
            _ if reachable == all => words.push(count(all, what)),
            _ => words.push(format!("{}{UNBROKEN}({reachable}{UNBROKEN}reachable)", count(all, what))),
        }
    }
    for (listing, what) in [(&read.workloads, "workload"), (&read.budgets, "budget")] {
        if !listing.items.is_empty() {
            words.push(count(listing.items.len(), what));
        }
    }
    words
}

/// As of which version Pod Security was judged, as a sentence without a full stop; none where it wasn't.
pub(crate) fn judged_as(report: &Report<'_>) -> Option<String> {
    let is_judged = |standing: Standing| match standing {
        Standing::Judged(_) => true,
        Standing::NotYetJudged | Standing::NotApplicable => false,
    };
    report.score.domains.iter().find(|it| it.domain == Domain::PodSecurity && is_judged(it.standing))?;
    let version = report.server.version();
    let why = match report.server.minor {
        None => "the newest known, as no file says which version the cluster has".to_owned(),
        Some(minor) if report.server.is_newer_than_known() => {
            format!("the newest known, though the cluster has v1.{minor}")
        }
        Some(_) => "which the files say the cluster has".to_owned(),
    };
    Some(format!("Pod security is judged as of Kubernetes {version}, {why}"))
}

/// How many findings of each severity there are, in words, worst first: `2 critical, 1 low`.
pub(crate) fn tally(report: &Report<'_>) -> String {
    let counts = report.counts();
    let mut words: Vec<String> = counts.iter().rev().map(|(severity, many)| format!("{many} {severity}")).collect();
    if words.is_empty() {
        words.push("no findings".to_owned());
    }
    if 0 < report.excepted() {
        words.push(format!("{} excepted", report.excepted()));
    }
    if 0 < report.known() {
        words.push(format!("{} known before", report.known()));
    }
    words.join(", ")
}
