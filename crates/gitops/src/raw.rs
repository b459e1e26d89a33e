//! The documents of a checkout as they are written, before anybody builds anything.
//!
//! For what has to be known first: where a cluster begins, what a source is, what a ConfigMap holds that somebody needs
//! before it is built. Also says which files are meant for a cluster at all.

use foldhash::HashMap;
use rayon::prelude::*;

use crate::checkout::Tree;
use crate::{Node, SourceFile};

/// An object as it is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawObject<'a> {
    pub(crate) file: &'a SourceFile,
    pub(crate) root: &'a Node,
    pub(crate) api_version: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) name: &'a str,
}

impl<'a> RawObject<'a> {
    /// Reads a document; none when it is no object.
    pub(crate) fn read(file: &'a SourceFile, root: &'a Node) -> Option<Self> {
        let text = |field: &str| root.get(field).and_then(Node::as_str);
        let name = root.at(&["metadata", "name"]).and_then(Node::as_str)?;
        Some(Self { file, root, api_version: text("apiVersion")?, kind: text("kind")?, name })
    }

    pub(crate) fn group(&self) -> &'a str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }

    pub(crate) fn is(&self, group: &str, kind: &str) -> bool {
        self.kind == kind && self.group() == group
    }

    pub(crate) fn namespace(&self) -> Option<&'a str> {
        self.root.at(&["metadata", "namespace"]).and_then(Node::as_str)
    }
}

/// All objects of a checkout, by kind and name.
#[derive(Debug, Default)]
pub(crate) struct Raw<'a> {
    pub(crate) objects: Vec<RawObject<'a>>,
    /// By kind and name, the first of them.
    first: HashMap<(&'a str, &'a str), usize>,
    /// Of each object, the next one of the same kind and name.
    next: Vec<Option<usize>>,
}

impl<'a> Raw<'a> {
    pub(crate) fn new(tree: &'a Tree) -> Self {
        let objects: Vec<RawObject<'a>> = tree.files().par_iter().flat_map_iter(objects).collect();
        let mut first = HashMap::with_capacity_and_hasher(objects.len(), Default::default());
        // From the end, so that each row begins with the first.
        let mut next: Vec<_> =
            objects.iter().enumerate().rev().map(|(place, it)| first.insert((it.kind, it.name), place)).collect();
        next.reverse();
        Self { objects, first, next }
    }

    /// The objects of this kind and name, wherever they are.
    pub(crate) fn named<'s>(&'s self, kind: &str, name: &str) -> impl Iterator<Item = &'s RawObject<'a>> + use<'s, 'a> {
        let first = self.first.get(&(kind, name)).copied();
        std::iter::successors(first, |place| self.next[*place]).map(|place| &self.objects[place])
    }

    /// The one of this kind and name that stands nearest to a folder, in this namespace or in none.
    pub(crate) fn nearest(&self, kind: &str, namespace: &str, name: &str, folder: &str) -> Option<&RawObject<'a>> {
        let fitting = self.named(kind, name).filter(|it| it.namespace().is_none_or(|its| its == namespace));
        fitting.max_by_key(|object| (shared(&object.file.path, folder), std::cmp::Reverse(&object.file.path)))
    }
}

/// How many of the first parts of two paths are the same.
fn shared(a: &str, b: &str) -> usize {
    a.split('/').zip(b.split('/')).take_while(|(a, b)| a == b).count()
}

/// The objects of a file, those in lists too.
pub(crate) fn objects(file: &SourceFile) -> impl Iterator<Item = RawObject<'_>> {
    file.documents.iter().flat_map(unpacked).filter_map(|root| RawObject::read(file, root))
}

/// A document, or the items of a list.
pub(crate) fn unpacked(document: &Node) -> Vec<&Node> {
    let is_list = document.get("kind").and_then(Node::as_str).is_some_and(|kind| kind.ends_with("List"));
    match document.get("items") {
        Some(items) if is_list => items.items().iter().collect(),
        Some(_) | None => vec![document],
    }
}

/// Parts of paths under which nothing is meant for a cluster.
const NOT_APPLIED: [&str; 25] = [
    "template",
    "templates",
    "test",
    "tests",
    "testdata",
    "example",
    "examples",
    "sample",
    "samples",
    "archive",
    "archived",
    "archives",
    "deprecated",
    "disabled",
    "unused",
    "old",
    "docs",
    "documentation",
    "hack",
    "scripts",
    "bootstrap",
    "talos",
    "ansible",
    "terraform",
    "fixtures",
];

/// Whether a path lies under a folder that, by its name, nobody applies to a cluster.
pub(crate) fn is_set_aside(path: &str) -> bool {
    let set_aside = |part: &str| part.starts_with('.') || part.starts_with('_') || NOT_APPLIED.contains(&part);
    let folder = crate::tree_path::folder(path);
    folder.split('/').any(|part| !part.is_empty() && set_aside(part))
}

/// Whether an object is of a kind that Kubernetes serves: files of other tools have `apiVersion` and `kind` too.
pub(crate) fn is_of_a_cluster(object: &RawObject<'_>) -> bool {
    let tools = ["kustomize.config.k8s.io", "config.talos.dev", "backstage.io", "helmfile", "skaffold"];
    let of_tool = tools.iter().any(|group| object.group().starts_with(group));
    // Documents of Talos have a version without a group.
    !of_tool && (!object.group().is_empty() || object.api_version == "v1")
}
