//! `interval-missing`: the API server refuses it, as `interval` is required.

use holdfast_model::Repository;
use holdfast_model::repository::Identity;

use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::IntervalMissing,
    domain: Domain::Flux,
    severity: Severity::High,
    summary: "something of Flux has no interval and is refused",
    prose: include_str!("interval_missing.md"),
    check: Check::Files(check),
};

fn check(repository: &Repository, answers: &mut Answers) {
    let flux = &repository.flux;
    let kustomizations = flux.kustomizations.iter().map(|it| (&it.identity, it.interval.is_some()));
    let releases = flux.releases.iter().map(|it| (&it.identity, it.interval));
    // A HelmRepository of an OCI registry is only an address.
    let sources = flux.sources.iter().filter(|it| !(it.oci && it.identity.subject.kind == "HelmRepository"));
    let sources = sources.map(|it| (&it.identity, it.interval));
    let all: Vec<(&Identity, bool)> = kustomizations.chain(releases).chain(sources).collect();
    for (identity, given) in all {
        if given {
            answers.holds();
            continue;
        }
        let message =
            "no interval, or none that can be read: the API server refuses it, and with it all that is applied \
                       beside it"
                .to_owned();
        answers.fails(
            identity,
            Problem::at("spec.interval", message, "set spec.interval, such as 1h").patched("spec:\n  interval: 1h"),
        );
    }
}
