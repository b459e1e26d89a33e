//! `privilege-escalation-allowed`: a container in which sudo and the like work. Information where nothing asks for restricted: an
//! image that begins with a set-user-ID program needs it, and one that starts as root has nothing to gain.

use holdfast_pod_security::Check as Made;

use super::TemplateCase;
use crate::rules::{Check, Rule, Verdict};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::PrivilegeEscalationAllowed,
    domain: Domain::PodSecurity,
    severity: Severity::Low,
    summary: "a program may gain more rights than the one that started it",
    prose: include_str!("privilege_escalation_allowed.md"),
    check: Check::Template(check),
};

fn check(case: &TemplateCase<'_>) -> Verdict {
    case.where_asked_for(case.restricted("a program in it may gain rights", &[Made::AllowPrivilegeEscalation]))
}
