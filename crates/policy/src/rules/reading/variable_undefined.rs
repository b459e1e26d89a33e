//! `variable-undefined`: a variable without value and default. In strict mode Flux refuses it, without strict mode it becomes nothing.

use holdfast_model::Repository;
use holdfast_model::repository::problems::ProblemKind;

use crate::rules::{Answers, Check, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::VariableUndefined,
    domain: Domain::Flux,
    severity: Severity::Medium,
    summary: "a variable has neither a value nor a default",
    prose: include_str!("variable_undefined.md"),
    check: Check::Files(check),
};

const REMEDY: &str = "where it isn't meant for Flux, as in a dashboard, annotate the object it stands in with kustomize.toolkit.fluxcd.io/substitute: \
     disabled, or write `$${NAME}` at each place; else give it a value under spec.postBuild, or a default as in `${NAME:=value}`: \
     nothing stands there otherwise";

fn check(repository: &Repository, answers: &mut Answers) {
    super::answer(repository, ProblemKind::VariableUndefined, REMEDY, answers);
}
