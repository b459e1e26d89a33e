//! `memory-limit-missing`: a container that may take all memory of its node.

use holdfast_model::Repository;
use holdfast_model::repository::Container;

use super::{containers, defaults, problem, runs_on};
use crate::rules::{Answers, Check, Rule, named};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::MemoryLimitMissing,
    domain: Domain::Resources,
    severity: Severity::Low,
    summary: "a container has no memory limit",
    prose: include_str!("memory_limit_missing.md"),
    check: Check::Files(check),
};

fn check(repository: &Repository, answers: &mut Answers) {
    for template in repository.templates.iter().filter(|template| runs_on(template)) {
        let (_, limits) = defaults(template, repository);
        let without: Vec<&Container> =
            containers(template).filter(|container| !container.limits.or(limits).memory).collect();
        if without.is_empty() {
            answers.holds();
            continue;
        }
        let names = named(without.iter().map(|container| container.name.as_str()));
        let message = format!("no memory limit: {names}; a leak takes the node's memory before anything stops it");
        let remedy = "set resources.limits.memory to what it needs at its worst; a limit on cpu isn't asked for";
        answers.fails(&template.identity, problem(&without, "limits", message, remedy));
    }
}
