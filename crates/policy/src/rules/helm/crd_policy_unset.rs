//! `crd-policy-unset`: an upgrade that leaves the chart's custom resource definitions behind.
//!
//! Helm installs what is in a chart's folder `crds` and never upgrades it, unless `upgrade.crds` says so. Judged of charts
//! that are known to have that folder. Charts with definitions among their templates (cert-manager, external-secrets,
//! CloudNativePG) are upgraded by Helm itself.

use holdfast_model::Repository;

use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::CrdPolicyUnset,
    domain: Domain::Helm,
    severity: Severity::Medium,
    summary: "an upgrade leaves custom resource definitions behind",
    prose: include_str!("crd_policy_unset.md"),
    check: Check::Files(check),
};

/// Charts with definitions in their folder `crds`, or in that of a chart they bring along.
const CHARTS: [&str; 12] = [
    "envoy-gateway",
    "flagger",
    "gateway-helm",
    "gha-runner-scale-set-controller",
    "gpu-operator",
    "grafana-operator",
    "intel-device-plugins-operator",
    "kube-prometheus-stack",
    "node-feature-discovery",
    "traefik",
    "vault-secrets-operator",
    "victoria-metrics-operator",
];

fn check(repository: &Repository, answers: &mut Answers) {
    for release in &repository.flux.releases {
        let Some(chart) = release.chart_name(&repository.flux) else { continue };
        if !CHARTS.contains(&chart) {
            continue;
        }
        if release.upgrade.crds.is_some() {
            answers.holds();
            continue;
        }
        let message =
            format!("upgrade.crds is unset: an upgrade of {chart} leaves its custom resource definitions behind");
        let remedy =
            "set spec.install.crds and spec.upgrade.crds: CreateReplace, or Skip if something else applies them";
        answers.fails(&release.identity, Problem::at("spec.upgrade", message, remedy));
    }
}
