//! `object-unreadable`: an object that doesn't decode; what depends on it is left as it is.

use holdfast_model::Kind;

use crate::rules::{Check, Problem, Rule, Verdict};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::ObjectUnreadable,
    domain: Domain::Disruption,
    severity: Severity::Medium,
    summary: "an object can't be read",
    prose: include_str!("object_unreadable.md"),
    check: Check::Unreadable(check),
};

fn check(_: Kind, error: &str) -> Verdict {
    let message = format!("it can't be read and is not judged: {error}");
    Problem::at("", message, "correct the field, or update Holdfast if the kind has a newer form").fails()
}
