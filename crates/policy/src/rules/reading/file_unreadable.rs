//! `file-unreadable`: a file or folder that can't be read, or that is no YAML; what it would say isn't judged.

use holdfast_model::Repository;
use holdfast_model::repository::problems::ProblemKind;

use crate::rules::{Answers, Check, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::FileUnreadable,
    domain: Domain::Flux,
    severity: Severity::High,
    summary: "a file can't be read",
    prose: include_str!("file_unreadable.md"),
    check: Check::Files(check),
};

const REMEDY: &str = "correct the file; what is meant for no cluster belongs under another name";

fn check(repository: &Repository, answers: &mut Answers) {
    super::answer(repository, ProblemKind::FileUnreadable, REMEDY, answers);
}
