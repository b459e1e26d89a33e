//! `selector-shared`: a workload's selector covers pods of something else, so no budget can be computed for it.

use super::{Check, Problem, Rule, Verdict, WorkloadCase};
use crate::disruption::Decision;
use crate::{RuleId, Severity};
use holdfast_model::PodOwner;

pub(super) const RULE: Rule = Rule {
    id: RuleId::SelectorShared,
    severity: Severity::High,
    summary: "a workload's selector covers pods of something else",
    prose: include_str!("selector_shared.md"),
    check: Check::Workload(check),
};

fn check(case: &WorkloadCase<'_>) -> Verdict {
    let Decision::SelectorShared(other) = &case.outcome.decision else { return Verdict::Holds };
    let other = match other {
        PodOwner::Workload(id) => id.to_string(),
        PodOwner::Custom(owner) | PodOwner::Unknown(owner) => owner.to_string(),
        PodOwner::Node(node) => format!("the static pods of node {node}"),
        PodOwner::Nobody => "a pod without a controller".to_owned(),
    };
    let message = format!("its selector also covers pods of {other}: a budget over both can't be computed");
    let remedy = "give the pods of each a label of their own and select by it";
    Problem::at("spec.selector", message, remedy).fails()
}
