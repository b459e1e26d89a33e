//! `hpa-below-min-available`: a budget that blocks as soon as an autoscaler has scaled down to its floor.

use crate::rules::{BudgetCase, Check, Problem, Rule, Verdict};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::HpaBelowMinAvailable,
    domain: Domain::Disruption,
    severity: Severity::Medium,
    summary: "a disruption budget allows no eviction at an autoscaler's floor",
    prose: include_str!("hpa_below_min_available.md"),
    check: Check::Budget(check),
};

fn check(case: &BudgetCase<'_>) -> Verdict {
    let Ok(limit) = case.budget.limit else { return Verdict::NotApplicable };
    let scaled = case.workloads.iter().any(|covered| covered.bounds.scaler.is_some());
    let (Some(asked), Some(floor)) = (case.expected(|bounds| bounds.asked), case.expected(|bounds| bounds.floor))
    else {
        return Verdict::NotApplicable;
    };
    // What blocks now is `drain-blocked`. At a floor of none there is nothing to evict; the first pod counts.
    let floor = floor.max(1);
    if !scaled || asked == 0 || limit.evictable(asked) == 0 {
        return Verdict::NotApplicable;
    }
    if 0 < limit.evictable(floor) {
        return Verdict::Holds;
    }
    let message = format!("{limit} allows no eviction once the autoscaler has scaled from {asked} down to {floor}");
    Problem::at(limit.field(), message, "write maxUnavailable: 1 instead, or raise the autoscaler's minimum").fails()
}
