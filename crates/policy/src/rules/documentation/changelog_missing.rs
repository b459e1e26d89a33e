//! `changelog-missing`: nothing says what changed. Once for a checkout.
//!
//! Known by names of documents and by headings of the README, generously. A folder that is no root of a repository is not
//! judged, nor is one from which nothing is released: a repository that follows a branch has no versions to tell of.

use holdfast_model::Repository;
use holdfast_model::repository::Topic;

use super::judge;
use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::ChangelogMissing,
    domain: Domain::Documentation,
    severity: Severity::Info,
    summary: "nothing says what changed",
    prose: include_str!("changelog_missing.md"),
    check: Check::Files(check),
};

fn check(repository: &Repository, answers: &mut Answers) {
    if !repository.documents.releases {
        return;
    }
    let message = "there is no changelog".to_owned();
    judge(
        &repository.documents,
        answers,
        Topic::Changes,
        Problem::at(
            "",
            message,
            "keep a CHANGELOG.md, or let releases write their notes (`.github/release.yaml`, git-cliff)",
        ),
    );
}
