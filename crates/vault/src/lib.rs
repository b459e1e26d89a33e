//! The sibling controller: keeps a Vault or OpenBao startable that seals itself with a transit key of another one.
//!
//! The form of every pass is `observe` -> `diagnose` -> `next_step` -> `execute` -> `report`. What is decided is pure:
//! `cause`, `claim`, `diagnose`, `next_step`, `rehearsal`, `view` know no client and no clock.

#![warn(missing_docs, clippy::wildcard_enum_match_arm)]

mod audit;
mod board;
#[cfg(test)]
mod builders;
pub mod cause;
pub mod circle;
pub mod claim;
pub mod client;
pub mod conflict;
pub mod diagnose;
mod execute;
mod finalizer;
pub mod init;
mod keeper;
pub mod metrics;
pub mod next_step;
mod observe;
pub mod provision;
pub mod rehearsal;
mod run;
pub mod settings;
pub mod status;
mod turns;
pub mod view;
mod wake;
pub mod wiring;

pub use run::{LEASE, RunError, Settings, run};
