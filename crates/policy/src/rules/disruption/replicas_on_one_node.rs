//! `replicas-on-one-node`: all ready replicas run on one node, so its failure takes them all.

use crate::rules::{Check, Problem, Rule, Verdict, WorkloadCase};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::ReplicasOnOneNode,
    domain: Domain::Disruption,
    severity: Severity::Info,
    summary: "all replicas of a workload run on one node",
    prose: include_str!("replicas_on_one_node.md"),
    check: Check::Workload(check),
};

fn check(case: &WorkloadCase<'_>) -> Verdict {
    let mut nodes = case.pods().filter(|pod| pod.ready && !pod.terminating).filter_map(|pod| pod.node.as_ref());
    let Some(first) = nodes.next() else { return Verdict::NotApplicable };
    let others: Vec<_> = nodes.collect();
    if others.is_empty() {
        return Verdict::NotApplicable;
    }
    if others.iter().any(|node| *node != first) {
        return Verdict::Holds;
    }
    let all = if others.len() == 1 { "both".to_owned() } else { format!("all {}", others.len() + 1) };
    let message = format!("{all} ready replicas run on node {first}");
    let remedy = "add a topologySpreadConstraint or an anti-affinity over kubernetes.io/hostname";
    Problem::at("spec.template.spec.topologySpreadConstraints", message, remedy).fails()
}
