//! `monitoring-single-replica`: a Prometheus or Alertmanager with one replica. Information: at home one is enough.
//!
//! Read from their own resources and from values of kube-prometheus-stack. Not judged where it is scaled to zero or the cluster has one node, nor of an
//! Alertmanager that sends nothing to anybody: a second one wouldn't either.

use holdfast_model::Repository;
use holdfast_model::repository::Monitor;

use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, Policies, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::MonitoringSingleReplica,
    domain: Domain::Observability,
    severity: Severity::Info,
    summary: "what watches the cluster runs once",
    prose: include_str!("monitoring_single_replica.md"),
    check: Check::FilesOnNodes(check),
};

fn check(repository: &Repository, policies: &Policies, answers: &mut Answers) {
    // With the only node everything that it watches is away too.
    if policies.nodes() == Some(1) {
        return;
    }
    let facts = &repository.observability;
    for monitor in &facts.monitors {
        match monitor.replicas {
            0 => {}
            1 if monitor.mute && facts.receivers == 0 => {}
            1 => {
                let value = value(monitor).map_or(String::new(), |value| format!(" ({value})"));
                let (meanwhile, remedy) = match monitor.what {
                    "Alertmanager" => (
                        "alerts are late",
                        format!("run two or three{value}, on different nodes: they form a cluster and send each alert once"),
                    ),
                    _ if monitor.receives => (
                        "nothing is recorded and no rule is evaluated",
                        "expect that gap: others write to it, and of two each would know but a part unless all write to both".to_owned(),
                    ),
                    _ => (
                        "nothing is recorded and no rule is evaluated",
                        format!(
                            "run two{value}, on different nodes and each with its own storage, where a gap during upgrades matters"
                        ),
                    ),
                };
                let message =
                    format!("{} runs once: from its eviction until it runs elsewhere {meanwhile}", monitor.what);
                answers.fails(&monitor.identity, Problem::at(monitor.field.as_str().to_owned(), message, remedy));
            }
            _ => answers.holds(),
        }
    }
}

/// The value of kube-prometheus-stack that takes its replicas; none of a resource of its own.
fn value(monitor: &Monitor) -> Option<String> {
    let path = monitor.field.strip_prefix("spec.values.")?;
    Some(if path.ends_with(".replicas") { path.to_owned() } else { format!("{path}.replicas") })
}
