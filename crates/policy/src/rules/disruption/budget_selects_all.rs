//! `budget-selects-all`: an empty selector, which covers every pod of the namespace.

use crate::rules::{BudgetCase, Check, Problem, Rule, Verdict};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::BudgetSelectsAll,
    domain: Domain::Disruption,
    severity: Severity::Medium,
    summary: "a disruption budget covers every pod of its namespace",
    prose: include_str!("budget_selects_all.md"),
    check: Check::Budget(check),
};

fn check(case: &BudgetCase<'_>) -> Verdict {
    let Some(selector) = case.budget.selection.selector() else { return Verdict::NotApplicable };
    if !selector.is_empty() {
        return Verdict::Holds;
    }
    let message = "its selector is empty and covers every pod of the namespace, those of Jobs and DaemonSets too";
    Problem::at("spec.selector", message.to_owned(), "select the pods of one workload by its labels").fails()
}
