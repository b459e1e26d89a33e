//! The one binary: arguments become settings, then work begins.

mod arguments;
mod cluster;
mod commands;
mod telemetry;

use std::process::ExitCode;

use arguments::{Arguments, Command};
use clap::Parser as _;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    telemetry::install(&arguments.logging);
    let outcome = match arguments.command {
        Command::Controller(controller) => commands::controller(&arguments.cluster, controller),
        Command::Withdraw => commands::withdraw(&arguments.cluster),
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
