//! `slo-missing`: alerts or a Prometheus, and no objective. Once for a cluster; information.
//!
//! Objectives are those of Sloth and Pyrra, and recording rules or alerts about burn rates and error budgets.

use holdfast_model::Repository;

use crate::rules::whole_cluster;
use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::SloMissing,
    domain: Domain::Observability,
    severity: Severity::Info,
    summary: "nothing says how much may fail",
    prose: include_str!("slo_missing.md"),
    check: Check::Files(check),
};

fn check(repository: &Repository, answers: &mut Answers) {
    let facts = &repository.observability;
    if 0 < facts.objectives {
        answers.holds();
    } else if !facts.alerts.is_empty() || !facts.monitors.is_empty() {
        let message = match facts.api_server_objective {
            true => {
                "no service level objective but the API server's, which kube-prometheus-stack brings: nothing says how much of what people use may fail"
            }
            false => "there are metrics and no service level objective: nothing says how much may fail",
        };
        let remedy = "write down one objective for what people use most, with Sloth or Pyrra";
        answers.fails(&whole_cluster(repository), Problem::at("", message.to_owned(), remedy));
    }
}
