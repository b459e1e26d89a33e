//! `substitution-failed`: `${...}` in a form that Flux doesn't know: it gives up the whole Kustomization over one.

use holdfast_model::Repository;
use holdfast_model::repository::problems::ProblemKind;

use crate::rules::{Answers, Check, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::SubstitutionFailed,
    domain: Domain::Flux,
    severity: Severity::High,
    summary: "an expression can't be substituted",
    prose: include_str!("substitution_failed.md"),
    check: Check::Files(check),
};

const REMEDY: &str =
    "write `$${` for what should stay, or annotate the object with `kustomize.toolkit.fluxcd.io/substitute: disabled`";

fn check(repository: &Repository, answers: &mut Answers) {
    super::answer(repository, ProblemKind::SubstitutionFailed, REMEDY, answers);
}
