//! `talos-version-unsupported`: a minor of Talos that is not the newest.
//!
//! Compared with the table in `releases`, whose date the message names; a version that is newer than the table holds. What
//! configuration pins is judged, and an upgrade only where there is no configuration: that both agree is
//! `talos-upgrade-skew`.

use holdfast_model::Repository;
use holdfast_model::repository::Product;

use super::{Stated, releases};
use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::TalosVersionUnsupported,
    domain: Domain::Talos,
    severity: Severity::Medium,
    summary: "a version of Talos is pinned that gets no fixes any more",
    prose: include_str!("talos_version_unsupported.md"),
    check: Check::Files(check),
};

fn check(repository: &Repository, answers: &mut Answers) {
    for stated in Stated::all(&repository.talos, Product::Talos) {
        let behind = releases::TALOS.minor.saturating_sub(stated.version.minor);
        if stated.version.major != releases::TALOS.major || behind == 0 {
            answers.holds();
            continue;
        }
        let (count, severity) = match behind {
            1 => ("one minor".to_owned(), Severity::Low),
            2 => ("two minors".to_owned(), Severity::Medium),
            more => (format!("{more} minors"), Severity::High),
        };
        let known = format!("{}, the newest known on {}", releases::TALOS.newest, releases::TALOS.on);
        let message = format!("Talos {} is {count} behind {known}", stated.version);
        let remedy = match behind {
            1 => format!("upgrade to v1.{}, since the minor before gets no fixes", releases::TALOS.minor),
            _ => "upgrade one minor at a time, each to its last patch: Talos supports no larger steps".to_owned(),
        };
        stated.fails(answers, Problem::at("", message, remedy).severe(severity));
    }
}
