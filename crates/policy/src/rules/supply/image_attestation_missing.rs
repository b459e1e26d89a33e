//! `image-attestation-missing`: images are published that do not say how they were built.
//!
//! Once for a checkout, at the first step that publishes. docker/build-push-action attests by itself unless it is told not to.
//! A checkout that publishes no images is not judged.

use holdfast_model::Repository;
use holdfast_model::repository::Guard;

use super::judge_images;
use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::ImageAttestationMissing,
    domain: Domain::Supply,
    severity: Severity::Info,
    summary: "images are published that do not say how they were built",
    prose: include_str!("image_attestation_missing.md"),
    check: Check::Files(check),
};

fn check(repository: &Repository, answers: &mut Answers) {
    let remedy = "leave `provenance` on in docker/build-push-action, or use actions/attest";
    let problem = Problem::at("", "images are published without provenance".to_owned(), remedy);
    judge_images(&repository.supply, answers, Guard::Attestation, problem);
}
