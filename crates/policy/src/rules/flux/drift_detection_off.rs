//! `drift-detection-off`: what somebody changes by hand in a HelmRelease's objects stays changed, and unseen.
//!
//! Where no release detects drift it is information, once; where some do, the others look forgotten.

use holdfast_model::Repository;

use super::answer;
use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::DriftDetectionOff,
    domain: Domain::Flux,
    severity: Severity::Info,
    summary: "changes by hand to what a HelmRelease made stay unseen",
    prose: include_str!("drift_detection_off.md"),
    check: Check::Files(check),
};

fn check(repository: &Repository, answers: &mut Answers) {
    let flux = &repository.flux;
    let (on, off): (Vec<_>, Vec<_>) = flux.releases.iter().partition(|release| release.drift_detection);
    let problem = || {
        let message = "driftDetection is off: what is changed by hand stays changed, and unseen".to_owned();
        Problem::at("spec", message, "set spec.driftDetection.mode: warn, or enabled to have it put back, with `ignore` for what others change, such as replicas")
            .patched("spec:\n  driftDetection:\n    mode: warn")
    };
    let failing = off.iter().map(|release| (&release.identity, problem())).collect();
    answer(flux, answers, on.len(), failing, |many, _| {
        let message =
            format!("{many} HelmReleases don't detect drift: what is changed by hand stays changed, and unseen");
        let remedy = "patch spec.driftDetection.mode: warn into all of them here, and enabled once `ignore` names what others change, such as replicas";
        Problem::at("spec.patches", message, remedy)
    });
}
