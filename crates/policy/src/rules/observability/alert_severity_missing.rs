//! `alert-severity-missing`: alerts without the label `severity`. One finding for each object with alerts.
//!
//! A label of the rule's group counts. What Alertmanager does with an alert is not looked at.

use holdfast_model::Repository;

use crate::rules::named;
use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::AlertSeverityMissing,
    domain: Domain::Observability,
    severity: Severity::Low,
    summary: "alerts do not say how much they matter",
    prose: include_str!("alert_severity_missing.md"),
    check: Check::Files(check),
};

fn check(repository: &Repository, answers: &mut Answers) {
    for alerts in &repository.observability.alerts {
        let Some((_, field)) = alerts.without_severity.first() else {
            answers.holds();
            continue;
        };
        let names = named(alerts.without_severity.iter().map(|(name, _)| name.as_str()));
        let count = alerts.without_severity.len();
        let message = format!("{count} of {} alerts have no severity: {names}", alerts.total);
        let problem =
            Problem::at(field.as_str().to_owned(), message, "add labels.severity, such as warning or critical");
        answers.fails(&alerts.identity, problem);
    }
}
