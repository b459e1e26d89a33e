//! `holdfast audit`: read, judge, leave out what is known, tell.
//!
//! The steps of the pure crates, wired. Here are the clock, the environment, standard input and `git`; no runtime, no
//! cluster and no TLS, so that it starts at once. Nothing is judged or formatted here.

mod arguments;
mod emit;
mod error;
mod input;
mod judged;
mod output;
mod policies;
mod progress;
mod since;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use holdfast_gitops::Checkout;
use holdfast_report::{Baseline, Selection};
use jiff::Timestamp;

use arguments::Emit;
pub(crate) use arguments::{Arguments, Colour};
use error::AuditError;
use judged::Judged;
pub(crate) use output::look;
use policies::Policies;
use progress::Progress;

/// What was found is grave enough to fail.
const FOUND: u8 = 1;
/// It couldn't be told whether something is wrong.
const COULD_NOT_RUN: u8 = 2;

/// Runs the command, and tells what stops it.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let outcome = match arguments.emit {
        Some(Emit::AdmissionPolicy) => emit::admission_policies(arguments.level, arguments.version),
        None => audit(arguments),
    };
    outcome.unwrap_or_else(|error| {
        error.tell();
        ExitCode::from(COULD_NOT_RUN)
    })
}

fn audit(arguments: &Arguments) -> Result<ExitCode, AuditError> {
    // What can be wrong with the arguments is told before anything is read.
    let selection = Selection::parse(arguments.only(), arguments.skip())?;
    let policies = arguments.policy.as_deref().map(Policies::read).transpose()?.unwrap_or_default();
    let baseline = arguments.baseline.as_deref().map(read_baseline).transpose()?;
    let judge = |checkout: Checkout| Judged::new(checkout, &policies, &selection, Timestamp::now());
    let progress = Progress::start(arguments);
    let judged = judge(input::read(arguments)?);
    let former = match &arguments.since {
        Some(reference) => since::checkout(arguments, reference)?.map(judge),
        None => None,
    };
    drop(progress);
    let name = arguments.name();
    let mut report = judged.report(&name);
    for known in baseline.into_iter().chain(former.as_ref().map(Judged::baseline)) {
        report = report.without(&known);
    }
    output::write(&report, arguments, &selection)?;
    let fails = arguments.fail_on.is_some_and(|severity| report.has(severity.into()));
    // The process ends here: what is let go as a whole need not be taken apart.
    drop(report);
    std::mem::forget((judged, former));
    Ok(if fails { ExitCode::from(FOUND) } else { ExitCode::SUCCESS })
}

fn read_baseline(path: &Path) -> Result<Baseline, AuditError> {
    let text = fs::read(path).map_err(|cause| AuditError::File { path: path.to_owned(), cause })?;
    Baseline::parse(&text).map_err(|cause| AuditError::Baseline { path: path.to_owned(), cause })
}
