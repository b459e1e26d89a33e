//! `alert-missing`: no Alert at all, so a failure of Flux is silent.

use holdfast_model::Repository;

use super::{is_used, root};
use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::AlertMissing,
    domain: Domain::Flux,
    severity: Severity::Low,
    summary: "nobody is told when Flux fails",
    prose: include_str!("alert_missing.md"),
    check: Check::Files(check),
};

fn check(repository: &Repository, answers: &mut Answers) {
    let flux = &repository.flux;
    let Some(root) = root(flux).filter(|_| is_used(flux)) else { return };
    if 0 < flux.alerts {
        answers.holds();
        return;
    }
    let message = "no Alert in the whole cluster: nobody is told when a Kustomization or HelmRelease fails".to_owned();
    answers.fails(
        root,
        Problem::at(
            "",
            message,
            "add a Provider and an Alert for eventSeverity: error, whose eventSources name each namespace",
        ),
    );
}
