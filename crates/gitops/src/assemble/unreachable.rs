//! Files with objects that nobody applies, though a person who sees them believes it.
//!
//! Only below the folders that Flux does apply something from, and not below folders whose name says that they are set
//! aside: archives, templates, tests, what boots a cluster by hand. Absent: files that Kustomize takes in as something
//! else than resources; those are reached.

use std::collections::BTreeSet;

use foldhash::HashSet;

use crate::checkout::Tree;
use crate::raw::{Raw, is_of_a_cluster, is_set_aside};
use crate::{FileId, tree_path};

/// The files that no cluster reaches; `reached` are those of each.
pub(crate) fn unreachable(tree: &Tree, raw: &Raw<'_>, reached: &[&HashSet<FileId>]) -> BTreeSet<FileId> {
    let grounds: Vec<String> = reached.iter().filter_map(|files| ground(tree, files)).collect();
    let any = |file: FileId| reached.iter().any(|files| files.contains(&file));
    let dead = raw.objects.iter().filter(|object| {
        let path = &object.file.path;
        !any(object.file.id)
            && is_of_a_cluster(object)
            && !is_set_aside(path)
            && grounds.iter().any(|ground| tree_path::is_below(path, ground))
    });
    dead.map(|object| object.file.id).collect()
}

/// The deepest folder that holds everything that a cluster is made from.
fn ground(tree: &Tree, files: &HashSet<FileId>) -> Option<String> {
    let mut folders = files.iter().filter_map(|id| tree.path(*id)).map(|path| tree_path::folder(path));
    let first = folders.next()?;
    let mut parts: Vec<&str> = first.split('/').collect();
    for folder in folders {
        let same = parts.iter().zip(folder.split('/')).take_while(|(a, b)| **a == *b).count();
        parts.truncate(same);
    }
    Some(parts.join("/"))
}
