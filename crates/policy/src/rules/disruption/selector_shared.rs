//! `selector-shared`: a workload's selector covers pods of something else, so no budget can be computed for it.

use crate::disruption::Decision;
use crate::rules::{Check, Problem, Rule, Verdict, WorkloadCase};
use crate::{Domain, RuleId, Severity};
use holdfast_model::PodOwner;

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::SelectorShared,
    domain: Domain::Disruption,
    severity: Severity::High,
    summary: "a workload's selector covers pods of something else",
    prose: include_str!("selector_shared.md"),
    check: Check::Workload(check),
};

fn check(case: &WorkloadCase<'_>) -> Verdict {
    let Decision::SelectorShared(other) = &case.outcome.decision else { return Verdict::Holds };
    let other = match other {
        PodOwner::Workload(id) => format!("pods of {id}"),
        PodOwner::Custom(owner) | PodOwner::Unknown(owner) => format!("pods of {owner}"),
        PodOwner::Node(node) => format!("static pods of node {node}"),
        PodOwner::Nobody => "pods without a controller".to_owned(),
    };
    let message = format!("its selector also covers {other}, so no budget can be made for it alone");
    let remedy = "give the pods of each a label of their own and select by it";
    Problem::at("spec.selector", message, remedy).fails()
}
