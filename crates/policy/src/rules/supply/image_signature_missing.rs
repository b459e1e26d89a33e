//! `image-signature-missing`: images are published that nobody signs.
//!
//! Once for a checkout, at the first step that publishes. Flux and admission controllers can only verify what is signed.
//! A checkout that publishes no images is not judged.

use holdfast_model::Repository;
use holdfast_model::repository::Guard;

use super::judge_images;
use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::ImageSignatureMissing,
    domain: Domain::Supply,
    severity: Severity::Low,
    summary: "images are published that nobody signs",
    prose: include_str!("image_signature_missing.md"),
    check: Check::Files(check),
};

fn check(repository: &Repository, answers: &mut Answers) {
    let remedy = "sign the digest with `cosign sign`, keyless by the identity of the workflow";
    let problem = Problem::at("", "images are published without a signature".to_owned(), remedy);
    judge_images(&repository.supply, answers, Guard::Signature, problem);
}
