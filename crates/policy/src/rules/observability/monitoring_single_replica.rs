//! `monitoring-single-replica`: a Prometheus or Alertmanager with one replica. Information: at home one is enough.
//!
//! Read from their own resources and from values of kube-prometheus-stack. Not judged where it is scaled to zero, nor of an
//! Alertmanager that sends nothing to anybody: a second one wouldn't either.

use holdfast_model::Repository;

use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::MonitoringSingleReplica,
    domain: Domain::Observability,
    severity: Severity::Info,
    summary: "what watches the cluster runs once",
    prose: include_str!("monitoring_single_replica.md"),
    check: Check::Files(check),
};

fn check(repository: &Repository, answers: &mut Answers) {
    let facts = &repository.observability;
    for monitor in &facts.monitors {
        match monitor.replicas {
            0 => {}
            1 if monitor.mute && facts.receivers == 0 => {}
            1 => {
                let (meanwhile, remedy) = match monitor.what {
                    "Alertmanager" => (
                        "alerts come late",
                        "run two or three, on different nodes: they form a cluster and send each alert once",
                    ),
                    _ => (
                        "nothing is watched",
                        "run two, on different nodes and each with its own storage, where a gap during upgrades matters",
                    ),
                };
                let message = format!("{} runs once: while its node is drained {meanwhile}", monitor.what);
                answers.fails(&monitor.identity, Problem::at(monitor.field.as_str().to_owned(), message, remedy));
            }
            _ => answers.holds(),
        }
    }
}
