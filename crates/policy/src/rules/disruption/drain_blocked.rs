//! `drain-blocked`: a budget that can never allow an eviction.
//!
//! Judged against the replicas asked for now; what only an autoscaler's floor blocks is `hpa-below-min-available`, and
//! a budget that can't be computed at all is `budget-not-synced`. Pods of custom resources are not judged, also where an
//! integer counts them: only their own controller knows how many there should be, and it may give way once their node is
//! cordoned, as CloudNativePG moves its primary.

use super::ONE_MAY_GO;
use crate::rules::{BudgetCase, Check, Problem, Rule, Verdict};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::DrainBlocked,
    domain: Domain::Disruption,
    severity: Severity::Critical,
    summary: "a disruption budget never allows an eviction",
    prose: include_str!("drain_blocked.md"),
    check: Check::Budget(check),
};

fn check(case: &BudgetCase<'_>) -> Verdict {
    let limit = match &case.budget.limit {
        Ok(limit) => *limit,
        Err(error) => {
            let message = format!("{error}: it allows no eviction");
            return Problem::at("spec", message, "set spec.maxUnavailable: 1").patched(ONE_MAY_GO).fails();
        }
    };
    let (Some(asked), Some(never)) = (case.asked(), case.never_allows()) else { return Verdict::NotApplicable };
    if !never {
        return Verdict::Holds;
    }
    let message = format!("{limit} over {asked} {} allows no eviction", if asked == 1 { "pod" } else { "pods" });
    if asked == 1 {
        let remedy = "remove the budget, or run two replicas or more: over a single one it protects nothing and blocks every drain";
        return Problem::at(limit.field(), message, remedy).fails();
    }
    Problem::at(limit.field(), message, "write maxUnavailable: 1 instead").patched(ONE_MAY_GO).fails()
}
