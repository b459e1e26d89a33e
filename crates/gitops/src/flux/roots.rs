//! Where clusters begin.
//!
//! In this order: what a FluxInstance or the chart of one syncs, a Kustomization that applies the folder it stands in
//! (`flux bootstrap`), Kustomizations that no other one applies; and without any Flux each top-most overlay, then what
//! stands in no overlay at all. Folders that by their name are archives, templates or tests begin no cluster.

mod overlays;

use std::collections::{BTreeMap, BTreeSet};

use ecow::EcoString;

use super::kustomization::{Kustomization, SourceRef};
use super::variables::without_variables;
use super::{FLUX_SYSTEM, HELM, KUSTOMIZE, OPERATOR, SOURCE};
use crate::checkout::Tree;
use crate::raw::{Raw, RawObject, is_set_aside};
use crate::{FileId, Node, tree_path as path};

/// Where a cluster begins.
#[derive(Clone, Debug)]
pub(crate) struct Root {
    pub(crate) kind: RootKind,
    /// The folder that is applied first.
    pub(crate) folder: String,
    /// Namespace and name of the Kustomization that Flux has for it.
    pub(crate) key: (EcoString, EcoString),
    pub(crate) source: Option<SourceRef>,
    /// From where that source comes, when it is told.
    pub(crate) urls: BTreeSet<EcoString>,
    /// The Kustomization itself, where it is written down.
    pub(crate) object: Option<Node>,
}

/// What applies a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RootKind {
    /// Flux does.
    Flux,
    /// A person or another tool does, with Kustomize.
    Overlay,
    /// A person or another tool does, file by file.
    Plain(Vec<FileId>),
}

/// The clusters of a checkout.
pub(crate) fn roots(tree: &Tree, raw: &Raw<'_>) -> Vec<Root> {
    let mut found = synced(tree, raw);
    if found.is_empty() {
        found = bootstrapped(tree, raw);
    }
    if found.is_empty() {
        found = topmost(tree, raw);
    }
    if found.is_empty() {
        found = overlays::overlays(tree, raw);
    }
    found
}

/// What flux-operator was told to sync: in a FluxInstance, or in the values of the chart that makes one.
fn synced(tree: &Tree, raw: &Raw<'_>) -> Vec<Root> {
    let mut by_folder: BTreeMap<String, Root> = BTreeMap::new();
    for object in &raw.objects {
        let sync = match () {
            () if object.is(OPERATOR, "FluxInstance") => object.root.at(&["spec", "sync"]),
            () if object.is(HELM, "HelmRelease") => object.root.at(&["spec", "values", "instance", "sync"]),
            () => None,
        };
        let sync = sync.filter(|_| !is_set_aside(&object.file.path));
        let Some(root) = sync.and_then(|sync| synced_root(object, sync)) else { continue };
        if tree.has_folder(&root.folder) {
            by_folder.entry(root.folder.clone()).or_insert(root);
        }
    }
    by_folder.into_values().collect()
}

fn synced_root(object: &RawObject<'_>, sync: &Node) -> Option<Root> {
    let text = |field: &str| sync.get(field).and_then(Node::as_str);
    let folder = path::resolved("", &without_variables(text("path")?)?)?;
    let namespace = EcoString::from(object.namespace().unwrap_or(FLUX_SYSTEM));
    let name = text("name").map_or_else(|| namespace.clone(), EcoString::from);
    Some(Root {
        kind: RootKind::Flux,
        folder,
        source: Some(SourceRef {
            kind: text("kind").unwrap_or("GitRepository").into(),
            namespace: namespace.clone(),
            name: name.clone(),
        }),
        key: (namespace, name),
        urls: text("url").map(normal_url).into_iter().collect(),
        object: None,
    })
}

/// Kustomizations that apply the folder they stand in.
fn bootstrapped(tree: &Tree, raw: &Raw<'_>) -> Vec<Root> {
    let written = kustomizations(raw);
    let own = |(object, kustomization): &&(&RawObject<'_>, Kustomization)| {
        let folder = kustomization.path.as_deref();
        folder.is_some_and(|folder| path::is_below(&object.file.path, folder) && tree.has_folder(folder))
    };
    let roots = written.iter().filter(own).map(|(object, kustomization)| written_root(object, kustomization, raw));
    let mut by_folder = BTreeMap::new();
    for root in roots {
        by_folder.entry(root.folder.clone()).or_insert(root);
    }
    by_folder.into_values().collect()
}

fn written_root(object: &RawObject<'_>, kustomization: &Kustomization, raw: &Raw<'_>) -> Root {
    let source = kustomization.source.clone();
    let urls = source.iter().flat_map(|source| urls_of(source, raw)).collect();
    Root {
        kind: RootKind::Flux,
        folder: kustomization.path.clone().unwrap_or_default(),
        key: (kustomization.namespace.clone(), kustomization.name.clone()),
        source,
        urls,
        object: Some(object.root.clone()),
    }
}

/// Kustomizations that no other one applies; those of one folder belong to one cluster.
fn topmost(tree: &Tree, raw: &Raw<'_>) -> Vec<Root> {
    let written = kustomizations(raw);
    let applied = |object: &RawObject<'_>| {
        written.iter().any(|(_, other)| {
            let folder = other.path.as_deref().filter(|folder| tree.has_folder(folder));
            folder.is_some_and(|folder| path::is_below(&object.file.path, folder))
        })
    };
    let mut by_folder: BTreeMap<String, Root> = BTreeMap::new();
    for (object, kustomization) in written.iter().filter(|(object, _)| !applied(object)) {
        let reaches = kustomization.path.as_deref().is_some_and(|folder| tree.has_folder(folder));
        if !reaches {
            continue;
        }
        let folder = path::folder(&object.file.path).to_owned();
        let source = kustomization.source.clone();
        by_folder.entry(folder.clone()).or_insert_with(|| Root {
            kind: RootKind::Flux,
            folder,
            key: (FLUX_SYSTEM.into(), FLUX_SYSTEM.into()),
            urls: source.iter().flat_map(|source| urls_of(source, raw)).collect(),
            source,
            object: None,
        });
    }
    by_folder.into_values().collect()
}

fn kustomizations<'r, 'a>(raw: &'r Raw<'a>) -> Vec<(&'r RawObject<'a>, Kustomization)> {
    let written = raw.objects.iter().filter(|it| it.is(KUSTOMIZE, "Kustomization") && !is_set_aside(&it.file.path));
    let read = written.map(|it| (it, Kustomization::new(it.root, it.namespace().unwrap_or_default(), it.name)));
    read.collect()
}

/// From where a source comes, as far as files tell.
pub(super) fn urls_of<'r>(source: &SourceRef, raw: &'r Raw<'_>) -> impl Iterator<Item = EcoString> + use<'r> {
    let written: Vec<_> = raw.named(&source.kind, &source.name).filter(|it| it.group() == SOURCE).collect();
    written.into_iter().filter_map(|it| it.root.at(&["spec", "url"])?.as_str()).map(normal_url)
}

/// `ssh://git@host/a/b.git`, `git@host:a/b` and `https://host/a/b` are one repository.
pub(super) fn normal_url(url: &str) -> EcoString {
    let url = url.split_once("://").map_or(url, |(_, rest)| rest);
    let url = url.rsplit_once('@').map_or(url, |(_, rest)| rest);
    let url = url.trim_end_matches('/').trim_end_matches(".git");
    url.replacen(':', "/", 1).to_lowercase().into()
}

#[cfg(test)]
mod tests;
