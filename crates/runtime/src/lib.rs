//! What both controllers stand on: the Lease, supervised tasks, health and metrics servers, requests to the API server.
//!
//! Nothing here knows a custom resource, a fact or a decision; what differs between the controllers (names, heartbeats,
//! metrics of their own, what an event is about) is an argument. Absent: watches, which only one of them has; signals and
//! arguments, which are the binary's.

#![warn(missing_docs)]

pub mod backoff;
pub mod connections;
pub mod events;
pub mod failure;
pub mod lease;
pub mod metrics;
pub mod requests;
pub mod server;
mod stack;
pub mod supervise;
