//! `cnpg-single-instance`: a CloudNativePG cluster of one instance, over which the operator puts a budget that blocks.
//!
//! The budget itself is in no file: the operator makes it. With two instances or more it gives way once the primary's
//! node is cordoned, so those hold; the disruption rules leave its pods alone.

use holdfast_model::Repository;

use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::CnpgSingleInstance,
    domain: Domain::Disruption,
    severity: Severity::Critical,
    summary: "a CloudNativePG cluster of one instance keeps the budget that blocks its node",
    prose: include_str!("cnpg_single_instance.md"),
    check: Check::Files(check),
};

fn check(repository: &Repository, answers: &mut Answers) {
    for database in &repository.disruption.databases {
        if database.hibernated || database.instances == 0 {
            continue;
        }
        if 1 < database.instances || !database.budget || database.maintained {
            answers.holds();
            continue;
        }
        let message = "instances: 1 with enablePDB on: the operator's budget allows no eviction of the only instance";
        let remedy = "set spec.enablePDB: false and expect a short interruption at each drain, or run instances: 2";
        answers.fails(&database.identity, Problem::at("spec.instances", message.to_owned(), remedy));
    }
}
