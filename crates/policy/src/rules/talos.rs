//! Talos: versions, the control plane, what protects nodes, and upgrades.
//!
//! A checkout without Talos has nothing here: no rule applies. What is in templates is unknown and never held against it.

pub(super) mod admission_configuration_removed;
pub(super) mod audit_policy_off;
pub(super) mod control_plane_quorum;
pub(super) mod disk_encryption_off;
pub(super) mod etcd_backup_missing;
pub(super) mod kubernetes_version_unsupported;
mod releases;
pub(super) mod secure_boot_off;
pub(super) mod talos_kubernetes_skew;
pub(super) mod talos_upgrade_skew;
pub(super) mod talos_version_unsupported;
pub(super) mod upgrade_without_health_checks;

use holdfast_model::repository::{Pinned, Product, Switch, Talos, TalosCluster, Upgrade, Version};

use super::{Answers, Problem};

/// A version, and who says it.
#[derive(Clone, Debug)]
struct Stated<'a> {
    version: &'a Version,
    by: By<'a>,
}

/// Who says a version.
#[derive(Clone, Debug)]
enum By<'a> {
    File(&'a Pinned),
    Object(&'a Upgrade),
}

impl<'a> Stated<'a> {
    fn of_file(pinned: &'a Pinned) -> Self {
        Self { version: &pinned.version, by: By::File(pinned) }
    }

    /// The versions of a product, each once: as configuration pins them, else as upgrades aim at them.
    fn all(talos: &'a Talos, product: Product) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        let pinned = talos.pinned.iter().filter(|pinned| pinned.product == product).map(Self::of_file);
        let aimed = talos.upgrades.iter().filter(|upgrade| upgrade.product == product);
        let aimed = aimed.filter_map(|it| Some(Self { version: it.version.as_ref()?, by: By::Object(it) }));
        let is_pinned = talos.pinned.iter().any(|pinned| pinned.product == product);
        for stated in pinned.chain(aimed.filter(|_| !is_pinned)) {
            if !all.iter().any(|known| known.version == stated.version) {
                all.push(stated);
            }
        }
        all
    }

    fn fails(&self, answers: &mut Answers, problem: Problem) {
        match self.by {
            By::File(pinned) => answers.fails_at(&pinned.file, pinned.at.clone(), problem),
            By::Object(upgrade) => answers.fails_where(&upgrade.identity, upgrade.version_at.as_ref(), problem),
        }
    }
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn is_below(path: &str, folder: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/') || rest.is_empty())
}

/// Whether part of a cluster's configuration is in templates that aren't read.
fn is_hidden(talos: &Talos, cluster: &TalosCluster) -> bool {
    talos.hidden.iter().any(|hidden| is_below(folder(&cluster.file.name), hidden))
}

/// Whether something is set for a cluster.
fn has_switch(talos: &Talos, cluster: &TalosCluster, switch: Switch) -> bool {
    talos.settings.iter().any(|setting| setting.what == switch && concerns(talos, cluster, &setting.file.name))
}

/// Whether a file is about a cluster: it is in its own folder, or in one that belongs to no other cluster.
pub(crate) fn concerns(talos: &Talos, cluster: &TalosCluster, path: &str) -> bool {
    let ours = folder(&cluster.file.name);
    let others = talos.clusters.iter().map(|other| folder(&other.file.name)).filter(|other| *other != ours);
    let is_others = others.filter(|other| !other.is_empty()).any(|other| is_below(path, other));
    !ours.is_empty() && is_below(path, ours) || !is_others
}

/// Answers for each setting that is a problem, or once that none is, where there is configuration at all.
fn judge_switches(talos: &Talos, answers: &mut Answers, problem: impl Fn(Switch) -> Option<Problem>) {
    let mut fine = !talos.settings.is_empty();
    for setting in &talos.settings {
        if let Some(problem) = problem(setting.what) {
            fine = false;
            answers.fails_at(&setting.file, setting.at.clone(), problem);
        }
    }
    if fine {
        answers.holds();
    }
}
