//! Facts of files for `Repository`, one module for each domain.
//!
//! Each module looks at one effective object or one file at a time and adds what its rules need, no more; a rule in
//! `policy` then decides. Nothing is decided here.

mod disruption;
mod documents;
mod flux;
pub mod helm;
mod identity;
mod network;
mod observability;
mod resources;
mod supply;
mod talos;
mod template;

use std::sync::Arc;

use holdfast_model::repository::{Supply, Talos};
use holdfast_model::{Position, Repository, Subject};

use crate::{Node, Object, Origin, SourceFile};

/// The paths of files by their numbers, so that facts can carry places.
pub trait Paths {
    /// The place behind an origin; none for what stands in no file.
    fn position(&self, origin: Origin) -> Option<Position>;
}

/// Adds what an effective object of a cluster says.
pub fn read_object(object: &Object, paths: &dyn Paths, repository: &mut Repository) {
    template::read(object, &mut repository.templates);
    disruption::read(object, &mut repository.disruption);
    resources::read(object, &mut repository.resources);
    flux::read(object, &mut repository.flux);
    helm::read(object, &mut repository.helm);
    talos::read_object(object, paths, &mut repository.talos);
    network::read(object, &mut repository.network);
    observability::read(object, &mut repository.observability);
}

/// Settles what several objects of a cluster say of the same thing, after all of them were read.
pub(crate) fn settle(repository: &mut Repository) {
    network::settle(&mut repository.network);
}

/// What files say beside being applied to a cluster: Talos configuration, workflows, `.sops.yaml`, and secrets that lie
/// open.
#[derive(Debug, Default)]
pub struct FileFacts {
    talos: Talos,
    supply: Supply,
}

impl FileFacts {
    /// Adds what a file says. For every YAML file, manifests and unreached ones too, once, in order of their paths.
    pub fn read(&mut self, file: &SourceFile, paths: &dyn Paths) {
        talos::read_file(file, paths, &mut self.talos);
        supply::read_file(file, paths, &mut self.supply);
    }

    /// Adds what files say that come later.
    pub fn append(&mut self, mut later: Self) {
        let Talos {
            clusters,
            pinned,
            settings,
            admission,
            upgrades,
            backups,
            hidden,
            node_files,
            encryption_in_template,
            spreads,
        } = &mut later.talos;
        self.talos.clusters.append(clusters);
        self.talos.pinned.append(pinned);
        self.talos.settings.append(settings);
        self.talos.admission.append(admission);
        self.talos.upgrades.append(upgrades);
        self.talos.backups.append(backups);
        self.talos.hidden.append(hidden);
        self.talos.node_files.append(node_files);
        self.talos.encryption_in_template =
            self.talos.encryption_in_template.take().or_else(|| encryption_in_template.take());
        self.talos.spreads |= *spreads;
        let Supply { vessels, sops_rules, sops_files, uses, builds, guards } = &mut later.supply;
        self.supply.vessels.append(vessels);
        self.supply.sops_rules.append(sops_rules);
        self.supply.sops_files.append(sops_files);
        self.supply.uses.append(uses);
        self.supply.builds.append(builds);
        self.supply.guards.append(guards);
    }

    /// The facts of a checkout of which nothing else is known yet.
    #[must_use]
    pub fn into_repository(self) -> Repository {
        Repository { talos: self.talos, supply: self.supply, ..Repository::default() }
    }
}

/// Whether [`read_text`] wants the text of this file.
#[must_use]
pub fn wants_text(path: &str) -> bool {
    documents::is_wanted(path) || talos::is_wanted(path)
}

/// Adds what a file says that is no YAML: a README, a template.
pub fn read_text(path: &Arc<str>, text: &str, repository: &mut Repository) {
    if talos::is_wanted(path) {
        talos::read_template(path, text, &mut repository.talos);
    } else {
        documents::read_text(path, text, &mut repository.documents);
    }
}

/// Adds what the mere presence of files says, after all of them were read. `paths` are those of all files of the checkout,
/// in order.
pub fn read_tree(paths: &[Arc<str>], repository: &mut Repository) {
    documents::read_tree(paths, &mut repository.documents);
    supply::read_tree(paths, &mut repository.supply);
    talos::read_tree(paths, &mut repository.talos);
}

/// A file as the subject of a fact.
fn file(path: &str) -> Subject {
    Subject { kind: "File", namespace: "".into(), name: path.into() }
}

/// Whether a file is there to be tried or shown, and not to describe what runs.
fn is_trial(path: &str) -> bool {
    const FOLDERS: [&str; 12] = [
        ".forgejo", ".gitea", ".github", "archive", "archived", "e2e", "example", "examples", "samples", "test",
        "testdata", "tests",
    ];
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    folders.split('/').any(|folder| FOLDERS.contains(&folder))
        || name.contains(".sample.")
        || name.contains(".example.")
}

/// Whether SOPS encrypted a document.
fn is_sealed(document: &Node) -> bool {
    document.get("sops").is_some_and(|sops| sops.get("mac").is_some() || sops.get("version").is_some())
}

/// Whether one of the texts below a value answers yes. As deep as the document, which is bounded when it is read.
fn any_text(node: &Node, ask: &mut dyn FnMut(&str) -> bool) -> bool {
    node.as_str().is_some_and(&mut *ask)
        || node.items().iter().any(|item| any_text(item, ask))
        || node.entries().any(|entry| any_text(&entry.value, ask))
}

#[cfg(test)]
mod given;
