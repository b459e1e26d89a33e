//! `capabilities-not-dropped`: a container that keeps parts of root's rights.

use holdfast_pod_security::Check as Made;

use super::TemplateCase;
use crate::rules::{Check, Rule, Verdict};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::CapabilitiesNotDropped,
    domain: Domain::PodSecurity,
    severity: Severity::Low,
    summary: "a container keeps capabilities of root",
    prose: include_str!("capabilities_not_dropped.md"),
    check: Check::Template(check),
};

fn check(case: &TemplateCase<'_>) -> Verdict {
    case.restricted_for_root("its capabilities aren't limited to NET_BIND_SERVICE", &[Made::CapabilitiesRestricted])
}
