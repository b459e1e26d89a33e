//! `singleton`: one replica, so a drain interrupts it; a budget would only block the drain.

use crate::disruption::Decision;
use crate::rules::{Check, Problem, Rule, Verdict, WorkloadCase};
use crate::{Domain, RuleId, Severity};

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
    let scaled = case.outcome.bounds.scaler.is_some();
    let causes = [
        (singleness.fixed, "its chart makes one whatever the values say"),
        (singleness.repeats, "a second would report everything again"),
        (case.nodes == Some(1), "the cluster has one node"),
        (scaled, "its autoscaler's maximum is one"),
        (singleness.recreate, "strategy Recreate"),
        (singleness.volume, "it mounts a persistent volume"),
    ];
    let causes: Vec<&str> = causes.into_iter().filter_map(|(is_so, cause)| is_so.then_some(cause)).collect();
    let (cause, remedy) = match causes.as_slice() {
        [] if case.workload.guessed => (
            String::new(),
            "expect an interruption at each drain; whether two can run at once, only its chart knows".to_owned(),
        ),
        [] => {
            let value = case.workload.replicas_value().map_or(String::new(), |value| format!(" ({value})"));
            (
                String::new(),
                format!("run two replicas{value}, on two nodes, if it must not be interrupted and two may run at once"),
            )
        }
        [_, ..] => (format!(" ({})", causes.join(", ")), "expect an interruption at each drain".to_owned()),
    };
    let asked = if case.workload.guessed { "its values ask for one replica" } else { "at most one replica" };
    let message = format!("{asked}{cause}: a drain interrupts it, and a budget that keeps it would block the drain");
    Problem::at(case.replicas_field(), message, remedy).fails()
}
