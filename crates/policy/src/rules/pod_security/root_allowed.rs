//! `root-allowed`: a container that may run as root.
//!
//! Whether its image does isn't known, and where it does by design only its maintainer can tell whether it has to. So it is
//! information, but where restricted is asked for.

use holdfast_pod_security::Check as Made;

use super::TemplateCase;
use crate::rules::{Check, Rule, Verdict};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::RootAllowed,
    domain: Domain::PodSecurity,
    severity: Severity::Low,
    summary: "a container may run as root",
    prose: include_str!("root_allowed.md"),
    check: Check::Template(check),
};

fn check(case: &TemplateCase<'_>) -> Verdict {
    case.where_asked_for(case.restricted_for_root("root isn't refused", &[Made::RunAsNonRoot, Made::RunAsUser]))
}
