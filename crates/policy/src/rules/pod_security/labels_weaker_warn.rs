//! `labels-weaker-warn`: a namespace that refuses pods without a warning when their workload is applied.

use holdfast_pod_security::labels::{AUDIT, WARN};

use super::place;
use crate::pod_security::Case;
use crate::rules::{Check, Problem, Rule, Verdict};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::LabelsWeakerWarn,
    domain: Domain::PodSecurity,
    severity: Severity::Low,
    summary: "a namespace warns of less than it enforces",
    prose: include_str!("labels_weaker_warn.md"),
    check: Check::Namespace(check),
};

fn check(case: &Case<'_>) -> Verdict {
    let policy = &case.labelled.policy;
    if case.labelled.enforce.is_none() {
        return Verdict::NotApplicable;
    }
    let modes = [
        (WARN, "warns", "whoever applies a workload is told nothing, and its pods are refused", policy.warn.level),
        (AUDIT, "audits", "the log doesn't say of which workloads the pods will be refused", policy.audit.level),
    ];
    let weaker = modes
        .into_iter()
        .find(|(label, _, _, level)| case.namespace.labels.get(label).is_some() && *level < policy.enforce.level);
    let Some((label, does, so, level)) = weaker else { return Verdict::Holds };
    let enforced = policy.enforce.level;
    let message = format!("it {does} at {level} only, but enforces {enforced}: {so}");
    Problem::at(place(case.namespace, label), message, format!("set {label} to {enforced} or stricter")).fails()
}
