//! `chart-render-failed`: a chart that Helm doesn't render with the effective values of its release; it was inferred instead.

use holdfast_model::Repository;
use holdfast_model::repository::problems::ProblemKind;

use crate::rules::{Answers, Check, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::ChartRenderFailed,
    domain: Domain::Helm,
    severity: Severity::Medium,
    summary: "a chart doesn't render with its values",
    prose: include_str!("chart_render_failed.md"),
    check: Check::Files(check),
};

const REMEDY: &str = "correct the values, or give the audit the chart with `--charts`";

fn check(repository: &Repository, answers: &mut Answers) {
    super::answer(repository, ProblemKind::RenderFailed, REMEDY, answers);
}
