//! `exception-expired`: an exception that has ended and exempts nothing any more.

use jiff::Timestamp;

use crate::rules::{Check, Problem, Rule, Verdict};
use crate::{Domain, Exception, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::ExceptionExpired,
    domain: Domain::Disruption,
    severity: Severity::Medium,
    summary: "an exception has ended",
    prose: include_str!("exception_expired.md"),
    check: Check::Exception(check),
};

fn check(exception: &Exception, now: Timestamp) -> Verdict {
    match exception.expires_at() {
        Some(end) if end <= now => {
            let message = format!("it ended at {end} and exempts nothing any more");
            Problem::at("spec.expiresAt", message, "remove it, or agree on a new end with its owner").fails()
        }
        Some(_) | None => Verdict::Holds,
    }
}
