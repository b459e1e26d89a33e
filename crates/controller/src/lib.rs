//! The live controller: observe, decide, act, report.
//!
//! `observe` fills the view, `decide` plans what was touched, `act` carries the difference out, `status` tells. Nothing
//! here decides about a workload: that is in `policy`. Only the leader writes; the others keep a warm view.

pub mod access;
mod act;
mod decide;
mod forecast;
mod lease;
mod look;
pub mod metrics;
mod observe;
mod permissions;
mod pod_security;
mod run;
mod status;
mod upgrade;
mod view;
mod withdraw;

pub use look::{LookError, look};
pub use observe::Feed;
pub use run::{RunError, Settings, run};
pub use withdraw::{WithdrawError, withdraw};
