//! `level-broke-pods`: pods that can't be made, since they violate the level of their namespace.

use holdfast_pod_security::labels::ENFORCE;

use super::place;
use crate::pod_security::Case;
use crate::rules::{Check, Problem, Rule, Verdict};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::LevelBrokePods,
    domain: Domain::PodSecurity,
    severity: Severity::High,
    summary: "pods are refused by the level of their namespace",
    prose: include_str!("level_broke_pods.md"),
    check: Check::Namespace(check),
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(first) = case.view.rejections().next() else { return Verdict::Holds };
    let message = format!("pods of {} {} are refused: {}", first.kind, first.name, first.message);
    let problem = Problem::at(
        place(case.namespace, ENFORCE),
        message,
        "change the workload, or lower the level until it is changed",
    );
    let ours = case.namespace.writers.is_ours(ENFORCE);
    if ours { problem.severe(Severity::Critical) } else { problem }.fails()
}
