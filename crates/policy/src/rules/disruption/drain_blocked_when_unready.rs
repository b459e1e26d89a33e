//! `drain-blocked-when-unready`: a crash-looping pod under this budget blocks a drain.
//!
//! Voters are meant to be that careful, so they don't count; a budget that never allows an eviction is `drain-blocked`.

use crate::disruption::is_quorum;
use crate::rules::{BudgetCase, Check, Problem, Rule, Verdict};
use crate::{Domain, RuleId, Severity};
use holdfast_model::facts::UnhealthyPods;

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::DrainBlockedWhenUnready,
    domain: Domain::Disruption,
    severity: Severity::Low,
    summary: "a disruption budget keeps pods that aren't ready from being evicted",
    prose: include_str!("drain_blocked_when_unready.md"),
    check: Check::Budget(check),
};

fn check(case: &BudgetCase<'_>) -> Verdict {
    let asleep = case.workloads.iter().all(|covered| covered.bounds.asked == 0);
    let votes = || case.workloads.iter().any(|covered| is_quorum(covered.workload));
    if asleep || case.never_allows() == Some(true) || votes() {
        return Verdict::NotApplicable;
    }
    match case.budget.unhealthy_pods {
        UnhealthyPods::AlwaysAllow => return Verdict::Holds,
        UnhealthyPods::IfHealthyBudget => {}
    }
    let unready = case.pods().filter(|pod| !pod.ready && !pod.phase.is_finished() && !pod.terminating).count();
    let remedy = if case.is_of_a_chart() {
        "set unhealthyPodEvictionPolicy: AlwaysAllow where the values ask for the budget, or patch spec.unhealthyPodEvictionPolicy \
         with a post-renderer when the chart takes none"
    } else {
        "set spec.unhealthyPodEvictionPolicy: AlwaysAllow"
    };
    let field = "spec.unhealthyPodEvictionPolicy";
    match unready {
        0 => {
            let message = "a pod that isn't ready can't be evicted while too few others are ready".to_owned();
            Problem::at(field, message, remedy).fails()
        }
        count => {
            let message = format!(
                "{count} of its pods {} not ready and may block a drain now",
                if count == 1 { "is" } else { "are" }
            );
            Problem::at(field, message, remedy).severe(Severity::High).fails()
        }
    }
}
