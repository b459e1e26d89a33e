//! `budget-loose`: a budget that allows every pod to go, and so protects nothing.

use super::ONE_MAY_GO;
use crate::rules::{BudgetCase, Check, Problem, Rule, Verdict};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::BudgetLoose,
    domain: Domain::Disruption,
    severity: Severity::Low,
    summary: "a disruption budget allows every pod to go at once",
    prose: include_str!("budget_loose.md"),
    check: Check::Budget(check),
};

fn check(case: &BudgetCase<'_>) -> Verdict {
    let (Ok(limit), Some(floor)) = (&case.budget.limit, case.expected(|bounds| bounds.floor)) else {
        return Verdict::NotApplicable;
    };
    // One replica may always go; that a budget lets it is right.
    if floor < 2 {
        return Verdict::NotApplicable;
    }
    if limit.evictable(floor) < floor {
        return Verdict::Holds;
    }
    let message = format!("{limit} lets all {floor} pods go at once");
    Problem::at(limit.field(), message, "write maxUnavailable: 1").patched(ONE_MAY_GO).fails()
}
