//! `kustomize-unsupported`: what Flux would follow and this audit doesn't: a remote resource, a plugin, another repository. Only told, so that nobody
//! takes its silence for an all-clear.

use holdfast_model::Repository;
use holdfast_model::repository::problems::ProblemKind;

use crate::rules::{Answers, Check, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::KustomizeUnsupported,
    domain: Domain::Flux,
    severity: Severity::Info,
    summary: "something was passed over while reading",
    prose: include_str!("kustomize_unsupported.md"),
    check: Check::Files(check),
};

const REMEDY: &str = "nothing to mend; to have it judged too, give the audit what a renderer prints with `--rendered`";

fn check(repository: &Repository, answers: &mut Answers) {
    super::answer(repository, ProblemKind::Unsupported, REMEDY, answers);
}
