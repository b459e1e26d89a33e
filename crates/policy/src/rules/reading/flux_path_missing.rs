//! `flux-path-missing`: a Kustomization whose path isn't in the checkout, so that it applies nothing.

use holdfast_model::Repository;
use holdfast_model::repository::problems::ProblemKind;

use crate::rules::{Answers, Check, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::FluxPathMissing,
    domain: Domain::Flux,
    severity: Severity::High,
    summary: "a Kustomization has a path that isn't there",
    prose: include_str!("flux_path_missing.md"),
    check: Check::Files(check),
};

const REMEDY: &str = "correct spec.path, or delete the Kustomization";

fn check(repository: &Repository, answers: &mut Answers) {
    super::answer(repository, ProblemKind::PathMissing, REMEDY, answers);
}
