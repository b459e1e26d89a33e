//! `cargo xtask bench`: how fast, how small and how calm the controller is, on a real API server, and what an audit costs.
//!
//! Each prints a table and writes the same figures as JSON. The binary is the one that ships (release profile), under the
//! chart's own account; what it is compared with runs in the same run on the same server. Nothing is asserted: a figure
//! is a fact about a machine, and a busy machine gives others.

mod arrivals;
mod audit;
mod converge;
mod forecast;
mod lists;
mod memory;
mod pod_security;
mod reaction;
mod report;
mod stage;
mod steady;
mod vault;
mod world;

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};

use report::Report;
use stage::Stage;

/// The arguments of the verb.
#[derive(Debug, clap::Args)]
pub(crate) struct Bench {
    #[command(subcommand)]
    name: Name,
    /// Where the figures go as JSON; by default bench/NAME.json in the target folder.
    #[arg(long, global = true, value_name = "FILE")]
    json: Option<PathBuf>,
}

#[derive(Debug, clap::Subcommand)]
enum Name {
    /// From start to the last wanted budget, against a bare client that writes the same objects.
    Converge(converge::Converge),
    /// Processor time, memory and requests when nothing happens, then while pods come and go.
    Steady(steady::Steady),
    /// Resident memory and time to readiness, by the size of the cluster.
    Memory(memory::Memory),
    /// From an event to its acknowledged write, against a bare round trip.
    Reaction(reaction::Reaction),
    /// What an audit of a checkout costs, against parsing the same files.
    Audit(audit::Audit),
    /// What a drain forecast of a large cluster costs.
    Forecast(forecast::Forecast),
    /// What it costs to judge very many pod templates by the Pod Security Standards.
    PodSecurity(pod_security::PodSecurity),
    /// Memory, processor time and requests of the Vault controller while all servers are well.
    Vault(vault::Vault),
}

impl Bench {
    pub(crate) async fn run(self) -> Result<()> {
        // What the controller is compared with is part of this program, and must not be slower for being a development build.
        if cfg!(debug_assertions) {
            return again_optimised();
        }
        if let Name::Audit(bench) = &self.name
            && bench.is_baseline()?
        {
            return Ok(());
        }
        let stage = async || {
            let binary = build()?;
            eprintln!("Starting etcd and an API server.");
            Stage::start(binary).await
        };
        let report = match self.name {
            Name::Converge(bench) => bench.run(&stage().await?).await,
            Name::Steady(bench) => bench.run(&stage().await?).await,
            Name::Memory(bench) => bench.run(&stage().await?).await,
            Name::Reaction(bench) => bench.run(&stage().await?).await,
            Name::Audit(bench) => bench.run(&build()?),
            Name::Forecast(bench) => bench.run(),
            Name::PodSecurity(bench) => bench.run(),
            Name::Vault(bench) => bench.run(&build()?).await,
        }?;
        let here = std::env::current_exe().context("where this program is")?;
        publish(&report, self.json.unwrap_or_else(|| beside(&here, report.name())))
    }
}

/// The same command by an optimised build of this program.
fn again_optimised() -> Result<()> {
    eprintln!("Building this program as optimised as what it measures (two minutes, once).");
    let mut cargo = crate::cargo::command();
    cargo.args(["run", "--release", "--quiet", "--package", "xtask", "--"]).args(std::env::args_os().skip(1));
    let status = cargo.status()?;
    ensure!(status.success(), "the measurement failed: see above");
    Ok(())
}

fn publish(report: &Report, file: PathBuf) -> Result<()> {
    println!("{report}");
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(&file, report.json()).with_context(|| format!("writing {}", file.display()))?;
    eprintln!("Written to {}.", file.display());
    Ok(())
}

/// `bench/NAME.json` in the target folder, of which `binary` is `release/xtask`.
fn beside(binary: &std::path::Path, name: &str) -> PathBuf {
    let target = binary.ancestors().nth(2).unwrap_or(std::path::Path::new("target"));
    target.join("bench").join(format!("{name}.json"))
}

/// The binary that ships.
fn build() -> Result<PathBuf> {
    eprintln!("Building holdfast as it ships.");
    let mut cargo = crate::cargo::command();
    cargo.args(["build", "--release", "--package", "holdfast", "--message-format=json-render-diagnostics"]);
    let output = cargo.stderr(std::process::Stdio::inherit()).output()?;
    ensure!(output.status.success(), "holdfast can't be built: see above");
    let messages = output.stdout.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok());
    let executable = |message: serde_json::Value| Some(PathBuf::from(message.get("executable")?.as_str()?));
    messages.filter_map(executable).next_back().context("cargo built no program")
}
