//! `action-unpinned`: an action, reusable workflow or image that is not pinned by a hash.
//!
//! Third parties: medium. Actions of GitHub itself: information by tag, low by branch, since who can move them can do worse. An
//! image by tag: low. What lies in the checkout itself needs no pin.

use holdfast_model::Repository;
use holdfast_model::repository::{Pin, Use};

use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::ActionUnpinned,
    domain: Domain::Supply,
    severity: Severity::Medium,
    summary: "a workflow uses an action by a name that can be moved",
    prose: include_str!("action_unpinned.md"),
    check: Check::Files(check),
};

/// Owners of what runs the workflow anyway.
const FIRST_PARTY: [&str; 3] = ["actions/", "github/", "forgejo/"];

fn check(repository: &Repository, answers: &mut Answers) {
    for used in &repository.supply.uses {
        match problem(used) {
            None => answers.holds(),
            Some(problem) => answers.fails_at(&used.workflow, used.at.clone(), problem),
        }
    }
}

fn problem(used: &Use) -> Option<Problem> {
    let Use { what, version, .. } = used;
    let first_party = FIRST_PARTY.iter().any(|owner| what.starts_with(owner));
    let (severity, message) = match (used.pin, first_party) {
        (Pin::Hash, _) => return None,
        (Pin::Tag, true) => (Severity::Info, format!("{what} is used by the tag {version}, which can be moved")),
        (Pin::Tag, false) => {
            (Severity::Medium, format!("{what} is used by the tag {version}, which its owner can move"))
        }
        (Pin::Branch, _) if version.is_empty() => (Severity::Medium, format!("{what} is used without a version")),
        (Pin::Branch, true) => (Severity::Low, format!("{what} is used by the branch {version}")),
        (Pin::Branch, false) => {
            (Severity::Medium, format!("{what} is used by the branch {version}: what is pushed there runs here"))
        }
        (Pin::ImageTag, _) if version.is_empty() => {
            (Severity::Low, format!("the image {what} is used without a version"))
        }
        (Pin::ImageTag, _) => {
            (Severity::Low, format!("the image {what} is used by the tag {version}, which can be moved"))
        }
    };
    let remedy = match used.pin {
        Pin::ImageTag => "add its digest (`@sha256:...`); Renovate keeps it up to date, Dependabot doesn't",
        Pin::Hash | Pin::Tag | Pin::Branch => {
            "write the hash of the commit, with the version as a comment; Renovate and Dependabot keep both up to date"
        }
    };
    Some(Problem::at("", message, remedy).severe(severity))
}
