//! `cargo xtask test`: everything that continuous integration runs, on this machine.
//!
//! Steps that keep the processors busy run one after the other, and so do the stories on real servers. What can wait uses the time that
//! these leave ([`plan`]). What runs beside others is shown whole when it has ended.
//!
//! A step that fails stops only the steps that need it. Nothing is skipped in silence: what was left out, and why, is in
//! the summary. The last line is always `N passed, N failed`, counting tests, and each step without tests as one.

mod built;
mod outcome;
mod output;
mod plan;
mod report;
mod run;
mod step;
mod watch;

use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::Result;
use holdfast_testkit::Tool;

use outcome::Outcome;
use output::Shown;
use plan::{Extent, Lane, Stage};
use report::Report;
use run::Runner;
use step::Step;
use watch::Watch;

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
        let stages = plan::stages(self.extent());
        let all: Vec<&Step> = stages.iter().flat_map(Stage::steps).collect();
        let go = Go {
            runner: Runner::new(&self.allow_missing)?,
            report: Mutex::new(Report::of(&all)),
            watch: Watch::default(),
            count: all.len(),
        };
        std::thread::scope(|scope| {
            // Whoever needs one waits for it, so what goes wrong is told there.
            scope.spawn(|| run::get_tools(&all));
            let _ended = go.watch.tell_now_and_then(scope);
            stages.iter().try_for_each(|stage| go.play(stage))
        })?;
        let report = go.report.into_inner().unwrap_or_else(PoisonError::into_inner);
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
}

/// One run.
struct Go<'a> {
    runner: Runner<'a>,
    report: Mutex<Report>,
    watch: Watch,
    count: usize,
}

impl Go<'_> {
    /// All lanes at once; an error is one of this program, not of what it runs.
    fn play(&self, stage: &Stage) -> Result<()> {
        let shown = if stage.lanes.len() == 1 { Shown::AsItComes } else { Shown::AtTheEnd };
        std::thread::scope(|scope| {
            let lanes: Vec<_> = stage.lanes.iter().map(|lane| scope.spawn(move || self.follow(lane, shown))).collect();
            lanes.into_iter().try_for_each(|lane| lane.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        })
    }

    /// One step after the other.
    fn follow(&self, lane: &Lane, shown: Shown) -> Result<()> {
        for step in &lane.steps {
            let place = format!("{} of {}", self.report().place(step) + 1, self.count);
            eprintln!("\n══ {place} ══ {}: {}", step.name, step.command_line());
            let (started, watched) = (Instant::now(), self.watch.begins(step.name));
            let outcome = match step.after.iter().find(|other| !self.report().has_passed(other)) {
                Some(other) => Outcome::Skipped(format!("it needs {other}")),
                None => self.runner.run(step, shown, lane.priority, &watched)?,
            };
            drop(watched);
            let took = started.elapsed();
            eprintln!("══ {place} ══ {} {} in {:.1} s", step.name, outcome.word(), took.as_secs_f64());
            self.report().add(step, outcome, took);
        }
        Ok(())
    }

    fn report(&self) -> std::sync::MutexGuard<'_, Report> {
        self.report.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
