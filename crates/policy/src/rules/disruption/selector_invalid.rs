//! `selector-invalid`: a selector that can't be evaluated, or a workload that has none.

use holdfast_model::selector::Selection;

use crate::disruption::Decision;
use crate::rules::{BudgetCase, Check, Problem, Rule, Verdict, WorkloadCase};
use crate::{Domain, RuleId, Severity};

const REMEDY: &str = "write matchLabels with the labels of the pods";

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::SelectorInvalid,
    domain: Domain::Disruption,
    severity: Severity::Medium,
    summary: "a selector can't be evaluated",
    prose: include_str!("selector_invalid.md"),
    check: Check::Both(check_budget, check_workload),
};

fn check_budget(case: &BudgetCase<'_>) -> Verdict {
    match &case.budget.selection {
        Selection::Invalid(error) => Problem::at("spec.selector", error.to_string(), REMEDY).fails(),
        Selection::Absent | Selection::Valid(_) => Verdict::Holds,
    }
}

fn check_workload(case: &WorkloadCase<'_>) -> Verdict {
    let Decision::SelectorInvalid(error) = &case.outcome.decision else { return Verdict::Holds };
    Problem::at("spec.selector", error.clone(), REMEDY).fails()
}
