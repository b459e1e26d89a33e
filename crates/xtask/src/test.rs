//! `cargo xtask test`: everything that continuous integration runs, in order, on this machine.
//!
//! A step that fails stops only the steps that need it. Nothing is skipped in silence: what was left out, and why, is in
//! the summary. The last line is always `N passed, N failed`, counting tests, and each step without tests as one.

mod outcome;
mod report;
mod run;
mod step;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use holdfast_testkit::Tool;

use outcome::Outcome;
use report::Report;
use step::{Extent, Step};

/// The arguments of the verb.
#[derive(Debug, clap::Args)]
pub(crate) struct Test {
    /// Only what needs no server: the inner loop.
    #[arg(long, conflicts_with = "soak")]
    quick: bool,
    /// The long forms too: minutes of quiet, many kills, many cases. Run by hand.
    #[arg(long)]
    soak: bool,
    /// Leave out the steps that need this tool, if it can't be had. May be given several times.
    #[arg(long, value_name = "TOOL")]
    allow_missing: Vec<Tool>,
}

impl Test {
    /// Blocks for as long as the tests take: nothing else goes on in this process.
    pub(crate) fn run(&self) -> Result<ExitCode> {
        let mut report = Report::default();
        let steps = step::steps(self.extent());
        for (index, step) in steps.iter().enumerate() {
            eprintln!("\n══ {} of {} ══ {}: {}", index + 1, steps.len(), step.name, step.command_line());
            let started = Instant::now();
            let outcome = self.outcome_of(step, &report)?;
            let took = started.elapsed();
            eprintln!("══ {} {} in {:.1} s", step.name, outcome.word(), took.as_secs_f64());
            report.add(step, outcome, took);
        }
        report.print();
        Ok(if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn extent(&self) -> Extent {
        match (self.quick, self.soak) {
            (true, _) => Extent::Quick,
            (false, true) => Extent::Soak,
            (false, false) => Extent::Full,
        }
    }

    fn outcome_of(&self, step: &Step, report: &Report) -> Result<Outcome> {
        match step.after {
            Some(other) if !report.has_passed(other) => Ok(Outcome::Skipped(format!("it needs {other}"))),
            Some(_) | None => run::run(step, &self.allow_missing),
        }
    }
}
