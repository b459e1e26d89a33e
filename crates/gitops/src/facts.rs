//! Facts of files for `Repository`, one module for each domain.
//!
//! Each module looks at one effective object or one file at a time and adds what its rules need, no more; a rule in
//! `policy` then decides. Nothing is decided here.

mod disruption;
mod flux;
mod identity;
mod resources;
mod template;

use std::sync::Arc;

use holdfast_model::{Position, Repository};

use crate::{Object, Origin, SourceFile};

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
    flux::read(object, paths, &mut repository.flux);
}

/// Adds what a file says that is no Kubernetes object: Talos configuration, workflows, `.sops.yaml`.
pub fn read_file(file: &SourceFile, paths: &dyn Paths, repository: &mut Repository) {
    let _ = (file, paths, repository);
}

/// Adds what the mere presence of files says. `paths` are those of all files of the checkout, in order.
pub fn read_tree(paths: &[Arc<str>], repository: &mut Repository) {
    let _ = (paths, repository);
}
