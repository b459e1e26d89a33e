//! `retry-interval-missing`: a Kustomization that is tried again only after its long interval.

use holdfast_model::Repository;

use super::{SHORT, answer};
use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::RetryIntervalMissing,
    domain: Domain::Flux,
    severity: Severity::Low,
    summary: "a Kustomization that fails is tried again only after a long interval",
    prose: include_str!("retry_interval_missing.md"),
    check: Check::Files(check),
};

fn check(repository: &Repository, answers: &mut Answers) {
    let long = repository.flux.kustomizations.iter().filter(|it| it.interval.is_some_and(|interval| SHORT < interval));
    let (given, without): (Vec<_>, Vec<_>) = long.partition(|kustomization| kustomization.retry_interval);
    let problem = || {
        let message =
            "no retryInterval: what failed is tried again only when its interval is over or a new revision comes";
        Problem::at("spec.interval", message.to_owned(), "set spec.retryInterval, such as 2m")
            .patched("spec:\n  retryInterval: 2m")
    };
    let failing = without.iter().map(|kustomization| (&kustomization.identity, problem())).collect();
    answer(&repository.flux, answers, given.len(), failing, |many, names| {
        let message = format!("{many} Kustomizations have no retryInterval and an interval above 15m: {names}");
        Problem::at("spec.patches", message, "patch spec.retryInterval, such as 2m, into all of them here")
    });
}
