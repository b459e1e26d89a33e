//! `labels-invalid`: a Pod Security label that names no level or version.

use super::place;
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
    let errors = case.labelled.errors.iter().map(|it| format!("{} is {:?} and {}", it.label, it.value, it.reason));
    let message = format!("the API server refuses it: {}", errors.collect::<Vec<_>>().join(", "));
    let remedy = "write privileged, baseline or restricted for a level, latest or a minor such as v1.35 for a version";
    Problem::at(place(case.namespace, first.label), message, remedy).fails()
}
