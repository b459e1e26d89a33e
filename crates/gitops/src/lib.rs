//! Reads a Git checkout as Flux would, into the facts that everything else judges.
//!
//! `node` is a YAML value that knows where it stands, through overlays and substitution; `yaml` reads files into such
//! values; `kustomize` builds overlays; `flux` follows Kustomizations and HelmReleases from the roots; `facts` turns what
//! comes out into `Cluster`, `Repository` and a `Locate`. Bad input is a finding and stops nothing. Absent: a network, a
//! cluster, a decision.

#![warn(missing_docs, clippy::wildcard_enum_match_arm)]

mod decode;
pub mod facts;
mod file;
mod json;
pub mod kustomize;
pub mod node;
mod object;
mod origin;
mod path;
pub mod yaml;

pub use decode::{DecodeError, Failure};
pub use file::SourceFile;
pub use node::{Mapping, Node, Value};
pub use object::Object;
pub use origin::{FileId, Origin};
pub use path::Found;
