//! `budget-would-block`: several replicas that can't come back on another node, so a budget would only block the drain.
//!
//! Reads nodes, volumes and where pods may run; where no node is known, as in files, it doesn't apply.

use crate::disruption::{Confined, Decision};
use crate::rules::{Check, Problem, Rule, Verdict, WorkloadCase};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::BudgetWouldBlock,
    domain: Domain::Disruption,
    severity: Severity::Info,
    summary: "a budget over a workload would block a drain, since its pods can't come back on another node",
    prose: include_str!("budget_would_block.md"),
    check: Check::Workload(check),
};

fn check(case: &WorkloadCase<'_>) -> Verdict {
    let confined = match &case.outcome.decision {
        Decision::Confined(confined) => confined,
        Decision::Budget(_) if case.survey.view.nodes().next().is_some() => return Verdict::Holds,
        Decision::Budget(_)
        | Decision::Excepted(_)
        | Decision::NotSelected
        | Decision::OperatorOwned(_)
        | Decision::CustomOwned(_)
        | Decision::SelectorInvalid(_)
        | Decision::SelectorShared(_)
        | Decision::Yielded(_)
        | Decision::ScaledToZero
        | Decision::Singleton
        | Decision::QuorumPair
        | Decision::Held(_) => return Verdict::NotApplicable,
    };
    let (message, remedy) = match confined {
        Confined::ToOneNode(None) => (
            "no node has the labels and taints that its pods ask for, so there is nothing that a budget could keep"
                .to_owned(),
            "mend its nodeSelector, affinity or tolerations",
        ),
        Confined::ToOneNode(Some(node)) => (
            format!(
                "its pods can run on node {node} only: what a drain takes can't come back, and a budget would block it"
            ),
            "let a second node have the labels that it asks for, or expect an interruption at each drain",
        ),
        Confined::ByVolumes { node, pods } => (
            format!(
                "volumes keep {pods} of its pods on node {node}: what a drain takes can't come back, and a budget would block it"
            ),
            "put their volumes on different nodes, or on storage that can be reached from all of them",
        ),
    };
    Problem::at("spec.template.spec", message, remedy).fails()
}
