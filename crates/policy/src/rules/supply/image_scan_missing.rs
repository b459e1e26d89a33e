//! `image-scan-missing`: images are published that nothing scans.
//!
//! Once for a checkout, at the first step that publishes. Known are the usual scanners, as actions and as commands.
//! A checkout that publishes no images is not judged.

use holdfast_model::Repository;
use holdfast_model::repository::Guard;

use super::judge_images;
use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::ImageScanMissing,
    domain: Domain::Supply,
    severity: Severity::Low,
    summary: "images are published that nothing scans",
    prose: include_str!("image_scan_missing.md"),
    check: Check::Files(check),
};

fn check(repository: &Repository, answers: &mut Answers) {
    let remedy = "scan before pushing, such as with trivy or grype, and fail on what has a fix";
    let problem =
        Problem::at("", "images are published and nothing looks for known vulnerabilities in them".to_owned(), remedy);
    judge_images(&repository.supply, answers, Guard::Scan, problem);
}
