//! `admission-configuration-removed`: a patch that takes the PodSecurity admission away which Talos configures.
//!
//! Also where it stays and enforces `privileged` by default. Namespaces with labels of their own are as safe as before, so low.

use holdfast_model::Repository;
use holdfast_model::repository::Switch;

use super::judge_switches;
use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::AdmissionConfigurationRemoved,
    domain: Domain::Talos,
    severity: Severity::Low,
    summary: "the admission configuration of Talos is taken away",
    prose: include_str!("admission_configuration_removed.md"),
    check: Check::Files(check),
};

fn check(repository: &Repository, answers: &mut Answers) {
    judge_switches(&repository.talos, answers, |switch| {
        let (message, remedy) = match switch {
            Switch::AdmissionRemoved => (
                "the patch takes the PodSecurity admission away: a namespace without labels of its own takes every pod",
                "label the namespaces that need more than baseline, then take this out of the patch",
            ),
            Switch::AdmissionPrivileged => (
                "PodSecurity enforces privileged by default: a namespace without labels of its own takes every pod",
                "write enforce: baseline, and label the namespaces that need more",
            ),
            Switch::Configured | Switch::Encrypted | Switch::AuditOff | Switch::SeccompOff => return None,
        };
        Some(Problem::at("", message.to_owned(), remedy))
    });
}
