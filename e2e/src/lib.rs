//! What the scenarios in `tests/` share: a cluster with the chart installed and the controller running under its account.

mod answers;
mod behind_proxy;
mod budgets;
pub mod churn;
mod cluster;
mod conditions;
mod counted;
pub mod drainer;
mod fresh_start;
mod kubectl;
mod listing;
mod objects;
mod picture;
pub mod rights;
pub mod sample;
mod shared;
mod tenant;
pub mod uninstall;
pub mod vault;

pub use answers::Comparison;
pub use behind_proxy::{BUDGETS, BehindProxy, budget_of};
pub use budgets::{await_budgets, await_count, budgets_of_ours};
pub use cluster::{Cluster, NAMESPACE, ServiceAccount, chart, checkout};
pub use conditions::{has_condition, lacks_condition};
pub use counted::everything_is_counted;
pub use fresh_start::FreshStart;
pub use kubectl::Kubectl;
pub use listing::Listing;
pub use objects::{deployment, enforce, namespace, set};
pub use shared::Shared;
pub use tenant::{CANARY, PATIENCE, Tenant};

/// Whether the long forms are asked for, by `HOLDFAST_SOAK=1`.
#[must_use]
pub fn is_soak() -> bool {
    std::env::var("HOLDFAST_SOAK").as_deref() == Ok("1")
}
