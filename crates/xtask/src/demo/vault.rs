//! `cargo xtask demo vault`: a server that is sealed with another one's key, and all that goes wrong with that.
//!
//! Two real OpenBao on loopback, a real control plane, and the controller under the chart's own account. Everything that is
//! told was waited for within a deadline: the demo fails where the controller says something else. `--check` is the same
//! without a person.

mod birth;
mod ear;
mod news;
mod stage;
mod story;
mod voice;

use std::io::IsTerminal as _;

use anyhow::{Result, bail};
use holdfast_testkit::Tool;
use indicatif::ProgressBar;

use ear::Ear;
use stage::Stage;
use story::Story;
use voice::Voice;

/// What is started or called.
pub(crate) const TOOLS: [Tool; 5] = [Tool::ControlPlane, Tool::Kubectl, Tool::Kwok, Tool::Helm, Tool::OpenBao];

/// The arguments of the verb.
#[derive(Debug, clap::Args)]
pub(crate) struct Vault {
    /// For a test: no progress line, and no waiting at the end.
    #[arg(long, conflicts_with = "keep")]
    check: bool,
    /// Stay until Ctrl-C at the end, without a terminal too: the servers are processes of this one and end with it.
    #[arg(long)]
    keep: bool,
}

impl Vault {
    pub(crate) async fn run(self) -> Result<()> {
        super::build()?;
        // All of them now, so that nothing is fetched in the middle.
        tokio::task::spawn_blocking(|| TOOLS.iter().try_for_each(|tool| tool.find().map(drop))).await??;
        tokio::select! {
            biased;
            ended = self.play() => ended,
            // What runs is ended here: folders are removed only by who is still there.
            interrupted = tokio::signal::ctrl_c() => {
                interrupted?;
                bail!("interrupted; everything that was started is stopped")
            }
        }
    }

    async fn play(&self) -> Result<()> {
        let progress = if self.check { ProgressBar::hidden() } else { super::progress::progress("starting") };
        let voice = Voice::new(progress);
        let stage = Stage::build(&voice).await?;
        let ear = Ear::listen(stage.client(), &voice);
        let told = Story::new(&stage, ear, &voice).play().await.map_err(|error| stage.explain(error))?;
        voice.show(&told);
        voice.end();
        self.say_goodbye(&stage).await
    }

    async fn say_goodbye(&self, stage: &Stage) -> Result<()> {
        if self.check {
            return Ok(());
        }
        if self.keep || std::io::stdin().is_terminal() {
            eprintln!("\nLook around:\n{}", stage.look_around());
            eprintln!("Ctrl-C ends the demo and cleans up.");
            tokio::signal::ctrl_c().await?;
        }
        eprintln!("Cleaning up.");
        Ok(())
    }
}
