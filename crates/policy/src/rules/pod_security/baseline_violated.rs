//! `baseline-violated`: a template that no namespace of level baseline takes.

use holdfast_pod_security::Check as Made;

use super::TemplateCase;
use crate::rules::{Check, Rule, Verdict};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::BaselineViolated,
    domain: Domain::PodSecurity,
    severity: Severity::Medium,
    summary: "a template violates the baseline level",
    prose: include_str!("baseline_violated.md"),
    check: Check::Template(check),
};

fn check(case: &TemplateCase<'_>) -> Verdict {
    case.baseline("its pods violate baseline", |check| check != Made::HostNamespaces)
}
