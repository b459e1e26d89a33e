//! `sops-rule-missing`: files named for SOPS that no creation rule covers. One finding for each `.sops.yaml`.
//!
//! As SOPS does it: the nearest `.sops.yaml` above the file, `path_regex` found in the path from there. A rule whose expression
//! can't be read might cover anything, so nothing is said then. A checkout without rules may encrypt by arguments.

use holdfast_model::Repository;

use crate::rules::named;
use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::SopsRuleMissing,
    domain: Domain::Supply,
    severity: Severity::Medium,
    summary: "no creation rule of SOPS covers a file that is named for it",
    prose: include_str!("sops_rule_missing.md"),
    check: Check::Files(check),
};

fn check(repository: &Repository, answers: &mut Answers) {
    let supply = &repository.supply;
    for rules in &supply.sops_rules {
        let ours = supply.sops_files.iter().filter_map(|file| {
            let (by, covered) = file.covered.as_ref()?;
            (**by == *rules.file.name).then_some((file.file.name.as_str(), *covered))
        });
        let (covered, bare): (Vec<_>, Vec<_>) = ours.partition(|(_, covered)| *covered);
        match (covered.is_empty(), bare.is_empty()) {
            (true, true) => {}
            (false, true) => answers.holds(),
            (_, false) => {
                let message = format!("no rule covers {}", named(bare.iter().map(|(path, _)| *path)));
                let remedy =
                    "add a rule with their path_regex: without one SOPS refuses to encrypt them again after an edit";
                answers.fails_at(&rules.file, rules.at.clone(), Problem::at("", message, remedy));
            }
        }
    }
}
