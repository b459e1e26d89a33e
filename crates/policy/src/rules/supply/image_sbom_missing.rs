//! `image-sbom-missing`: images are published without a list of what is in them.
//!
//! Once for a checkout, at the first step that publishes. Information: few consumers read it yet.
//! A checkout that publishes no images is not judged.

use holdfast_model::Repository;
use holdfast_model::repository::Guard;

use super::judge_images;
use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::ImageSbomMissing,
    domain: Domain::Supply,
    severity: Severity::Info,
    summary: "images are published without a list of what is in them",
    prose: include_str!("image_sbom_missing.md"),
    check: Check::Files(check),
};

fn check(repository: &Repository, answers: &mut Answers) {
    let remedy = "set `sbom: true` on docker/build-push-action, or attach one with syft";
    let problem = Problem::at("", "images are published without an SBOM".to_owned(), remedy);
    judge_images(&repository.supply, answers, Guard::Sbom, problem);
}
