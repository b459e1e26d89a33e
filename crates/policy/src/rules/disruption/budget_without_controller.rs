//! `budget-without-controller`: pods whose number nobody can tell from a scale.
//!
//! On a budget: bare or static pods among those it covers. On a workload: it belongs to a custom resource whose
//! controller may want a budget of its own, so none of ours is made; merely worth knowing.

use holdfast_model::PodOwner;

use crate::disruption::Decision;
use crate::rules::{BudgetCase, Check, Problem, Rule, Verdict, WorkloadCase};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::BudgetWithoutController,
    domain: Domain::Disruption,
    severity: Severity::Medium,
    summary: "a disruption budget covers pods without a controller, or a workload belongs to a custom resource",
    prose: include_str!("budget_without_controller.md"),
    check: Check::Both(check_budget, check_workload),
};

fn check_budget(case: &BudgetCase<'_>) -> Verdict {
    if case.covered.is_empty() {
        return Verdict::NotApplicable;
    }
    let bare = case.covered.iter().find(|group| match group.maker {
        PodOwner::Nobody | PodOwner::Node(_) => !group.pods.is_empty(),
        PodOwner::Workload(_) | PodOwner::Custom(_) | PodOwner::Unknown(_) => false,
    });
    let Some((name, _)) = bare.and_then(|group| group.pods.first()) else { return Verdict::Holds };
    if case.counts_pods() {
        return Verdict::Holds;
    }
    let message = format!("it covers pod {name}, which has no controller with a scale to compute the budget from");
    let remedy = "narrow the selector, or use an integer minAvailable, which counts pods of any kind";
    Problem::at("spec.selector", message, remedy).fails()
}

fn check_workload(case: &WorkloadCase<'_>) -> Verdict {
    let Decision::CustomOwned(owner) = &case.outcome.decision else { return Verdict::Holds };
    let message = format!("it belongs to {owner} of {}, whose controller decides about its budget", owner.group);
    let remedy = "see whether that controller makes a disruption budget, or set one there";
    Problem::at("metadata.ownerReferences", message, remedy).severe(Severity::Info).fails()
}
