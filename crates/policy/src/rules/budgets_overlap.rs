//! `budgets-overlap`: two budgets over one pod. The eviction API answers 500 and a drain fails at once.

use super::{BudgetCase, Check, Problem, Rule, Verdict};
use crate::{RuleId, Severity};

pub(super) const RULE: Rule = Rule {
    id: RuleId::BudgetsOverlap,
    severity: Severity::Critical,
    summary: "two disruption budgets cover the same pods",
    prose: include_str!("budgets_overlap.md"),
    check: Check::Budget(check),
};

fn check(case: &BudgetCase<'_>) -> Verdict {
    if case.covered.is_empty() {
        return Verdict::NotApplicable;
    }
    let covers = |budget: &holdfast_model::facts::Budget| {
        case.covered.iter().any(|group| budget.selection.matches(group.labels))
    };
    let others = case.survey.view.budgets().filter(|(name, other)| *name != case.name && covers(other));
    let others: Vec<&str> = others.map(|(name, _)| name.as_str()).collect();
    match others.as_slice() {
        [] => Verdict::Holds,
        others => {
            let message = format!("it covers the same pods as {}: none of them can be evicted", others.join(", "));
            Problem::at("spec.selector", message, "keep one budget for each pod and remove the others").fails()
        }
    }
}
