//! The one binary: arguments become settings, then work begins.

mod arguments;
mod audit;
mod cluster;
mod commands;
mod drain;
mod explain;
mod pod_security;
mod telemetry;

use std::process::ExitCode;

use arguments::{Arguments, Command};
use clap::Parser as _;

fn main() -> ExitCode {
    let Arguments { cluster, logging, command } = Arguments::parse();
    if !command.is_for_people() {
        telemetry::install(&logging);
    }
    let outcome = match command {
        Command::Audit(audit) => return audit::run(&audit),
        Command::Drain(drain) => return drain.run(&cluster),
        Command::Explain(explain) => return explain.run(),
        Command::PodSecurity(pods) => return pods.run(),
        Command::Controller(controller) => commands::controller(&cluster, controller),
        Command::VaultController(vault) => commands::vault_controller(&cluster, vault),
        Command::Withdraw => commands::withdraw(&cluster),
        Command::Crds => commands::crds(),
        Command::Completions { shell } => commands::completions(shell),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "holdfast stopped");
            ExitCode::FAILURE
        }
    }
}
