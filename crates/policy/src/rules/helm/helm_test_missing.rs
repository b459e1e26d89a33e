//! `helm-test-missing`: no HelmRelease runs the tests of its chart. Information, once for a cluster that has a chart
//! which is known to bring some.

use holdfast_model::Repository;
use holdfast_model::repository::Release;

use crate::rules::flux::root;
use crate::rules::{Answers, Check, Problem, Rule, named};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::HelmTestMissing,
    domain: Domain::Helm,
    severity: Severity::Info,
    summary: "no HelmRelease runs the tests of its chart",
    prose: include_str!("helm_test_missing.md"),
    check: Check::Files(check),
};

/// Charts with a test that is made unless values say otherwise: a hook `helm.sh/hook: test` in their templates, as read in
/// November 2026.
const WITH: [&str; 8] = ["chaski", "echo", "forgejo", "grafana", "kyverno", "loki", "podinfo", "vault"];

fn check(repository: &Repository, answers: &mut Answers) {
    let flux = &repository.flux;
    if flux.releases.iter().any(|release| release.tests) {
        answers.holds();
        return;
    }
    let with_tests = |release: &&Release| release.chart_name(flux).is_some_and(|chart| WITH.contains(&chart));
    let names: Vec<&str> =
        flux.releases.iter().filter(with_tests).map(|release| release.identity.subject.name.as_str()).collect();
    let (Some(root), [_, ..]) = (root(flux), names.as_slice()) else { return };
    let message = format!(
        "no HelmRelease runs the tests of its chart after an upgrade, though {} could",
        named(names.iter().copied())
    );
    let remedy = "set spec.test.enable: true there, so that an upgrade whose test fails is remediated";
    answers.fails(root, Problem::at("", message, remedy));
}
