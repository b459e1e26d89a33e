//! `cargo xtask up`: a control plane to use by hand, which stays until `cargo xtask down`.
//!
//! Prints one line for a shell to evaluate. When one runs already, that one is used.

use anyhow::{Context as _, Result};
use holdfast_testkit::{ControlPlane, Kept, Tool};

/// The arguments of the verb.
#[derive(Debug, clap::Args)]
pub(crate) struct Up {
    /// How many nodes it has.
    #[arg(long, default_value_t = 3)]
    nodes: u16,
}

impl Up {
    pub(crate) async fn run(self) -> Result<()> {
        let plane = match running().await? {
            Some(plane) => plane,
            None => self.start().await?,
        };
        eprintln!("Logs and keys are in {}; `cargo xtask down` stops it.", plane.dir.display());
        println!("export KUBECONFIG={}", plane.kubeconfig.display());
        Ok(())
    }

    async fn start(&self) -> Result<Kept> {
        eprintln!("Starting a control plane with {} nodes.", self.nodes);
        let plane = ControlPlane::builder().nodes(self.nodes).start_detached().await?;
        let kubectl = Tool::Kubectl.find_in_background().await.context("the control plane runs, but")?;
        eprintln!("It runs. A kubectl that fits is {}.", kubectl.path.display());
        Ok(plane)
    }
}

/// The one that runs already; what is left of a broken one is removed.
async fn running() -> Result<Option<Kept>> {
    match Kept::find()? {
        Some(plane) if plane.is_whole() => {
            eprintln!("A control plane runs already.");
            Ok(Some(plane))
        }
        Some(broken) => {
            eprintln!("Removing a control plane of which only {:?} still run.", broken.running());
            broken.stop().await?;
            Ok(None)
        }
        None => Ok(None),
    }
}
