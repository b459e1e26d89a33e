//! From objects to what everybody else judges: the facts of a cluster, the inventory, and where each field was written.
//!
//! The trees of values end here. What stays of an object is its facts and one number for each of its fields.

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
