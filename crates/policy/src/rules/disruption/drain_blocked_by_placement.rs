//! `drain-blocked-by-placement`: a budget that lets a pod go which can't come back while its node is drained.
//!
//! Only where files alone show it: replicas that are all on one node by its name, or more of them than the nodes that the files
//! list take apart or evenly. Where nodes are known the forecast (`holdfast drain`) tells it of each. A budget that lets nobody
//! go wherever the pods are is `drain-blocked`.

use crate::drain::Obstacle;
use crate::drain::outlook::{Staged, stage};
use crate::rules::{Check, Problem, Rule, Verdict, WorkloadCase};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::DrainBlockedByPlacement,
    domain: Domain::Disruption,
    severity: Severity::Critical,
    summary: "a disruption budget waits for a pod that can't come back while its node is drained",
    prose: include_str!("drain_blocked_by_placement.md"),
    check: Check::Workload(check),
};

const ON_ONE_NODE: &str = "let its pods run on a second node, or remove the budget: while all are on one it only keeps that from being drained";
const TOO_MANY: &str = "run no more replicas than there are nodes, or only prefer that they are apart";
const UNEVEN: &str = "set nodeTaintsPolicy: Honor on the constraint, which leaves a cordoned node out, or whenUnsatisfiable: ScheduleAnyway";

fn check(case: &WorkloadCase<'_>) -> Verdict {
    if case.survey.view.nodes().next().is_some() || !case.survey.has_budget(case.workload) {
        return Verdict::NotApplicable;
    }
    let Some(staged) = stage(case.survey, case.workload, case.nodes) else { return Verdict::NotApplicable };
    let Staged::Stuck { place, budget, pods, nodes, .. } = staged else { return Verdict::Holds };
    let (field, message, remedy) = match (place, case.workload.placement.only_host()) {
        (Obstacle::Apart, _) => (
            "spec.template.spec.affinity.podAntiAffinity",
            format!(
                "{pods} replicas that share no node, and {nodes} nodes: one always waits for a place, so its budget {budget} lets nobody go"
            ),
            TOO_MANY,
        ),
        (_, Some(host)) => (
            "spec.template.spec",
            format!(
                "all {pods} replicas are on node {host}: what a drain takes can't come back, and its budget {budget} then lets nobody go"
            ),
            ON_ONE_NODE,
        ),
        (_, None) => (
            "spec.template.spec.topologySpreadConstraints",
            format!(
                "{pods} replicas that must be even over {nodes} nodes: what a drain takes finds no place, and its budget {budget} then lets nobody go"
            ),
            UNEVEN,
        ),
    };
    Problem::at(field, message, remedy).fails()
}
