//! `labels-invalid`: a Pod Security label that names no level or version.

use crate::pod_security::Case;
use crate::rules::{Check, Problem, Rule, Verdict};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::LabelsInvalid,
    domain: Domain::PodSecurity,
    severity: Severity::High,
    summary: "a Pod Security label names no level or version",
    prose: include_str!("labels_invalid.md"),
    check: Check::Namespace(check),
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(first) = case.labelled.errors.first() else { return Verdict::Holds };
    let said = case.labelled.errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    let message = format!("{said}: the API server refuses the namespace as it is written");
    let remedy = "levels are privileged, baseline and restricted, versions latest or of the form v1.35";
    Problem::at(format!("metadata.labels.{}", first.label), message, remedy).fails()
}
