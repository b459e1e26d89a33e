//! `kustomize-build-failed`: an overlay that Kustomize itself would not build, so that Flux applies nothing of it.

use holdfast_model::Repository;
use holdfast_model::repository::problems::ProblemKind;

use crate::rules::{Answers, Check, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::KustomizeBuildFailed,
    domain: Domain::Flux,
    severity: Severity::High,
    summary: "an overlay is one that Kustomize would refuse to build",
    prose: include_str!("kustomize_build_failed.md"),
    check: Check::Files(check),
};

const REMEDY: &str = "correct it until `kustomize build` prints what you mean";

fn check(repository: &Repository, answers: &mut Answers) {
    super::answer(repository, ProblemKind::BuildFailed, REMEDY, answers);
}
