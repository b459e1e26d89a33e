//! `seccomp-unset`: a container that may make every system call, unless its kubelet knows better.

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
    if case.server.seccomp_by_default {
        let means = "it asks for no profile of system calls, and has that of the runtime only since Talos gives it to every pod";
        return case.restricted_as(Some(Severity::Info), means, &[Made::SeccompProfileRestricted]);
    }
    case.restricted("it asks for no profile of system calls", &[Made::SeccompProfileRestricted])
}
