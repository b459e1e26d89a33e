//! `disk-encryption-off`: a cluster whose configuration encrypts neither STATE nor EPHEMERAL.
//!
//! Low where every node starts with SecureBoot, since then a TPM that has the key keeps it from whoever takes the disk; elsewhere
//! merely worth knowing, as where a template has it and leaves it out. Not judged where part of the configuration is in templates.

use holdfast_model::Repository;
use holdfast_model::repository::Switch;

use super::{has_switch, is_hidden};
use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::DiskEncryptionOff,
    domain: Domain::Talos,
    severity: Severity::Info,
    summary: "system disks are not encrypted",
    prose: include_str!("disk_encryption_off.md"),
    check: Check::Files(check),
};

fn check(repository: &Repository, answers: &mut Answers) {
    let talos = &repository.talos;
    for cluster in talos.clusters.iter().filter(|cluster| !is_hidden(talos, cluster)) {
        if has_switch(talos, cluster, Switch::Encrypted) {
            answers.holds();
            continue;
        }
        let message =
            "neither STATE nor EPHEMERAL is encrypted: who takes a disk has the keys of the cluster".to_owned();
        if let Some(template) = &talos.encryption_in_template {
            let remedy = format!(
                "fulfil the condition on which {}:{} has it; with a key in the TPM the nodes need one, and it takes effect where they are wiped",
                template.file, template.line
            );
            answers.fails_at(
                &cluster.file,
                cluster.at.clone(),
                Problem::at("", message, remedy).severe(Severity::Info),
            );
            continue;
        }
        let secure = cluster.nodes.iter().all(|node| node.secure_boot == Some(true));
        let (severity, remedy) = match secure {
            true => (
                Severity::Low,
                "encrypt both, with a key in the TPM where the nodes have one; it takes effect where they are wiped, so node by node",
            ),
            false => (
                Severity::Info,
                "encrypt both, with a key in the TPM once the nodes start with SecureBoot; it takes effect where they are wiped",
            ),
        };
        answers.fails_at(&cluster.file, cluster.at.clone(), Problem::at("", message, remedy).severe(severity));
    }
}
