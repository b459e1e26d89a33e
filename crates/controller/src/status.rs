//! Tells what was found: statuses of policies and exceptions, events, and the numbers behind the gauges.
//!
//! The only writer of each status. Nothing is written when nothing but a time would differ.

mod board;
mod events;
mod exception;
mod policy;
pub(crate) mod readiness;
mod security;
mod writer;

pub(crate) use board::{Act, Board, Frozen, Levels};
pub(crate) use events::{Events, Teller};
pub(crate) use writer::{CONCERN, FIELD_MANAGER, Writer};
