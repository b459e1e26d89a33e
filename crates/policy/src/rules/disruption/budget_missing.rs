//! `budget-missing`: a workload that should have a budget has none yet.

use crate::disruption::Decision;
use crate::drain::outlook::keeps_apart;
use crate::rules::{Check, Problem, Rule, Verdict, WorkloadCase};
use crate::{Domain, RuleId, Severity};
use holdfast_model::facts::UnhealthyPods;

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::BudgetMissing,
    domain: Domain::Disruption,
    severity: Severity::Medium,
    summary: "a workload that could lose all its pods at once has no disruption budget",
    prose: include_str!("budget_missing.md"),
    check: Check::Workload(check),
};

fn check(case: &WorkloadCase<'_>) -> Verdict {
    let wanted = match &case.outcome.decision {
        Decision::Budget(terms) => match terms.unhealthy_pods {
            UnhealthyPods::AlwaysAllow => format!(" with {} and unhealthyPodEvictionPolicy: AlwaysAllow", terms.limit),
            UnhealthyPods::IfHealthyBudget => format!(" with {}", terms.limit),
        },
        Decision::Excepted(_) => String::new(),
        Decision::NotSelected
        | Decision::OperatorOwned(_)
        | Decision::CustomOwned(_)
        | Decision::SelectorInvalid(_)
        | Decision::SelectorShared(_)
        | Decision::Yielded(_)
        | Decision::ScaledToZero
        | Decision::Singleton
        | Decision::Confined(_)
        | Decision::QuorumPair
        | Decision::Held(_) => return Verdict::NotApplicable,
    };
    // What is evicted on the only node comes back nowhere, so that a budget would block its drain.
    if case.nodes == Some(1) {
        return Verdict::NotApplicable;
    }
    // An excepted workload is still judged, as far as that needs no budget of ours: a singleton would get none anyway.
    let single = case.outcome.bounds.ceiling < 2;
    if single || case.outcome.serving.is_some() || case.survey.has_budget(case.workload) {
        return Verdict::Holds;
    }
    let bounds = case.outcome.bounds;
    let replicas = if bounds.floor == bounds.ceiling {
        format!("{} replicas", bounds.floor)
    } else {
        format!("{} to {} replicas", bounds.floor, bounds.ceiling)
    };
    if case.workload.guessed {
        let message = format!("{replicas}, and whether its chart gives them a disruption budget isn't known here");
        let remedy = "look into the chart, and turn its own on where it has one: a second over the same pods would block every drain";
        return Problem::at(case.replicas_field(), message, remedy).severe(Severity::Info).fails();
    }
    let own = match case.workload.budget_value() {
        Some(value) => format!("turn on the budget of its chart ({value} in its values) with maxUnavailable: 1"),
        None => format!("write a PodDisruptionBudget{wanted} beside it, with the selector of its pods"),
    };
    let remedy = format!("{own}, or let Holdfast make one: a DisruptionPolicy that selects it, in mode: Enforce");
    if keeps_apart(case.workload, bounds.floor) {
        let message = format!(
            "{replicas} and no disruption budget: they share no node, so only a second drain before the first pod is back takes all"
        );
        return Problem::at("spec.replicas", message, remedy).severe(Severity::Low).fails();
    }
    let message = format!("{replicas} and no disruption budget: nothing keeps drains from taking all of them at once");
    Problem::at("spec.replicas", message, remedy).fails()
}
