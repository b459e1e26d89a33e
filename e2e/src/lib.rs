//! What the scenarios in `tests/` share: a cluster with the chart installed and the controller running under its account.

mod cluster;
mod objects;

pub use cluster::{Cluster, NAMESPACE, ServiceAccount, chart, checkout};
pub use objects::{deployment, enforce, namespace};
