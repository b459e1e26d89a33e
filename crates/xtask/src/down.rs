//! `cargo xtask down`: stops the control plane that `cargo xtask up` started, and removes what it stored.

use anyhow::Result;
use holdfast_testkit::Kept;

/// The arguments of the verb: none.
#[derive(Debug, clap::Args)]
pub(crate) struct Down {}

impl Down {
    pub(crate) async fn run(self) -> Result<()> {
        match Kept::find()? {
            Some(plane) => {
                plane.stop().await?;
                eprintln!("Stopped.");
            }
            None => eprintln!("No control plane is running."),
        }
        Ok(())
    }
}
