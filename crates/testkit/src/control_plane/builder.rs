//! The choices for a control plane, and its start.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::{ControlPlane, Home, Kept, kept, layout};
use crate::cache::Cache;
use crate::component::Lifetime;
use crate::process::Janitor;
use crate::tools::Tool;

/// What to start. By default: no nodes, audit log on.
#[derive(Debug, Clone)]
pub struct Builder {
    pub(super) nodes: u16,
    pub(super) audit: bool,
    pub(super) controllers: bool,
    pub(super) api_server_arguments: Vec<String>,
}

impl Default for Builder {
    fn default() -> Self {
        Self { nodes: 0, audit: true, controllers: true, api_server_arguments: Vec::new() }
    }
}

impl Builder {
    /// How many nodes there are, with fake kubelets; without any, no pod is ever scheduled.
    pub fn nodes(self, nodes: u16) -> Self {
        Self { nodes, ..self }
    }

    /// Switches the audit log off, for benchmarks.
    pub fn without_audit(self) -> Self {
        Self { audit: false, ..self }
    }

    /// Only etcd and the API server, for benchmarks: what is created stays as it is, and no one else uses the processor.
    /// Pods need no ServiceAccount then, since nobody makes one.
    pub fn without_controllers(self) -> Self {
        let bare = Self { controllers: false, ..self };
        bare.api_server_argument("--disable-admission-plugins=ServiceAccount")
    }

    /// One more argument for the API server, such as `--event-ttl=1m`. It comes last and so wins.
    pub fn api_server_argument(mut self, argument: impl Into<String>) -> Self {
        self.api_server_arguments.push(argument.into());
        self
    }

    /// Starts it, and waits until pods can run. The first time on a machine this builds the programs.
    pub async fn start(self) -> Result<ControlPlane> {
        let folder = tempfile::Builder::new().prefix("holdfast-plane-").tempdir()?;
        let janitor = Janitor::for_folder(folder.path())?;
        let home = Home::Temporary { folder, _janitor: janitor };
        let plane = self.prepare(home, Lifetime::Bound).await?;
        plane.bring_up(|_| Ok(())).await?;
        Ok(plane)
    }

    /// Starts one that outlives this process, recorded so that [`Kept::stop`] finds it. There is at most one.
    pub async fn start_detached(self) -> Result<Kept> {
        let folder = kept::folder(&Cache::locate()?);
        fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
        let plane = self.prepare(Home::Kept(folder), Lifetime::Detached).await?;
        // Recorded at each step, so that what an interrupted start leaves behind can be stopped too.
        if let Err(error) = plane.bring_up(|plane| kept::record(plane).map(drop)).await {
            kept::record(&plane)?.stop().await?;
            return Err(error);
        }
        kept::record(&plane)
    }

    async fn prepare(self, home: Home, lifetime: Lifetime) -> Result<ControlPlane> {
        let control_plane = Tool::ControlPlane.find_in_background().await?.path;
        let kwok = match self.nodes {
            0 => None,
            _ => Some(Tool::Kwok.find_in_background().await?.path),
        };
        layout::lay_out(self, Programs { control_plane: &control_plane, kwok: kwok.as_deref() }, home, lifetime).await
    }
}

/// Where the programs are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Programs<'a> {
    pub(super) control_plane: &'a Path,
    pub(super) kwok: Option<&'a Path>,
}
