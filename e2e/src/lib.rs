//! What the scenarios in `tests/` share: a cluster with the chart installed and the controller running under its account.

mod cluster;
mod kubectl;
mod objects;
mod picture;
pub mod sample;
mod shared;
mod tenant;

pub use cluster::{Cluster, NAMESPACE, ServiceAccount, chart, checkout};
pub use kubectl::Kubectl;
pub use objects::{deployment, enforce, namespace, set};
pub use shared::Shared;
pub use tenant::{CANARY, PATIENCE, Tenant};
