//! Clusters of a checkout without Flux: each overlay that no other one takes in, and then what stands in none.

use std::collections::BTreeSet;

use super::{Root, RootKind};
use crate::checkout::Tree;
use crate::raw::{Raw, is_of_a_cluster, is_set_aside};
use crate::{Node, SourceFile, tree_path as path};

/// The names that Kustomize looks for, in its order.
pub(in crate::flux) const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

pub(super) fn overlays(tree: &Tree, raw: &Raw<'_>) -> Vec<Root> {
    let written: Vec<_> = tree.files().iter().filter(|file| is_overlay(file) && !is_set_aside(&file.path)).collect();
    let taken: BTreeSet<String> = written.iter().flat_map(|file| takes_in(file)).collect();
    let folders: BTreeSet<&str> = written.iter().map(|file| path::folder(&file.path)).collect();
    let topmost = written.iter().filter(|file| !is_component(file) && !taken.contains(path::folder(&file.path)));
    let mut roots: Vec<Root> = topmost.map(|file| root(RootKind::Overlay, path::folder(&file.path))).collect();
    let mut plain: Vec<_> =
        raw.objects.iter().filter(|it| is_of_a_cluster(it) && !is_set_aside(&it.file.path)).collect();
    plain.retain(|object| !folders.iter().any(|folder| path::is_below(&object.file.path, folder)));
    let mut files: Vec<_> = plain.iter().map(|object| object.file.id).collect();
    files.dedup();
    if !files.is_empty() {
        roots.push(root(RootKind::Plain(files), ""));
    }
    roots
}

fn root(kind: RootKind, folder: &str) -> Root {
    let key = Default::default();
    Root { kind, folder: folder.to_owned(), key, source: None, urls: BTreeSet::new(), object: None }
}

fn is_overlay(file: &SourceFile) -> bool {
    NAMES.contains(&file.path.rsplit('/').next().unwrap_or_default())
}

fn is_component(file: &SourceFile) -> bool {
    file.documents.first().and_then(|document| document.get("kind")?.as_str()) == Some("Component")
}

/// The folders that an overlay takes in.
fn takes_in(file: &SourceFile) -> Vec<String> {
    let folder = path::folder(&file.path);
    let lists = ["resources", "bases", "components"].iter().filter_map(|field| file.documents.first()?.get(field));
    let entries = lists.flat_map(Node::items).filter_map(Node::as_str);
    entries.filter_map(|written| path::resolved(folder, written)).collect()
}
