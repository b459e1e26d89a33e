//! `budget-contested`: somebody edited a budget of ours; it is theirs until the edit is gone.

use crate::rules::{BudgetCase, Check, Problem, Rule, Verdict};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::BudgetContested,
    domain: Domain::Disruption,
    severity: Severity::Medium,
    summary: "a disruption budget of ours was edited by somebody else",
    prose: include_str!("budget_contested.md"),
    check: Check::Budget(check),
};

fn check(case: &BudgetCase<'_>) -> Verdict {
    if !case.budget.is_ours() {
        return Verdict::NotApplicable;
    }
    if !case.budget.is_contested() {
        return Verdict::Holds;
    }
    let managers: Vec<&str> = case.budget.managers.others.iter().map(|manager| manager.as_str()).collect();
    let message = format!("{} changed it, so it is left alone", managers.join(", "));
    let remedy = "delete it to have it made anew, or make a budget of your own and delete this one";
    Problem::at("metadata.managedFields", message, remedy).fails()
}
