//! `budget-not-synced`: the disruption controller can't compute the budget, so it allows nothing.
//!
//! A budget that was just made has had no time yet; files have no status at all.

use jiff::SignedDuration;

use crate::rules::{BudgetCase, Check, Problem, Rule, Verdict};
use crate::{Domain, RuleId, Severity};

/// How long the disruption controller may take for a new budget; observed to be 20 ms, at worst half a second.
const GRACE: SignedDuration = SignedDuration::from_secs(30);

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::BudgetNotSynced,
    domain: Domain::Disruption,
    severity: Severity::High,
    summary: "the disruption controller can't compute a budget",
    prose: include_str!("budget_not_synced.md"),
    check: Check::Budget(check),
};

fn check(case: &BudgetCase<'_>) -> Verdict {
    let remedy = "narrow the selector: usually it covers pods of a kind without a scale, such as a Job or a DaemonSet";
    if let Some(failure) = &case.budget.status.sync_failed {
        let message = format!("it can't be computed and allows no eviction: {failure}");
        return Problem::at("spec.selector", message, remedy).fails();
    }
    let Some(created) = case.budget.created else { return Verdict::NotApplicable };
    let due = created.saturating_add(GRACE).unwrap_or(created);
    match case.budget.status.observed {
        Some(_) => Verdict::Holds,
        None if case.now < due => Verdict::NotYet(due),
        None => {
            let message = "the disruption controller never computed it, so it allows no eviction".to_owned();
            Problem::at("status.observedGeneration", message, remedy).fails()
        }
    }
}
