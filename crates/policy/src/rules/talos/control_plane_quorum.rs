//! `control-plane-quorum`: one control plane node, or an even number of them.
//!
//! Two are worse than one, since etcd stops when either is away: high. Four and more tolerate no more than one less would: low.
//! One is a choice, and common at home: merely worth knowing.

use holdfast_model::Repository;

use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::ControlPlaneQuorum,
    domain: Domain::Talos,
    severity: Severity::High,
    summary: "the control plane has a number of nodes that loses with one of them",
    prose: include_str!("control_plane_quorum.md"),
    check: Check::Files(check),
};

fn check(repository: &Repository, answers: &mut Answers) {
    for cluster in &repository.talos.clusters {
        let count = cluster.nodes.iter().filter(|node| node.control_plane).count();
        let (severity, message, remedy) = match count {
            0 => continue,
            1 => (
                Severity::Info,
                "one control plane node: each of its reboots stops the API, and etcd has no second copy".to_owned(),
                "run three, or keep snapshots of etcd where the node can't take them along",
            ),
            2 => (
                Severity::High,
                "two control plane nodes: etcd stops as soon as either is away, for an upgrade too".to_owned(),
                "run one, or three",
            ),
            odd if odd % 2 == 1 => {
                answers.holds();
                continue;
            }
            even => (
                Severity::Low,
                format!("{even} control plane nodes: etcd survives no more failures than with {}", even - 1),
                "run one fewer as a worker, or one more",
            ),
        };
        answers.fails_at(&cluster.file, cluster.at.clone(), Problem::at("", message, remedy).severe(severity));
    }
}
