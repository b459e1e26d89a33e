//! `replicas-not-spread`: two replicas or more, and nothing that keeps them off one node.
//!
//! The scheduler's own default spreads softly over nodes, so this is information; where its configuration has default
//! constraints of its own over nodes, it holds. Judged of templates that are known whole, at the floor of an autoscaler where
//! there is one. Whether the replicas share a node at present is `replicas-on-one-node`, which only a cluster shows. Says
//! nothing where the files say that there is one node: nothing can be kept off it.

use holdfast_model::repository::Template;
use holdfast_model::{Repository, WorkloadKind};

use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, Policies, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::ReplicasNotSpread,
    domain: Domain::Disruption,
    severity: Severity::Info,
    summary: "replicas of a workload may all run on one node",
    prose: include_str!("replicas_not_spread.md"),
    check: Check::FilesOnNodes(check),
};

fn check(repository: &Repository, policies: &Policies, answers: &mut Answers) {
    if policies.nodes() == Some(1) {
        return;
    }
    for template in &repository.templates {
        let Some(floor) = floor(template, repository).filter(|floor| 2 <= *floor) else { continue };
        if template.spread || policies.server().spreads {
            answers.holds();
            continue;
        }
        let message = format!(
            "{floor} replicas and neither an anti-affinity nor a topology spread: the scheduler alone prefers to keep them apart"
        );
        let remedy = "add a topologySpreadConstraint over kubernetes.io/hostname; DoNotSchedule insists, where there are nodes enough";
        answers.fails(&template.identity, Problem::at("spec.replicas", message, remedy));
    }
}

/// The least replicas it has; none for what doesn't run replicas.
fn floor(template: &Template, repository: &Repository) -> Option<u32> {
    match template.kind {
        WorkloadKind::Deployment | WorkloadKind::StatefulSet => {}
        WorkloadKind::DaemonSet | WorkloadKind::ReplicaSet | WorkloadKind::Job | WorkloadKind::CronJob => return None,
    }
    let subject = &template.identity.subject;
    let scaler = repository.disruption.floors.iter().find(|floor| {
        floor.kind == template.kind && floor.name == subject.name && floor.namespace == subject.namespace
    });
    Some(scaler.map_or(template.replicas.unwrap_or(1), |floor| floor.least))
}
