//! `seccomp-unset`: a container that may make every system call.
//!
//! Where Talos gives every pod the runtime's profile only the level restricted still wants to see it, so it is found where that is asked for.

use holdfast_pod_security::Check as Made;

use super::TemplateCase;
use crate::rules::{Check, Rule, Verdict};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::SeccompUnset,
    domain: Domain::PodSecurity,
    severity: Severity::Low,
    summary: "a container asks for no seccomp profile",
    prose: include_str!("seccomp_unset.md"),
    check: Check::Template(check),
};

fn check(case: &TemplateCase<'_>) -> Verdict {
    let means = match (case.server.seccomp_by_default, case.aims_at_restricted) {
        (true, false) => return Verdict::NotApplicable,
        (true, true) => "it asks for no profile of system calls, though Talos gives it that of the runtime",
        (false, _) => "it asks for no profile of system calls",
    };
    case.restricted(means, &[Made::SeccompProfileRestricted])
}
