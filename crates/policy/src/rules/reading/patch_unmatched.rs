//! `patch-unmatched`: a patch whose selector matches nothing in its own overlay, so that it does nothing.
//!
//! Patches that a Kustomization of Flux hands to all of its children are left alone: they are meant to match only some.

use holdfast_model::Repository;
use holdfast_model::repository::problems::ProblemKind;

use crate::rules::{Answers, Check, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::PatchUnmatched,
    domain: Domain::Flux,
    severity: Severity::Low,
    summary: "a patch of an overlay matches nothing",
    prose: include_str!("patch_unmatched.md"),
    check: Check::Files(check),
};

const REMEDY: &str = "correct its target, or delete the patch";

fn check(repository: &Repository, answers: &mut Answers) {
    super::answer(repository, ProblemKind::PatchUnmatched, REMEDY, answers);
}
