//! `helm-test-missing`: no HelmRelease runs the tests of its chart. Information, of charts that are known to bring some.

use holdfast_model::Repository;

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

/// Charts with a test that is made unless values say otherwise, and that asks the service whether it answers: a hook
/// `helm.sh/hook: test` in their templates, as read in November 2026. Loki's has a test too, which fails for a single line that was ever lost.
const WITH: [&str; 7] = ["chaski", "echo", "forgejo", "grafana", "kyverno", "podinfo", "vault"];

fn check(repository: &Repository, answers: &mut Answers) {
    let flux = &repository.flux;
    if flux.releases.iter().any(|release| release.tests) {
        answers.holds();
        return;
    }
    for release in &flux.releases {
        let Some(chart) = release.chart_name(flux).filter(|chart| WITH.contains(chart)) else { continue };
        let message = format!("the chart {chart} brings a test, and nothing runs it after an upgrade");
        let remedy = "set spec.test.enable: true, so that an upgrade whose test fails is remediated";
        answers.fails(&release.identity, Problem::at("spec", message, remedy));
    }
}
