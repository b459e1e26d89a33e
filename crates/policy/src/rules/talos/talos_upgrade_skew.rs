//! `talos-upgrade-skew`: a TalosUpgrade, KubernetesUpgrade or Plan that disagrees with the configuration in the same checkout.
//!
//! The controller moves nodes to its own version, the next `apply` names the other. Where a checkout has several clusters it is
//! enough that one of their configurations agrees.

use holdfast_model::Repository;
use holdfast_model::repository::Pinned;

use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::TalosUpgradeSkew,
    domain: Domain::Talos,
    severity: Severity::Medium,
    summary: "an upgrade aims at another version than the configuration pins",
    prose: include_str!("talos_upgrade_skew.md"),
    check: Check::Files(check),
};

fn check(repository: &Repository, answers: &mut Answers) {
    let talos = &repository.talos;
    for upgrade in &talos.upgrades {
        let Some(version) = &upgrade.version else { continue };
        let mut pinned = talos.pinned.iter().filter(|pinned| pinned.product == upgrade.product).peekable();
        let Some(first) = pinned.peek().copied() else { continue };
        if pinned.any(|pinned| pinned.version == *version) {
            answers.holds();
            continue;
        }
        let Pinned { at, version: other, .. } = first;
        let product = upgrade.product.as_str();
        let message = format!("it takes {product} to {version}, while {}:{} pins {other}", at.file, at.line);
        let remedy = match version < other {
            true => {
                format!("write {other} here: the controller takes nodes that already run {other} back to {version}")
            }
            false => {
                format!("write {version} there too: the next node that is installed or configured from it gets {other}")
            }
        };
        let severity = if version.is_same_minor(other) { Severity::Medium } else { Severity::High };
        answers.fails_where(
            &upgrade.identity,
            upgrade.version_at.as_ref(),
            Problem::at("", message, remedy).severe(severity),
        );
    }
}
