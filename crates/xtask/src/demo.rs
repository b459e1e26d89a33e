//! `cargo xtask demo`: the main job, for someone who has only cloned the repository; `cargo xtask demo vault` is the other one.
//!
//! A real control plane with the mistakes of real clusters, the controller under the chart's own account, and a table of
//! what that changed. On somebody's own cluster (`--kubeconfig`) it only looks, unless told to enforce.

mod picture;
mod progress;
mod stage;
mod table;
mod vault;

use std::path::PathBuf;

use anyhow::Result;
use holdfast_testkit::Tools;

use picture::Picture;
use stage::Stage;

pub(crate) use vault::TOOLS as VAULT_TOOLS;

/// The arguments of the verb.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Demo {
    #[command(subcommand)]
    story: Option<Story>,
    /// Leave everything running; `cargo xtask down` stops it.
    #[arg(long, conflicts_with = "kubeconfig")]
    keep: bool,
    /// Use this cluster instead of a local one, as it is. Only looks.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// With --kubeconfig: install the definitions and write budgets too.
    #[arg(long, requires = "kubeconfig")]
    enforce: bool,
}

/// Another story than the disruption budgets.
#[derive(Debug, clap::Subcommand)]
enum Story {
    /// A server that is sealed with another one's key: power cuts, a dead token, a key that was made anew.
    Vault(vault::Vault),
}

impl Demo {
    pub(crate) async fn run(self) -> Result<()> {
        if let Some(Story::Vault(vault)) = self.story {
            return vault.run().await;
        }
        match &self.kubeconfig {
            Some(kubeconfig) if !self.enforce => look(kubeconfig).await,
            Some(kubeconfig) => play(Stage::on(kubeconfig).await?, false).await,
            None => {
                build()?;
                // All of them now, so that nothing is fetched in the middle.
                tokio::task::spawn_blocking(Tools::find).await??;
                let stage = if self.keep { Stage::kept().await? } else { Stage::local().await? };
                play(stage, self.keep).await
            }
        }
    }
}

/// Looks at a cluster as it is and writes nothing.
async fn look(kubeconfig: &std::path::Path) -> Result<()> {
    let client = holdfast_testkit::client_from(kubeconfig).await?;
    let picture = Picture::take(&client).await?;
    println!("{}", table::before("The cluster as it is", &picture));
    println!("{}", table::drains(&picture, &picture));
    println!("{}", table::attention(&picture));
    eprintln!("Nothing was written. With --enforce the budgets that are missing would be.");
    Ok(())
}

async fn play(mut stage: Stage, keep: bool) -> Result<()> {
    if stage.is_ours() {
        stage.show(&table::before("The sample, from its manifests alone", &Picture::of_files(&stage::sample())?));
    }
    stage.load().await?;
    let before = stage.settled().await?;
    stage.show(&format!("\n{}", table::before("Before, in the running cluster", &before)));
    stage.install().await?;
    stage.start_controller().await?;
    stage.enforce().await?;
    let after = stage.enforced().await?;
    stage.show(&format!("\n{}", table::changes(&before, &after)));
    stage.show(&table::drains(&before, &after));
    stage.show(&table::attention(&after));
    stage.show(&table::left_alone(&after));
    stage.say_goodbye(keep).await
}

/// The binary that ships, built as any other, unless `$HOLDFAST_BIN` names one.
fn build() -> Result<()> {
    if std::env::var_os("HOLDFAST_BIN").is_some() {
        return Ok(());
    }
    eprintln!("Building holdfast.");
    let built = crate::cargo::command().args(["build", "--quiet", "-p", "holdfast"]).status()?;
    anyhow::ensure!(built.success(), "holdfast can't be built: see above");
    Ok(())
}
