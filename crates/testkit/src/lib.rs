//! Real servers for tests and the demo: a control plane, fake kubelets, Helm, Vault and OpenBao, and the controller as a
//! process.
//!
//! Everything here is started by the test that needs it, listens on loopback only, and ends with the process that
//! started it, even when that is killed with `-9`. Nothing is mocked, nothing waits for a fixed time, and nothing here
//! is meant for use outside tests, benchmarks and the demo.

pub mod tools;

pub mod audit;
pub mod control_plane;
pub mod kubelet;

pub mod controller;
pub mod fault_proxy;
pub mod metrics;
pub mod stopwatch;
pub mod usage;

pub mod helm;
pub mod manifests;

pub mod server_kubelet;
pub mod vault;

pub mod eventually;

mod address;
mod cache;
mod certificates;
mod component;
mod kubeconfig;
mod loopback;
mod port;
mod process;

pub use audit::{AuditEvent, AuditLog};
pub use cache::Cache;
pub use certificates::{Authority, Issued};
pub use control_plane::{ControlPlane, Kept};
pub use controller::ControllerProcess;
pub use eventually::{eventually, give_up};
pub use fault_proxy::FaultProxy;
pub use helm::Helm;
pub use kubeconfig::{account_kubeconfig, client_from};
pub use manifests::Manifests;
pub use metrics::Metrics;
pub use server_kubelet::ServerKubelet;
pub use stopwatch::Stopwatch;
pub use tools::{Tool, Tools};
pub use usage::Usage;
