//! `budgets-overlap`: two budgets over one pod. The eviction API answers 500 and a drain fails at once.

use crate::rules::{BudgetCase, Check, Problem, Rule, Verdict};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::BudgetsOverlap,
    domain: Domain::Disruption,
    severity: Severity::Critical,
    summary: "two disruption budgets cover the same pods",
    prose: include_str!("budgets_overlap.md"),
    check: Check::Budget(check),
};

fn check(case: &BudgetCase<'_>) -> Verdict {
    let Some(selector) = case.budget.selection.selector().filter(|_| !case.covered.is_empty()) else {
        return Verdict::NotApplicable;
    };
    let others = case.survey.budgets_over(selector).filter(|(name, _)| *name != case.name);
    let others: Vec<&str> = others.map(|(name, _)| name.as_str()).collect();
    match others.as_slice() {
        [] => Verdict::Holds,
        others => {
            let message = format!("it covers the same pods as {}: none of them can be evicted", others.join(", "));
            Problem::at("spec.selector", message, "keep one budget for each pod and remove the others").fails()
        }
    }
}
