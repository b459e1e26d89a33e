//! `budget-matches-nothing`: a budget that covers no pod and no template.
//!
//! What is scaled to zero still has its template, so its budget covers something.

use crate::rules::{BudgetCase, Check, Problem, Rule, Verdict};
use crate::{Domain, RuleId, Severity};
use holdfast_model::selector::Selection;

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::BudgetMatchesNothing,
    domain: Domain::Disruption,
    severity: Severity::Low,
    summary: "a disruption budget covers nothing",
    prose: include_str!("budget_matches_nothing.md"),
    check: Check::Budget(check),
};

fn check(case: &BudgetCase<'_>) -> Verdict {
    let message = match &case.budget.selection {
        Selection::Invalid(_) => return Verdict::NotApplicable,
        Selection::Absent => "it has no selector and covers nothing",
        Selection::Valid(_) if case.covered.is_empty() => "its selector covers no pod and no workload of the namespace",
        Selection::Valid(_) => return Verdict::Holds,
    };
    Problem::at("spec.selector", message.to_owned(), "select by the labels of the pods, or remove the budget").fails()
}
