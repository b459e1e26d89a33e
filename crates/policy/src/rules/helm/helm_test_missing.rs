//! `helm-test-missing`: no HelmRelease runs the tests of its chart. Information, once for a cluster. Releases of charts that were
//! seen to bring none don't count.

use holdfast_model::Repository;
use holdfast_model::repository::Release;

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

/// Charts in whose templates no hook is a test, in November 2026.
const WITHOUT: [&str; 15] = [
    "app-template",
    "cert-manager",
    "coredns",
    "descheduler",
    "flux-instance",
    "flux-operator",
    "gateway-helm",
    "kube-state-metrics",
    "prometheus-adapter",
    "prometheus-blackbox-exporter",
    "prometheus-node-exporter",
    "prometheus-smartctl-exporter",
    "reloader",
    "victoria-logs-collector",
    "victoria-logs-single",
];

fn check(repository: &Repository, answers: &mut Answers) {
    let flux = &repository.flux;
    if flux.releases.iter().any(|release| release.tests) {
        answers.holds();
        return;
    }
    let may_bring_some = |release: &&Release| release.chart_name(flux).is_none_or(|chart| !WITHOUT.contains(&chart));
    let count = flux.releases.iter().filter(may_bring_some).count();
    let (Some(root), 1..) = (root(flux), count) else { return };
    let message = format!("none of {count} HelmReleases whose charts may bring tests runs them after an upgrade");
    let remedy = "set spec.test.enable: true where the chart has tests worth it (a hook `helm.sh/hook: test` in its templates), so that a broken upgrade is remediated";
    answers.fails(root, Problem::at("", message, remedy));
}
