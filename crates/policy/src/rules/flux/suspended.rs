//! `suspended`: something of Flux that Git itself stops.

use holdfast_model::Repository;

use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Suspended,
    domain: Domain::Flux,
    severity: Severity::Low,
    summary: "something of Flux is suspended in Git",
    prose: include_str!("suspended.md"),
    check: Check::Files(check),
};

fn check(repository: &Repository, answers: &mut Answers) {
    let flux = &repository.flux;
    let all = flux.kustomizations.len() + flux.releases.len() + flux.sources.len() + flux.alerts + flux.receivers;
    (0..all.saturating_sub(flux.suspended.len())).for_each(|_| answers.holds());
    for identity in &flux.suspended {
        let message = "it is suspended in Git: what changes there doesn't reach the cluster".to_owned();
        let remedy = "remove spec.suspend once the reason for it is gone";
        answers.fails(identity, Problem::at("spec.suspend", message, remedy));
    }
}
