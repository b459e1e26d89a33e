//! `recovery-runbook-missing`: nothing says how to get everything back. Once for a checkout.
//!
//! Known by names of documents and by headings of the README, generously. A folder that is no root of a repository is not
//! judged.

use holdfast_model::Repository;
use holdfast_model::repository::Topic;

use super::judge;
use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::RecoveryRunbookMissing,
    domain: Domain::Documentation,
    severity: Severity::Info,
    summary: "nothing says how to get everything back",
    prose: include_str!("recovery_runbook_missing.md"),
    check: Check::Files(check),
};

fn check(repository: &Repository, answers: &mut Answers) {
    let message = "no document or section says how to get the cluster back after a disaster".to_owned();
    judge(
        &repository.documents,
        answers,
        Topic::Recovery,
        Problem::at(
            "",
            message,
            "write down where backups and keys are, and in which order things come back; then try it",
        ),
    );
}
