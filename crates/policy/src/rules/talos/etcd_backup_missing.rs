//! `etcd-backup-missing`: Talos, and nothing that takes snapshots of etcd. Once for a checkout.
//!
//! What takes them is known by its name, its image or the command that it runs. Snapshots from outside of the cluster, such as
//! a timer on another machine, aren't seen; hence low.

use holdfast_model::Repository;
use holdfast_model::repository::Product;

use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::EtcdBackupMissing,
    domain: Domain::Talos,
    severity: Severity::Info,
    summary: "nothing takes snapshots of etcd",
    prose: include_str!("etcd_backup_missing.md"),
    check: Check::Files(check),
};

fn check(repository: &Repository, answers: &mut Answers) {
    let talos = &repository.talos;
    if !talos.backups.is_empty() {
        answers.holds();
        return;
    }
    let message = "nothing in this checkout takes snapshots of etcd".to_owned();
    let remedy =
        "run talos-backup, or a CronJob with `talosctl etcd snapshot`, and keep the result outside of the cluster";
    let problem = Problem::at("", message, remedy);
    // Where Talos is described best.
    let pinned = talos.pinned.iter().find(|pinned| pinned.product == Product::Talos);
    let upgrade = talos.upgrades.iter().find(|upgrade| upgrade.product == Product::Talos);
    match (talos.clusters.first(), pinned, upgrade) {
        (Some(cluster), _, _) => answers.fails_at(&cluster.file, cluster.at.clone(), problem),
        (None, Some(pinned), _) => answers.fails_at(&pinned.file, pinned.at.clone(), problem),
        (None, None, Some(upgrade)) => answers.fails_where(&upgrade.identity, upgrade.at.as_ref(), problem),
        (None, None, None) => {}
    }
}
