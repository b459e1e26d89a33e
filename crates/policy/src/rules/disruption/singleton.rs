//! `singleton`: one replica, so a drain interrupts it; a budget would only block the drain.

use crate::disruption::Decision;
use crate::rules::{Check, Problem, Rule, Verdict, WorkloadCase};
use crate::{Domain, RuleId, Severity};
use holdfast_model::facts::Singleness;

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Singleton,
    domain: Domain::Disruption,
    severity: Severity::Info,
    summary: "a workload has one replica, and a drain interrupts it",
    prose: include_str!("singleton.md"),
    check: Check::Workload(check),
};

fn check(case: &WorkloadCase<'_>) -> Verdict {
    if case.outcome.decision != Decision::Singleton {
        return Verdict::NotApplicable;
    }
    let singleness = case.workload.singleness;
    let cause = match (singleness.recreate, singleness.volume, singleness.fixed) {
        (true, true, _) => " (strategy Recreate, a persistent volume)",
        (true, false, _) => " (strategy Recreate)",
        (false, true, _) => " (it mounts a persistent volume)",
        (false, false, true) => " (its chart makes one whatever the values say)",
        (false, false, false) => "",
    };
    let remedy = match singleness {
        Singleness { recreate: false, volume: false, fixed: false } => {
            "run two replicas, on two nodes, if it must not be interrupted"
        }
        // Many charts say Recreate for everything, so that it may be nothing but their default.
        Singleness { recreate: true, volume: false, fixed: false } => {
            "expect a short interruption at each drain, or run two replicas with strategy RollingUpdate where two may run at once"
        }
        Singleness { volume: true, .. } | Singleness { fixed: true, .. } => "expect a short interruption at each drain",
    };
    let message = format!("at most one replica{cause}: a drain interrupts it, and a budget would only block the drain");
    Problem::at("spec.replicas", message, remedy).fails()
}
