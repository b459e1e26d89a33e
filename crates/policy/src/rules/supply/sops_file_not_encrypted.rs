//! `sops-file-not-encrypted`: `*.sops.yaml` without what SOPS adds to a file.
//!
//! Only YAML that was read; of other files it is unknown. What is in it is judged by `secret-in-plain-text`.

use std::sync::Arc;

use holdfast_model::{Position, Repository};

use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::SopsFileNotEncrypted,
    domain: Domain::Supply,
    severity: Severity::High,
    summary: "a file that is named for SOPS is not encrypted",
    prose: include_str!("sops_file_not_encrypted.md"),
    check: Check::Files(check),
};

fn check(repository: &Repository, answers: &mut Answers) {
    for sealed in &repository.supply.sops_files {
        match sealed.encrypted {
            None => {}
            Some(true) => answers.holds(),
            Some(false) => {
                let at = Position { file: Arc::from(sealed.file.name.as_str()), line: 1, column: 1 };
                let message = "the file is named for SOPS and isn't encrypted".to_owned();
                let remedy = "run `sops --encrypt --in-place` on it before it is pushed, and rotate what was";
                answers.fails_at(&sealed.file, at, Problem::at("", message, remedy));
            }
        }
    }
}
