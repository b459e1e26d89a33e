//! `log-retention-unset`: a store of logs that deletes nothing, until its disk is full.
//!
//! Loki's chart is read. The stores of VictoriaMetrics end by default, so there is nothing to say of them.

use holdfast_model::Repository;
use holdfast_model::repository::Retention;

use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::LogRetentionUnset,
    domain: Domain::Observability,
    severity: Severity::Medium,
    summary: "logs are kept for ever",
    prose: include_str!("log_retention_unset.md"),
    check: Check::Files(check),
};

fn check(repository: &Repository, answers: &mut Answers) {
    for store in &repository.observability.log_stores {
        let (message, remedy) = match store.retention {
            Retention::Limited => {
                answers.holds();
                continue;
            }
            Retention::NotEnforced => (
                "a retention period is set and nothing deletes what is older",
                "set loki.compactor.retention_enabled: true, with a delete_request_store",
            ),
            Retention::Unlimited => (
                "no retention is set: logs are kept until the disk is full",
                "set loki.limits_config.retention_period and loki.compactor.retention_enabled: true",
            ),
        };
        answers.fails(&store.identity, Problem::at(store.field.as_str().to_owned(), message.to_owned(), remedy));
    }
}
