//! `requests-missing`: containers of which the scheduler doesn't know what they need.
//!
//! Memory is what matters: without a request for it the pod is the first to go. A request for processor time that is
//! missing alone is information.

use holdfast_model::Repository;
use holdfast_model::repository::{Amounts, Container, Template};

use super::{containers, defaults, problem, runs_on};
use crate::rules::{Answers, Check, Rule, named};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::RequestsMissing,
    domain: Domain::Resources,
    severity: Severity::Low,
    summary: "a container doesn't say what it needs",
    prose: include_str!("requests_missing.md"),
    check: Check::Files(check),
};

fn check(repository: &Repository, answers: &mut Answers) {
    for template in repository.templates.iter().filter(|template| runs_on(template)) {
        if is_autoscaled(template, repository) {
            answers.holds();
            continue;
        }
        let (requests, _) = defaults(template, repository);
        let without = |wanted: fn(Amounts) -> bool| -> Vec<&Container> {
            containers(template).filter(|container| !wanted(container.requests.or(requests))).collect()
        };
        let (of_memory, of_cpu) = (without(|given| given.memory), without(|given| given.cpu));
        let names = |containers: &[&Container]| named(containers.iter().map(|container| container.name.as_str()));
        let answer = match (of_memory.as_slice(), of_cpu.as_slice()) {
            ([], []) => None,
            (without @ [_, ..], of_cpu) => {
                let remedy = match of_cpu {
                    [] => "set resources.requests.memory to what it usually uses",
                    [_, ..] => "set resources.requests.cpu and resources.requests.memory to what it usually uses",
                };
                let message = format!("no request for memory: {}; the scheduler packs it blindly", names(without));
                Some(problem(without, "requests", message, remedy))
            }
            ([], without) => {
                let message = format!("no request for cpu: {}; it gets what the others leave", names(without));
                let remedy = "set resources.requests.cpu to what it usually uses";
                Some(problem(without, "requests", message, remedy).severe(Severity::Info))
            }
        };
        match answer {
            None => answers.holds(),
            Some(problem) => answers.fails(&template.identity, problem),
        }
    }
}

fn is_autoscaled(template: &Template, repository: &Repository) -> bool {
    let subject = &template.identity.subject;
    repository.resources.autoscaled.iter().any(|scaled| {
        scaled.kind == subject.kind && scaled.name == subject.name && scaled.namespace == subject.namespace
    })
}
