//! `audit-policy-off`: a patch that takes the audit policy away which Talos configures, or lets it log nothing.
//!
//! Talos logs the metadata of every request by default and keeps the files small, so this has to be asked for.

use holdfast_model::Repository;
use holdfast_model::repository::Switch;

use super::judge_switches;
use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::AuditPolicyOff,
    domain: Domain::Talos,
    severity: Severity::Low,
    summary: "the audit policy is taken away, or logs nothing",
    prose: include_str!("audit_policy_off.md"),
    check: Check::Files(check),
};

fn check(repository: &Repository, answers: &mut Answers) {
    judge_switches(&repository.talos, answers, |switch| match switch {
        Switch::AuditOff => {
            let message = "the patch switches the audit log off: nothing tells afterwards who did what".to_owned();
            Some(Problem::at(
                "",
                message,
                "remove the patch, or log at least the level Metadata for what changes objects",
            ))
        }
        Switch::Configured
        | Switch::Encrypted
        | Switch::AdmissionRemoved
        | Switch::AdmissionPrivileged
        | Switch::SeccompOff => None,
    });
}
