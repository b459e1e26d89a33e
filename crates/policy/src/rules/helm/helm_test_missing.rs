//! `helm-test-missing`: no HelmRelease runs the tests of its chart. Information, once for a cluster.

use holdfast_model::Repository;

use crate::rules::flux::root;
use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::HelmTestMissing,
    domain: Domain::Helm,
    severity: Severity::Info,
    summary: "no HelmRelease runs the tests of its chart",
    prose: include_str!("helm_test_missing.md"),
    check: Check::Files(check),
};

fn check(repository: &Repository, answers: &mut Answers) {
    let releases = &repository.flux.releases;
    let (Some(root), false) = (root(&repository.flux), releases.is_empty()) else { return };
    if releases.iter().any(|release| release.tests) {
        answers.holds();
        return;
    }
    let message = format!("none of {} HelmReleases runs the tests of its chart after an upgrade", releases.len());
    let remedy =
        "set spec.test.enable: true where the chart has tests worth it, so that a broken upgrade is remediated";
    answers.fails(root, Problem::at("", message, remedy));
}
