//! Kustomize, natively: what `kustomize build` v5 would print for a folder, with the place of every value.
//!
//! `accumulate` follows a kustomization file through its resources, components and transformers in the order in which
//! Kustomize runs them; the other modules are one step each. A value that a patch or a transformer sets stands where that
//! patch or transformer is written. Kustomize gives up a whole build over its first error; here each error is a
//! [`Problem`], and the rest is still built. Absent: the network, plugins, functions and Helm, which are told.

mod accumulate;
mod api;
mod collection;
mod field_spec;
mod file;
mod finish;
mod generator;
mod hash;
mod id;
mod image;
mod json_patch;
mod key_value;
mod label;
mod merge;
mod merge_keys;
mod merge_list;
mod name;
mod name_reference;
mod namespace;
mod overlay;
mod patch;
mod path;
mod problem;
mod reference_fields;
mod replacement;
mod resource;
mod selector;
mod size;
mod sort;
mod target_path;

pub(crate) use accumulate::{FILE_NAMES, is_kustomization_file};
pub use api::{Build, Entry, Files, Unreadable, build, post_render};
pub use overlay::Overlay;
pub use problem::{Problem, ProblemKind};

#[cfg(test)]
mod tests;
