//! Clusters of a checkout without Flux: each overlay that no other one takes in, and then what stands in none.

use std::collections::{BTreeMap, BTreeSet};

use super::{Root, RootKind};
use crate::checkout::Tree;
use crate::kustomize::is_kustomization_file;
use crate::raw::{Raw, is_of_a_cluster, is_set_aside};
use crate::{Node, SourceFile, tree_path as path};

pub(super) fn overlays(tree: &Tree, raw: &Raw<'_>) -> Vec<Root> {
    let written: Vec<_> = tree.files().iter().filter(|file| is_overlay(file) && !is_set_aside(&file.path)).collect();
    let takes: BTreeMap<&str, Vec<String>> =
        written.iter().map(|file| (path::folder(&file.path), takes_in(file))).collect();
    let taken: BTreeSet<&str> = takes.values().flatten().map(String::as_str).collect();
    let whole = written.iter().filter(|file| !is_component(file)).map(|file| path::folder(&file.path));
    let (topmost, others): (Vec<&str>, Vec<&str>) = whole.partition(|folder| !taken.contains(folder));
    let mut reached = BTreeSet::new();
    let mut roots = Vec::new();
    // No topmost one leads to those that only take in each other: each such circle is begun somewhere, to be told.
    for folder in topmost.into_iter().chain(others) {
        if reach(folder, &takes, &mut reached) {
            roots.push(root(RootKind::Overlay, folder));
        }
    }
    let mut plain: Vec<_> =
        raw.objects.iter().filter(|it| is_of_a_cluster(it) && !is_set_aside(&it.file.path)).collect();
    plain.retain(|object| !takes.keys().any(|folder| path::is_below(&object.file.path, folder)));
    let mut files: Vec<_> = plain.iter().map(|object| object.file.id).collect();
    files.dedup();
    if !files.is_empty() {
        roots.push(root(RootKind::Plain(files), ""));
    }
    roots
}

/// Notes what is taken in from a folder on; false when that was known.
fn reach<'a>(folder: &'a str, takes: &'a BTreeMap<&str, Vec<String>>, reached: &mut BTreeSet<&'a str>) -> bool {
    if !reached.insert(folder) {
        return false;
    }
    let mut open = vec![folder];
    while let Some(folder) = open.pop() {
        let taken = takes.get(folder).into_iter().flatten().map(String::as_str);
        open.extend(taken.filter(|folder| reached.insert(folder)));
    }
    true
}

fn root(kind: RootKind, folder: &str) -> Root {
    let key = Default::default();
    Root { kind, folder: folder.to_owned(), key, source: None, urls: BTreeSet::new(), object: None }
}

fn is_overlay(file: &SourceFile) -> bool {
    is_kustomization_file(&file.path)
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
