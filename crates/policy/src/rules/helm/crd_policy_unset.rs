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

/// Charts with definitions in their folder `crds`, or in that of a chart they bring along, each with the version that was read.
/// Left out are charts that apply what is in that folder again by a hook of their own (gpu-operator 26.7.0,
/// vault-secrets-operator 1.4.1), and those that have it among their templates unless told otherwise
/// (victoria-metrics-operator 0.67.2).
const CHARTS: [&str; 9] = [
    "envoy-gateway",                   // Bitnami's 1.0.4
    "flagger",                         // 1.44.0
    "gateway-helm",                    // 1.9.0
    "gha-runner-scale-set-controller", // 0.14.2
    "grafana-operator",                // 5.24.0, unless crds.immutable is false
    "intel-device-plugins-operator",   // 0.36.0
    "kube-prometheus-stack",           // 88.5.3, unless crds.upgradeJob.enabled
    "node-feature-discovery",          // 0.19.0
    "traefik",                         // 41.3.0
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
