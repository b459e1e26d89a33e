//! `contribution-guide-missing`: nothing says how to take part. Once for a checkout.
//!
//! Known by names of documents and by headings of the README, generously. A folder that is no root of a repository is not
//! judged, nor is one that invites nobody.

use holdfast_model::Repository;
use holdfast_model::repository::Topic;

use super::judge;
use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::ContributionGuideMissing,
    domain: Domain::Documentation,
    severity: Severity::Info,
    summary: "nothing says how to take part",
    prose: include_str!("contribution_guide_missing.md"),
    check: Check::Files(check),
};

fn check(repository: &Repository, answers: &mut Answers) {
    if !repository.documents.invites {
        return;
    }
    let message = "there is no guide for contributors".to_owned();
    judge(
        &repository.documents,
        answers,
        Topic::Contributing,
        Problem::at("", message, "add CONTRIBUTING.md: how to set up, to check a change, and to propose it"),
    );
}
