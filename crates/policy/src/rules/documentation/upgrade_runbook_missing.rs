//! `upgrade-runbook-missing`: nothing says how to upgrade. Once for a checkout.
//!
//! Known by names of documents and by headings of the README, generously. A folder that is no root of a repository is not
//! judged.

use holdfast_model::Repository;
use holdfast_model::repository::Topic;

use super::judge;
use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::UpgradeRunbookMissing,
    domain: Domain::Documentation,
    severity: Severity::Info,
    summary: "nothing says how to upgrade",
    prose: include_str!("upgrade_runbook_missing.md"),
    check: Check::Files(check),
};

fn check(repository: &Repository, answers: &mut Answers) {
    let message = "no document or section says how nodes and Kubernetes are upgraded".to_owned();
    judge(
        &repository.documents,
        answers,
        Topic::Upgrade,
        Problem::at("", message, "write down the order, what to look at before, and how to stop"),
    );
}
