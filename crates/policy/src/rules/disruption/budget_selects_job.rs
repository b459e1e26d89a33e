//! `budget-selects-job`: a budget over pods of a Job, finished ones too, which has no scale to compute it from.

use holdfast_model::WorkloadKind;

use crate::rules::{BudgetCase, Check, Problem, Rule, Verdict};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::BudgetSelectsJob,
    domain: Domain::Disruption,
    severity: Severity::High,
    summary: "a disruption budget covers pods of a Job",
    prose: include_str!("budget_selects_job.md"),
    check: Check::Budget(check),
};

fn check(case: &BudgetCase<'_>) -> Verdict {
    let Some(workload) = case.covers_kind(&[WorkloadKind::Job, WorkloadKind::CronJob]) else {
        return Verdict::NotApplicable;
    };
    if case.counts_pods() {
        let message = format!("it counts the pods of {workload} beside those it protects");
        let remedy = "give the Job's pods other labels, or narrow the selector";
        return Problem::at("spec.selector", message, remedy).severe(Severity::Low).fails();
    }
    let remedy = "give the Job's pods other labels, or narrow the selector: one finished pod is enough to break it";
    let message =
        format!("it covers pods of {workload}, which has no scale: it allows no eviction of any pod it covers");
    Problem::at("spec.selector", message, remedy).fails()
}
