//! What a build is given and what it gives.

use std::borrow::Cow;
use std::collections::BTreeSet;

use thiserror::Error;

use super::accumulate::Builder;
use super::collection::Collection;
use super::finish;
use super::overlay::Overlay;
use super::problem::{Problem, Problems};
use super::resource::Resource;
use crate::yaml::Refusal;
use crate::{FileId, Node};

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Nothing.
    Missing,
    /// A file.
    File,
    /// A folder.
    Folder,
    /// A link that leads out of the checkout.
    Outside,
}

/// Why a file can't be read: a clause in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct Unreadable(pub String);

/// The files of a checkout. Paths are relative to it, with `/` between their parts; the empty one is the checkout.
pub trait Files {
    /// What stands there.
    fn entry(&self, path: &str) -> Entry;

    /// The names in a folder, in order.
    fn list(&self, folder: &str) -> Vec<String>;

    /// The documents of a YAML or JSON file, as Flux reads them.
    ///
    /// # Errors
    /// When it can't be read, or not to its end: Kustomize takes no part of a file.
    fn documents(&self, path: &str) -> Result<Cow<'_, [Node]>, Unreadable>;

    /// Why Kustomize refuses a file of objects that can be read.
    fn refusal(&self, path: &str) -> Option<Refusal>;

    /// The bytes of a file.
    ///
    /// # Errors
    /// When it can't be read.
    fn bytes(&self, path: &str) -> Result<Cow<'_, [u8]>, Unreadable>;

    /// The number of a file.
    fn id(&self, path: &str) -> Option<FileId>;
}

/// What came of a build.
#[derive(Clone, Debug, Default)]
pub struct Build {
    /// The objects, in the order in which Kustomize prints them.
    pub objects: Vec<Node>,
    /// What couldn't be done.
    pub problems: Vec<Problem>,
    /// The files that were used.
    pub read: BTreeSet<String>,
}

/// Builds a folder of a checkout.
///
/// A folder without a kustomization file is built as Flux does it: over all YAML files in it and below it. `overlay` is
/// what a Flux Kustomization adds to the kustomization file of its path.
#[must_use]
pub fn build(folder: &str, files: &dyn Files, overlay: &Overlay<'_>) -> Build {
    let mut builder = Builder::new(files);
    let collection = builder.root(folder, overlay);
    let objects = finish::finish(collection, builder.sort.as_ref(), builder.managed_by, &mut builder.problems);
    Build { objects, problems: builder.problems.into_list(), read: builder.read }
}

/// Applies the patches and images of an overlay to objects, as `postRenderers` of a HelmRelease do.
#[must_use]
pub fn post_render(objects: Vec<Node>, overlay: &Overlay<'_>) -> Build {
    let mut problems = Problems::default();
    let mut collection = Collection::default();
    for object in objects {
        collection.append(Resource::new(object), &mut problems);
    }
    overlay.apply_rendered(&mut collection, &mut problems);
    let objects = collection.into_objects();
    Build { objects, problems: problems.into_list(), read: BTreeSet::new() }
}
