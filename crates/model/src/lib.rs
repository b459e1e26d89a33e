//! The facts of a cluster, for files and watches alike.
//!
//! `shapes` are the slim serde types that objects are decoded into, `facts` what is kept of them, and [`Cluster`] holds
//! the facts and says what a change touched. Nothing here decides anything, and nothing here knows a client, a clock,
//! a file or the network.

#![warn(missing_docs, clippy::wildcard_enum_match_arm)]

pub mod amount;
#[cfg(any(test, feature = "builders"))]
pub mod builders;
pub mod cluster;
pub mod facts;
mod key;
mod labels;
mod place;
mod pool;
pub mod quantity;
pub mod repository;
pub mod selector;
pub mod shapes;
mod slice;
mod text;
mod touched;

pub use cluster::{Cluster, NamespaceView, PodOwner};
pub use key::{Kind, ObjectKey, OwnerRef, WorkloadKind, WorkloadRef};
pub use labels::Labels;
pub use place::{Confidence, Locate, Located, Nowhere, Position, Subject};
pub use repository::Repository;
pub use slice::Slice;
pub use text::Text;
pub use touched::Touched;
