//! From objects to what everybody else judges: the facts of a cluster, the inventory, and where each field was written.
//!
//! What stays of an object is its facts, and its tree of values for whoever asks where a field was written.

mod inventory;
mod observe;
mod places;
mod sources;
mod unreachable;

pub(crate) use inventory::{inventory, unreached_items};
pub(crate) use observe::observe;
pub use places::Places;
pub use sources::Sources;
pub(crate) use unreachable::unreachable;
