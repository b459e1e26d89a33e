//! `level-owned-elsewhere`: a level that everything would exceed, in a label that somebody else writes.

use holdfast_pod_security::Level;
use holdfast_pod_security::labels::ENFORCE;

use super::place;
use crate::pod_security::Case;
use crate::rules::{Check, Problem, Rule, Verdict};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::LevelOwnedElsewhere,
    domain: Domain::PodSecurity,
    severity: Severity::Low,
    summary: "a label that somebody else writes enforces less than everything meets",
    prose: include_str!("level_owned_elsewhere.md"),
    check: Check::Namespace(check),
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(stated) = case.labelled.enforce else { return Verdict::NotApplicable };
    let Some(manager) = case.namespace.writers.other(ENFORCE) else { return Verdict::NotApplicable };
    let met = case.standing.level.min(case.settings.ceiling);
    if case.standing.is_empty() || met <= stated.level || met == Level::Privileged {
        return Verdict::Holds;
    }
    let message = format!(
        "everything in it meets {met}, but its label, which belongs to {manager}, enforces {}: it is left alone",
        stated.level
    );
    let remedy = format!("write {ENFORCE}: {met} where the label is written, or leave it out there");
    Problem::at(place(case.namespace, ENFORCE), message, remedy).fails()
}
