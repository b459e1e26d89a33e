//! From objects to what everybody else judges: the facts of a cluster, the inventory, and where each field was written.
//!
//! What stays of an object is its facts, and an outline for whoever asks where a field was written: objects are taken in
//! piece by piece, and let go before the next are made.

mod gathered;
mod inventory;
mod left_out;
mod observe;
mod outline;
mod places;
mod sources;
mod unreachable;

pub(crate) use gathered::Gathered;
pub(crate) use inventory::unreached_items;
pub(crate) use left_out::left_out;
pub(crate) use observe::Unread;
pub use places::Places;
pub use sources::Sources;
pub(crate) use unreachable::unreachable;
