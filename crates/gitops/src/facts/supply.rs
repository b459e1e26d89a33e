//! Secrets that lie open in Git, what SOPS covers, and what pipelines use and publish.
//!
//! Looks at every YAML file, also at what no Flux root reaches: a secret is told to whoever clones the checkout. No value
//! leaves this module.

mod base64;
mod looks;
mod secret;
mod sops;
mod workflow;

use std::sync::Arc;

use holdfast_model::repository::Supply;

use super::Paths;
use crate::SourceFile;

/// Adds what a file says.
pub(super) fn read_file(file: &SourceFile, paths: &dyn Paths, supply: &mut Supply) {
    sops::read(file, paths, supply);
    secret::read(file, paths, supply);
    workflow::read(file, paths, supply);
}

/// Adds the files that are named as those of SOPS are, and what covers them; after all files were read.
pub(super) fn read_tree(paths: &[Arc<str>], supply: &mut Supply) {
    sops::read_tree(paths, supply);
}

#[cfg(test)]
mod tests;
