//! `kubernetes-version-unsupported`: a minor of Kubernetes that upstream no longer maintains.
//!
//! Compared with the table in `releases`, whose date the message names. Only where it is Talos that runs it: what files of
//! other installers say isn't read.

use holdfast_model::Repository;
use holdfast_model::repository::Product;

use super::{Stated, releases};
use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::KubernetesVersionUnsupported,
    domain: Domain::Talos,
    severity: Severity::Medium,
    summary: "a version of Kubernetes is pinned that gets no fixes any more",
    prose: include_str!("kubernetes_version_unsupported.md"),
    check: Check::Files(check),
};

fn check(repository: &Repository, answers: &mut Answers) {
    for stated in Stated::all(&repository.talos, Product::Kubernetes) {
        let oldest = releases::KUBERNETES_OLDEST;
        let behind = oldest.saturating_sub(stated.version.minor);
        if stated.version.major != releases::KUBERNETES.major || behind == 0 {
            answers.holds();
            continue;
        }
        let on = releases::KUBERNETES.on;
        let message =
            format!("Kubernetes {} is maintained no more; on {on} the oldest was v1.{oldest}", stated.version);
        let remedy = format!("upgrade one minor at a time, to v1.{oldest} or later");
        let severity = if behind == 1 { Severity::Medium } else { Severity::High };
        stated.fails(answers, Problem::at("", message, remedy).severe(severity));
    }
}
