//! `timeout-missing`: a Kustomization that waits for what it applies, as long as its interval.
//!
//! Without `wait` or health checks there is little to wait for; an interval that is short is a time-out of its own; a
//! HelmRelease has one of five minutes.

use holdfast_model::Repository;

use super::{SHORT, answer};
use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::TimeoutMissing,
    domain: Domain::Flux,
    severity: Severity::Low,
    summary: "a Kustomization that waits has no time-out",
    prose: include_str!("timeout_missing.md"),
    check: Check::Files(check),
};

/// What is awaited is often a HelmRelease, which has a timeout of its own.
const LONG: &str = "such as 15m, and longer than that of the HelmReleases it waits for (5m unless they say)";

const AGAIN: &str =
    ", together with spec.retryInterval: what timed out is tried again only after an interval otherwise";

fn check(repository: &Repository, answers: &mut Answers) {
    let waits = repository.flux.kustomizations.iter().filter(|it| it.waits && it.interval.is_some_and(|it| SHORT < it));
    let (given, without): (Vec<_>, Vec<_>) = waits.partition(|kustomization| kustomization.timeout);
    let problem = || {
        let message = "it waits for what it applies and has no timeout: that something never becomes ready is known after a whole interval";
        Problem::at("spec", message.to_owned(), format!("set spec.timeout, {LONG}")).patched("spec:\n  timeout: 15m")
    };
    let failing = without.iter().map(|kustomization| (&kustomization.identity, problem())).collect();
    answer(&repository.flux, answers, given.len(), failing, |many, names| {
        let message = format!("{many} Kustomizations wait for what they apply and have no timeout: {names}");
        let again = if without.iter().all(|it| it.retry_interval) { "" } else { AGAIN };
        Problem::at("spec.patches", message, format!("patch spec.timeout, {LONG}, into all of them here{again}"))
    });
}
