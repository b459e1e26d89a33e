//! Pod Security: what a namespace states, and what its templates would have to change for a stricter level.

pub(super) mod baseline_violated;
pub(super) mod capabilities_not_dropped;
pub(super) mod host_namespaces_shared;
pub(super) mod labels_invalid;
pub(super) mod labels_weaker_warn;
pub(super) mod level_below_floor;
pub(super) mod level_broke_pods;
pub(super) mod level_owned_elsewhere;
pub(super) mod pod_security_next;
pub(super) mod privilege_escalation_allowed;
pub(super) mod root_allowed;
pub(super) mod seccomp_unset;
pub(super) mod volume_not_restricted;

use holdfast_pod_security::{Check, Fix, Level, Version, Violation, evaluate, fixes};

use super::{NAMED, Problem, Verdict};
use crate::pod_security::Subject;

/// A template, and what stands in the way of each level.
#[derive(Debug)]
pub struct TemplateCase<'a> {
    subject: &'a Subject<'a>,
    /// What violates baseline; at restricted some checks of baseline are made otherwise.
    baseline: Vec<Violation>,
    restricted: Vec<Violation>,
}

impl<'a> TemplateCase<'a> {
    pub(super) fn new(subject: &'a Subject<'a>, version: Version) -> Self {
        let violations = |level| {
            if subject.level < level { evaluate(level, version, subject.facts) } else { Vec::new() }
        };
        Self { subject, baseline: violations(Level::Baseline), restricted: violations(Level::Restricted) }
    }

    /// What these checks of baseline say.
    fn baseline(&self, is_meant: impl Fn(Check) -> bool) -> Verdict {
        self.verdict(self.baseline.iter().filter(|violation| is_meant(violation.check)))
    }

    /// What these checks of restricted say.
    fn restricted(&self, checks: &[Check]) -> Verdict {
        self.verdict(self.restricted.iter().filter(|violation| checks.contains(&violation.check)))
    }

    fn verdict<'v>(&self, violations: impl Iterator<Item = &'v Violation>) -> Verdict {
        let violations: Vec<&Violation> = violations.collect();
        let Some(first) = violations.first() else { return Verdict::Holds };
        let prefix = self.subject.who.prefix();
        let place = first.offences.first().map(|offence| format!("{prefix}{}", offence.path)).unwrap_or_default();
        let message = violations.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let owned: Vec<Violation> = violations.iter().map(|violation| (*violation).clone()).collect();
        Problem::at(place, message, remedy(prefix, &owned)).fails()
    }
}

/// The changes, in words, and what to think of.
fn remedy(prefix: &str, violations: &[Violation]) -> String {
    let changes: Vec<String> = fixes(violations).into_iter().rev().map(|fix| change(prefix, fix)).collect();
    let (shown, rest) = changes.split_at(changes.len().min(NAMED));
    let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
    let caution = violations.first().map(|violation| violation.check.caution()).unwrap_or_default();
    format!("{}{more}; {caution}", shown.join(", "))
}

fn change(prefix: &str, fix: &Fix) -> String {
    match fix {
        Fix::Set { path, value } => format!("set {prefix}{path} to {value}"),
        Fix::Remove { path } => format!("remove {prefix}{path}"),
        Fix::Replace { path, by, value } => format!("replace {prefix}{path} by {by}: {value}"),
    }
}
