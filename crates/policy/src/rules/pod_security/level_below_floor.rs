//! `level-below-floor`: a namespace in which pods may do more than they should anywhere.

use holdfast_pod_security::forbidden_detail;
use holdfast_pod_security::labels::{ENFORCE, ENFORCE_VERSION, WARN};

use super::place;
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
    if case.standing.is_empty() || case.namespace.terminating || case.labelled.is_variable {
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
    // In files a chart may make more than is known.
    let is_file = case.namespace.uid.is_empty();
    if floor <= case.standing.level {
        let message = format!("{states}, though everything {}in it meets {floor}", if is_file { "known " } else { "" });
        let remedy = if is_file {
            format!(
                "label it {ENFORCE}: {floor}; where a chart isn't read here, {WARN}: {floor} first shows what it makes"
            )
        } else {
            format!("label it {ENFORCE}: {floor}, and pin {ENFORCE_VERSION} to the version of the cluster")
        };
        return Problem::at(place(case.namespace, ENFORCE), message, remedy).fails();
    }
    let failing: Vec<String> = case.standing.failing(floor).map(|subject| subject.who.to_string()).collect();
    let first = case.standing.in_the_way(floor).next();
    let detail = first.map(|(_, violations)| forbidden_detail(&violations)).unwrap_or_default();
    let because = match failing.as_slice() {
        [only] => format!("{only} violates it: {detail}"),
        all => format!("{} violate it; the first: {detail}", named(all.iter().map(String::as_str))),
    };
    let message = format!("{states}, and can't enforce {floor}, since {because}");
    Problem::at(
        place(case.namespace, ENFORCE),
        message,
        "change what violates it, or give it a namespace of its own, excepted with a reason",
    )
    .fails()
}
