//! `level-below-floor`: a namespace in which pods may do more than they should anywhere.

use holdfast_pod_security::forbidden_detail;
use holdfast_pod_security::labels::ENFORCE;

use crate::pod_security::Case;
use crate::rules::{Check, Problem, Rule, Verdict, named};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::LevelBelowFloor,
    domain: Domain::PodSecurity,
    severity: Severity::Medium,
    summary: "a namespace enforces less than the floor",
    prose: include_str!("level_below_floor.md"),
    check: Check::Namespace(check),
};

fn check(case: &Case<'_>) -> Verdict {
    let floor = case.settings.floor;
    if case.standing.is_empty() || case.namespace.terminating {
        return Verdict::NotApplicable;
    }
    if floor <= case.labelled.policy.enforce.level {
        return Verdict::Holds;
    }
    let states = match (&case.labelled.enforce, case.labelled.is_unknown) {
        (Some(stated), _) => format!("it enforces {}", stated.level),
        (None, true) => "it states no level".to_owned(),
        (None, false) => format!("it states no level, and the cluster enforces {}", case.labelled.policy.enforce.level),
    };
    let field = if case.labelled.enforce.is_some() { format!("metadata.labels.{ENFORCE}") } else { String::new() };
    if floor <= case.standing.level {
        let message = format!("{states}, though everything in it meets {floor}");
        let remedy = format!("label it {ENFORCE}: {floor}, and pin {ENFORCE}-version to the version of the cluster");
        return Problem::at(field, message, remedy).fails();
    }
    let failing: Vec<String> = case.standing.failing(floor).map(|subject| subject.who.to_string()).collect();
    let worst = case.standing.in_the_way(floor).next();
    let example = worst.map(|(subject, violations)| format!("{}: {}", subject.who, forbidden_detail(&violations)));
    let message = format!(
        "{states}, and can't enforce {floor}: {} {} it ({})",
        named(failing.iter().map(String::as_str)),
        if failing.len() == 1 { "violates" } else { "violate" },
        example.unwrap_or_default(),
    );
    Problem::at(field, message, "change what violates it, or give those workloads a namespace of their own").fails()
}
