//! Talos: the objects that upgrade and back up a cluster, and the files that describe it.
//!
//! Files are known by what is in them and not by where they lie: talhelper's `talconfig.yaml` and `talenv.yaml`,
//! `topf.yaml`, machine configurations, patches, and the configuration documents of Talos 1.5 and later, of which
//! `apiVersion: v1alpha1` without a group is the mark.

mod cluster;
mod machine;
mod scheduler;
mod template;
mod version;

use std::sync::Arc;

use holdfast_model::repository::{Health, Identity, Product, Talos, Upgrade, Version};
use holdfast_model::{Position, Subject};

use super::identity::identity;
use super::{Paths, any_text};
use crate::checkout::is_named_template;
use crate::{Node, Object, Origin, SourceFile};

pub(super) use machine::is_configuration;
pub(super) use template::{is_wanted, read as read_template};

/// Adds what an object says.
pub(super) fn read_object(object: &Object, paths: &dyn Paths, talos: &mut Talos) {
    let upgrade = match (object.group(), object.kind.as_str()) {
        ("tuppr.home-operations.com", "TalosUpgrade") => Some(tuppr(object, Product::Talos, paths)),
        ("tuppr.home-operations.com", "KubernetesUpgrade") => Some(tuppr(object, Product::Kubernetes, paths)),
        ("upgrade.cattle.io", "Plan") => plan(object, paths),
        (_, _) => None,
    };
    talos.upgrades.extend(upgrade);
    talos.backups.extend(backup(object));
}

fn tuppr(object: &Object, product: Product, paths: &dyn Paths) -> Upgrade {
    let (kind, field) = match product {
        Product::Talos => ("TalosUpgrade", "spec.talos.version"),
        Product::Kubernetes => ("KubernetesUpgrade", "spec.kubernetes.version"),
    };
    let checks = object.root.at(&["spec", "healthChecks"]).map_or(0, |checks| checks.items().len());
    let force = object.root.at(&["spec", "policy", "force"]).and_then(Node::as_bool) == Some(true);
    let place = |field: &str| paths.position(object.root.find(field).origin);
    Upgrade {
        identity: identity(object, kind),
        product,
        version: version(object, field),
        version_at: place(field),
        health_at: place(if force { "spec.policy.force" } else { "spec.healthChecks" }),
        at: place(""),
        health: Health::Checks(checks),
        force,
    }
}

fn version(object: &Object, field: &str) -> Option<Version> {
    let found = object.root.find(field);
    found.node.as_str().filter(|_| found.complete).and_then(Version::parse)
}

/// A Plan of system-upgrade-controller is Talos's when its image is, or when it calls `talosctl`.
fn plan(object: &Object, paths: &dyn Paths) -> Option<Upgrade> {
    let upgrade = object.root.at(&["spec", "upgrade"])?;
    let image = upgrade.get("image").and_then(Node::as_str).unwrap_or_default();
    if !["talosctl", "siderolabs/", "factory.talos.dev"].iter().any(|mark| image.contains(mark)) {
        return None;
    }
    let kubernetes = any_text(upgrade, &mut |text| text.contains("upgrade-k8s"));
    let place = |field: &str| paths.position(object.root.find(field).origin);
    Some(Upgrade {
        identity: identity(object, "Plan"),
        product: if kubernetes { Product::Kubernetes } else { Product::Talos },
        version: version(object, "spec.version"),
        version_at: place("spec.version"),
        health_at: place("spec"),
        at: place(""),
        health: Health::NoSuchField,
        force: false,
    })
}

/// What takes snapshots of etcd: known by its name, its image, or what it calls.
fn backup(object: &Object) -> Option<Identity> {
    let kind = match (object.group(), object.kind.as_str()) {
        ("helm.toolkit.fluxcd.io", "HelmRelease") => "HelmRelease",
        ("batch", "CronJob") => "CronJob",
        ("apps", "Deployment") => "Deployment",
        (_, _) => return None,
    };
    let named = ["talos-backup", "etcd-backup", "etcd-snapshot"].iter().any(|mark| object.name.contains(mark));
    let marks = ["talos-backup", "etcd snapshot", "snapshot save"];
    // Most texts are too short for any of them.
    let calls = |text: &str| marks.iter().any(|mark| mark.len() <= text.len() && text.contains(mark));
    let mut words = Words::default();
    let mut spec =
        || object.root.get("spec").is_some_and(|spec| any_text(spec, &mut |text| calls(text) || words.hear(text)));
    (named || spec()).then(|| identity(object, kind))
}

/// A command may be written one word to an item: `["talosctl", "etcd", "snapshot", ...]`.
#[derive(Default)]
struct Words {
    etcd: bool,
    snapshot: bool,
}

impl Words {
    /// Whether all of it was said.
    fn hear(&mut self, text: &str) -> bool {
        self.etcd |= text == "etcd" || text.ends_with("etcdctl");
        self.snapshot |= text == "snapshot";
        self.etcd && self.snapshot
    }
}

/// A file, and how its places are told.
struct Source<'a> {
    path: &'a str,
    place: &'a dyn Fn(Origin) -> Option<Position>,
}

impl Source<'_> {
    /// The file as facts name it.
    fn file(&self) -> Subject {
        super::file(self.path)
    }
}

/// Adds what a file says.
pub(super) fn read_file(file: &SourceFile, paths: &dyn Paths, talos: &mut Talos) {
    if super::is_trial(&file.path) {
        return;
    }
    let place = |origin| paths.position(origin);
    let source = Source { path: &file.path, place: &place };
    for document in &file.documents {
        if super::is_sealed(document) {
            continue;
        }
        version::read(document, &source, talos);
        cluster::read(document, &source, talos);
        machine::read(document, &source, talos);
        scheduler::read(document, talos);
    }
}

/// Adds the folders in which configuration comes from templates beside it, and the files of single nodes.
pub(super) fn read_tree(paths: &[Arc<str>], talos: &mut Talos) {
    talos.node_files.extend(paths.iter().filter(|path| is_of_a_node(path)).cloned());
    let folder = |path: &str| path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
    let name = |path: &str| path.rsplit('/').next().map(str::to_owned);
    let is_cluster = |path: &&Arc<str>| {
        matches!(name(path).as_deref(), Some("talconfig.yaml" | "talconfig.yml" | "topf.yaml" | "topf.yml"))
    };
    for cluster in paths.iter().filter(is_cluster) {
        let folder = folder(cluster);
        let inside = |path: &str| folder.is_empty() || path.starts_with(&format!("{folder}/"));
        // At the root of a checkout everything would be beside it.
        if !folder.is_empty() && paths.iter().any(|path| inside(path) && is_named_template(path)) {
            talos.hidden.push(folder.into());
        }
    }
}

/// Whether a file is one node's: below `talos/nodes`, and named after nothing that several have in common.
fn is_of_a_node(path: &str) -> bool {
    const COMMON: [&str; 9] =
        ["all", "base", "common", "controller", "controlplane", "default", "kustomization", "node", "worker"];
    let Some((folders, file)) = path.rsplit_once('/') else { return false };
    let mut folders = folders.split('/').skip_while(|folder| *folder != "talos");
    let is_there = folders.next().is_some() && folders.next() == Some("nodes") && folders.count() < 2;
    let is_read = is_named_template(path) || file.ends_with(".yaml") || file.ends_with(".yml");
    let name = file.split(".y").next().unwrap_or(file);
    is_there && is_read && !COMMON.contains(&name)
}

#[cfg(test)]
mod tests;
