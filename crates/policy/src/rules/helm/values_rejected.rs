//! `values-rejected`: values that the schema next to the chart doesn't allow, so that Helm refuses to render it.

use holdfast_model::Repository;

use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::ValuesRejected,
    domain: Domain::Helm,
    severity: Severity::High,
    summary: "a chart's schema rejects the values of a HelmRelease",
    prose: include_str!("values_rejected.md"),
    check: Check::Files(check),
};

fn check(repository: &Repository, answers: &mut Answers) {
    for release in &repository.helm.checked {
        if release.rejected.is_empty() {
            answers.holds();
        }
        for rejected in &release.rejected {
            let value = rejected.field.strip_prefix("spec.values.").unwrap_or("them");
            let message = format!("the chart's values.schema.json rejects {value}: {}", rejected.message);
            let remedy = "write what the schema allows: Helm refuses to install or upgrade the release";
            answers.fails(&release.identity, Problem::at(rejected.field.to_string(), message, remedy));
        }
    }
}
