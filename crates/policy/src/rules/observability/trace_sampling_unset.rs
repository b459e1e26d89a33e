//! `trace-sampling-unset`: tracing without a sampling rate.
//!
//! Read are the EnvoyProxy of Envoy Gateway and the Instrumentation of the OpenTelemetry operator; in both the default is every
//! request.

use holdfast_model::Repository;

use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::TraceSamplingUnset,
    domain: Domain::Observability,
    severity: Severity::Low,
    summary: "traces are sent without saying of which requests",
    prose: include_str!("trace_sampling_unset.md"),
    check: Check::Files(check),
};

fn check(repository: &Repository, answers: &mut Answers) {
    for tracer in &repository.observability.tracers {
        if tracer.sampled {
            answers.holds();
            continue;
        }
        let message = "no sampling is set, so every request is traced".to_owned();
        let remedy = match tracer.identity.subject.kind {
            "EnvoyProxy" => "set samplingRate, in percent",
            _ => "set sampler, such as parentbased_traceidratio with 0.1",
        };
        answers.fails(&tracer.identity, Problem::at(tracer.field.as_str().to_owned(), message, remedy));
    }
}
