//! The project's own commands, one file per verb. What continuous integration runs, a laptop can: both call this.
//!
//! A verb's result goes to stdout, everything else to stderr. Nothing here is part of the product.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command for people talks to them")]

mod bench;
mod cargo;
mod demo;
mod down;
mod fuzz;
mod generate;
mod test;
mod tools;
mod up;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "The project's own commands")]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show what Holdfast does, on a local control plane with a sample cluster.
    Demo(demo::Demo),
    /// Measure the controller on a real API server.
    Bench(bench::Bench),
    /// Run everything that continuous integration runs.
    Test(test::Test),
    /// Feed garbage to everything that is decoded, for ten minutes.
    Fuzz(fuzz::Fuzz),
    /// Write what is generated: CRDs, roles, rule pages, tables.
    Generate(generate::Generate),
    /// Get the pinned tools, and say where they are.
    Tools(tools::Tools),
    /// Start a control plane and leave it running: eval "$(cargo xtask up)".
    Up(up::Up),
    /// Stop the control plane that `up` started.
    Down(down::Down),
}

#[tokio::main]
async fn main() -> ExitCode {
    // Printed as a chain of causes; where in our code it arose is of no use to who reads it.
    Arguments::parse().verb.run().await.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

impl Verb {
    async fn run(self) -> Result<ExitCode> {
        match self {
            Self::Demo(demo) => demo.run().await?,
            Self::Bench(bench) => bench.run().await?,
            Self::Test(test) => return test.run(),
            Self::Fuzz(fuzz) => fuzz.run()?,
            Self::Generate(generate) => generate.run()?,
            Self::Tools(tools) => tools.run()?,
            Self::Up(up) => up.run().await?,
            Self::Down(down) => down.run().await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_arguments_are_well_formed() {
        super::Arguments::command().debug_assert();
    }
}
