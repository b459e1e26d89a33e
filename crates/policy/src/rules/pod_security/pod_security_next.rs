//! `pod-security-next`: what the next minor release of Kubernetes will refuse.

use holdfast_pod_security::labels::{ENFORCE, ENFORCE_VERSION};
use holdfast_pod_security::{Level, evaluate, forbidden_detail};

use super::place;
use crate::pod_security::Case;
use crate::rules::{Check, Problem, Rule, Verdict, named};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::PodSecurityNext,
    domain: Domain::PodSecurity,
    severity: Severity::Medium,
    summary: "the next minor release would refuse what runs today",
    prose: include_str!("pod_security_next.md"),
    check: Check::Namespace(check),
};

fn check(case: &Case<'_>) -> Verdict {
    let enforced = case.labelled.policy.enforce;
    if enforced.level == Level::Privileged || case.standing.is_empty() || case.labelled.is_variable {
        return Verdict::NotApplicable;
    }
    // A version that is pinned stays what it is through an upgrade.
    let moves = enforced.version > case.server.version();
    for next in case.server.next_versions().filter(|next| moves && *next <= enforced.version) {
        let broken: Vec<_> = case.standing.broken_by(enforced.level, next).collect();
        let Some(first) = broken.first() else { continue };
        let names: Vec<String> = broken.iter().map(|subject| subject.who.to_string()).collect();
        let message = format!(
            "from {next} on {} will be refused here, where {} is enforced: {}",
            named(names.iter().map(String::as_str)),
            enforced.level,
            forbidden_detail(&evaluate(enforced.level, next, first.facts)),
        );
        let remedy =
            format!("change it before the upgrade, or pin the version of the level to {}", case.server.version());
        let is_versioned = case.namespace.labels.get(ENFORCE_VERSION).is_some();
        let label = if is_versioned { ENFORCE_VERSION } else { ENFORCE };
        return Problem::at(place(case.namespace, label), message, remedy).fails();
    }
    Verdict::Holds
}
