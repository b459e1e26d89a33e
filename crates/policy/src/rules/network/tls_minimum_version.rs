//! `tls-minimum-version`: a gateway or an ingress controller that is told to accept less than TLS 1.2.
//!
//! Only where something says a version: the defaults of what is common today are 1.2 and later.

use holdfast_model::Repository;

use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::TlsMinimumVersion,
    domain: Domain::Network,
    severity: Severity::Medium,
    summary: "a TLS version is accepted that nobody should speak any more",
    prose: include_str!("tls_minimum_version.md"),
    check: Check::Files(check),
};

/// The oldest version that should be spoken, as ten times the number.
const OLDEST: u8 = 12;

fn check(repository: &Repository, answers: &mut Answers) {
    for minimum in &repository.network.tls_minimums {
        if OLDEST <= minimum.lowest {
            answers.holds();
            continue;
        }
        let name = match minimum.lowest {
            9 => "SSL 3.0".to_owned(),
            version => format!("TLS 1.{}", version % 10),
        };
        let message = format!("{name} is accepted, which browsers and RFC 8996 gave up");
        let problem = Problem::at(minimum.field.as_str().to_owned(), message, "accept TLS 1.2 and later only");
        answers.fails(&minimum.identity, problem);
    }
}
