//! `drift-runbook-missing`: nothing says what to do when the cluster is not as Git says. Once for a checkout.
//!
//! Known by names of documents and by headings of the README, generously. A folder that is no root of a repository is not
//! judged.

use holdfast_model::Repository;
use holdfast_model::repository::Topic;

use super::judge;
use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::DriftRunbookMissing,
    domain: Domain::Documentation,
    severity: Severity::Info,
    summary: "nothing says what to do when the cluster is not as Git says",
    prose: include_str!("drift_runbook_missing.md"),
    check: Check::Files(check),
};

fn check(repository: &Repository, answers: &mut Answers) {
    let message = "no document or section says what to do when the cluster differs from Git".to_owned();
    judge(
        &repository.documents,
        answers,
        Topic::Drift,
        Problem::at("", message, "write down how to find what differs, and how to suspend and resume"),
    );
}
