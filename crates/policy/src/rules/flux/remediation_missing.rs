//! `remediation-missing`: a HelmRelease that gives up at the first failure.
//!
//! As it is after the patches of its parents, and with the feature gate `DefaultToRetryOnFailure` where it is seen. A
//! strategy `RetryOnFailure` needs no remediation.

use holdfast_model::Repository;
use holdfast_model::repository::{Action, Flux};

use super::answer;
use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::RemediationMissing,
    domain: Domain::Flux,
    severity: Severity::Medium,
    summary: "a HelmRelease isn't tried again after a failure",
    prose: include_str!("remediation_missing.md"),
    check: Check::Files(check),
};

fn check(repository: &Repository, answers: &mut Answers) {
    let flux = &repository.flux;
    let (mut holding, mut failing) = (0, Vec::new());
    let mut retried = (true, true);
    for release in &flux.releases {
        let (install, upgrade) = (retries(&release.install, flux), retries(&release.upgrade, flux));
        if install && upgrade {
            holding += 1;
            continue;
        }
        retried = (retried.0 && install, retried.1 && upgrade);
        let message = format!("no retries: a failed {} stays as it is until a person comes", lacking(install, upgrade));
        let remedy =
            "set strategy.name: RetryOnFailure, or remediation.retries: 3, under spec.install and spec.upgrade";
        failing.push((&release.identity, Problem::at("spec", message, remedy)));
    }
    let actions = lacking(retried.0, retried.1);
    answer(flux, answers, holding, failing, |many, names| {
        let message = format!("{many} HelmReleases have no retries for {actions}: {names}");
        let remedy = "patch strategy.name: RetryOnFailure, or remediation.retries: 3, under spec.install and spec.upgrade \
                      into all of them here";
        Problem::at("spec.patches", message, remedy)
    });
}

/// What isn't tried again.
fn lacking(install: bool, upgrade: bool) -> &'static str {
    match (install, upgrade) {
        (false, true) => "install",
        (true, false) => "upgrade",
        (false, false) | (true, true) => "install or upgrade",
    }
}

fn retries(action: &Action, flux: &Flux) -> bool {
    match action.strategy.as_deref() {
        Some("RetryOnFailure") => true,
        Some(_) => action.remediates,
        None => action.remediates || flux.retries_by_default,
    }
}
