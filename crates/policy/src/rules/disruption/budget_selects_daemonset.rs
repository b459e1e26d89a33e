//! `budget-selects-daemonset`: a budget over pods of a DaemonSet, which has no scale to compute it from.
//!
//! Critical where it covers pods as well that a drain does evict: it lets none of them go.

use holdfast_model::WorkloadKind;

use crate::rules::{BudgetCase, Check, Problem, Rule, Verdict};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::BudgetSelectsDaemonset,
    domain: Domain::Disruption,
    severity: Severity::High,
    summary: "a disruption budget covers pods of a DaemonSet",
    prose: include_str!("budget_selects_daemonset.md"),
    check: Check::Budget(check),
};

fn check(case: &BudgetCase<'_>) -> Verdict {
    let Some(workload) = case.covers_kind(&[WorkloadKind::DaemonSet]) else { return Verdict::NotApplicable };
    let remedy = "remove the budget, or narrow its selector: a drain leaves the pods of a DaemonSet alone";
    if case.counts_pods() {
        let message = format!("it counts the pods of {workload}, which no drain evicts");
        return Problem::at("spec.selector", message, remedy).severe(Severity::Low).fails();
    }
    let message =
        format!("it covers pods of {workload}, which has no scale: it allows no eviction of any pod it covers");
    let problem = Problem::at("spec.selector", message, remedy);
    let is_in_the_way = case.workloads.iter().any(|covered| 0 < covered.bounds.asked);
    if is_in_the_way { problem.severe(Severity::Critical).fails() } else { problem.fails() }
}
