//! `upgrade-without-health-checks`: a TalosUpgrade or KubernetesUpgrade that waits for nothing, or skips the checks of etcd.
//!
//! For Kubernetes low, since that reboots no node. A Plan of system-upgrade-controller has no health checks; it is not judged.

use holdfast_model::Repository;
use holdfast_model::repository::{Health, Product};

use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::UpgradeWithoutHealthChecks,
    domain: Domain::Talos,
    severity: Severity::Medium,
    summary: "an upgrade goes on to the next node without looking whether the cluster is healthy",
    prose: include_str!("upgrade_without_health_checks.md"),
    check: Check::Files(check),
};

fn check(repository: &Repository, answers: &mut Answers) {
    for upgrade in &repository.talos.upgrades {
        let (severity, message, remedy) = match upgrade.product {
            Product::Talos => (
                Severity::Medium,
                "it has no health checks: the next node follows while storage or databases still recover",
                "add healthChecks, such as for the nodes, the storage and DrainReadiness",
            ),
            Product::Kubernetes => (
                Severity::Low,
                "it has no health checks: it begins also while nodes aren't ready",
                "add healthChecks, such as that every Node is ready",
            ),
        };
        let problem = match upgrade.health {
            Health::NoSuchField => continue,
            Health::Checks(_) if upgrade.force => Problem::at(
                "",
                "force skips the checks that etcd is healthy and would keep its quorum".to_owned(),
                "remove it; it is for a cluster that is broken already",
            )
            .severe(Severity::High),
            Health::Checks(0) => Problem::at("", message.to_owned(), remedy).severe(severity),
            Health::Checks(_) => {
                answers.holds();
                continue;
            }
        };
        answers.fails_where(&upgrade.identity, upgrade.health_at.as_ref(), problem);
    }
}
