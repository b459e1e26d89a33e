//! `secure-boot-off`: nodes of a cluster that start whatever is on their disk. Once for a cluster.
//!
//! Low where some nodes do and others don't, since that looks like an oversight; where none does, merely worth knowing. A node
//! whose file leaves it to something else is not judged.

use holdfast_model::Repository;

use crate::rules::named;
use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::SecureBootOff,
    domain: Domain::Talos,
    severity: Severity::Info,
    summary: "nodes start without SecureBoot",
    prose: include_str!("secure_boot_off.md"),
    check: Check::Files(check),
};

fn check(repository: &Repository, answers: &mut Answers) {
    for cluster in &repository.talos.clusters {
        let nodes = |is: bool| cluster.nodes.iter().filter(move |node| node.secure_boot == Some(is));
        let (on, off) = (nodes(true).count(), nodes(false).count());
        if off == 0 {
            (0..on.min(1)).for_each(|_| answers.holds());
            continue;
        }
        let names = named(nodes(false).map(|node| node.name.as_str()));
        let (severity, message) = match on {
            0 => (Severity::Info, "no node starts with SecureBoot".to_owned()),
            on => (Severity::Low, format!("{on} of {} nodes start with SecureBoot, but not {names}", on + off)),
        };
        let remedy = "set machineSpec.secureboot: true and an installer-secureboot image, where the hardware allows it";
        answers.fails_at(&cluster.file, cluster.at.clone(), Problem::at("", message, remedy).severe(severity));
    }
}
