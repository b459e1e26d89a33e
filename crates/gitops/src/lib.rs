//! Reads a Git checkout as Flux would, into the facts that everything else judges.
//!
//! `node` is a YAML value that knows where it stands, through overlays and substitution; `yaml` reads files into such
//! values; `kustomize` builds overlays; `flux` follows Kustomizations and HelmReleases from the roots; `facts` turns what
//! comes out into `Cluster`, `Repository` and a `Locate`. Bad input is a finding and stops nothing. Absent: a network, a
//! cluster, a decision.

#![warn(missing_docs, clippy::wildcard_enum_match_arm)]

mod assemble;
pub mod checkout;
mod decode;
pub mod facts;
mod file;
mod flux;
mod helm;
mod json;
pub mod kustomize;
pub mod node;
mod object;
mod origin;
mod path;
mod places_of;
mod raw;
mod read;
mod rendered;
mod scope;
#[cfg(test)]
mod test_checkout;
mod tree_path;
mod trouble;
pub mod yaml;

pub use assemble::{Places, Sources};
pub use checkout::ReadError;
pub use decode::{DecodeError, Failure};
pub use file::SourceFile;
pub use helm::{HelmMode, HelmOptions};
pub use node::{Mapping, Node, Value};
pub use object::Object;
pub use origin::{FileId, Origin};
pub use path::Found;
pub use read::{Checkout, ClusterFiles, Options, Stream, read, read_stream};
