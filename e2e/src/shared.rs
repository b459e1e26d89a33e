//! One cluster and one controller for every story that keeps to namespaces and policies of its own.
//!
//! Started by whoever comes first, gone with the process. A story that starts, stops or configures a controller, or
//! changes a definition, starts a cluster of its own instead.

use anyhow::Result;
use holdfast_testkit::ControllerProcess;
use tokio::sync::OnceCell;

use crate::{Cluster, Tenant};

/// The cluster and its controller.
pub struct Shared {
    /// The cluster.
    pub cluster: Cluster,
    /// The controller, ready.
    pub controller: ControllerProcess,
}

impl Shared {
    /// The one there is.
    pub async fn get() -> Result<&'static Self> {
        static SHARED: OnceCell<Shared> = OnceCell::const_new();
        SHARED.get_or_try_init(Self::start).await
    }

    /// A namespace of this name on it.
    pub async fn tenant(name: &str) -> Result<Tenant> {
        Tenant::move_in(Self::get().await?.cluster.admin(), name).await
    }

    async fn start() -> Result<Self> {
        let cluster = Cluster::start().await?;
        let controller = cluster.controller().await?;
        Ok(Self { cluster, controller })
    }
}
