//! Runs one step: gets its tools, shows its output as it comes, counts its tests.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context as _, Result};
use holdfast_testkit::Tool;

use super::outcome::{Outcome, Tally};
use super::step::{Program, Step};
use crate::cargo::{self, ROOT};

/// What came of looking for a tool.
enum Sought {
    Found(OsString),
    Skip(String),
    Missing(anyhow::Error),
}

pub(super) fn run(step: &Step, allow_missing: &[Tool]) -> Result<Outcome> {
    for &tool in step.needs {
        match seek(tool, allow_missing)? {
            Sought::Found(_) => {}
            other => return Ok(without(other)),
        }
    }
    match step.program {
        Program::Cargo => run_cargo(step),
        Program::Tool(tool) => match seek(tool, allow_missing)? {
            Sought::Found(path) => run_tool(step, Path::new(&path)),
            other => Ok(without(other)),
        },
    }
}

fn seek(tool: Tool, allow_missing: &[Tool]) -> Result<Sought> {
    // It takes minutes to build and tells nothing about the code, so it is used where somebody asked for it.
    if tool == Tool::CargoDeny {
        return Ok(match Tool::cargo_deny_if_present()? {
            Some(found) => Sought::Found(found.path.into()),
            None => Sought::Skip("cargo-deny isn't installed; `cargo xtask tools cargo-deny` gets it".to_owned()),
        });
    }
    Ok(match tool.find() {
        Ok(found) => Sought::Found(found.path.into()),
        Err(error) if allow_missing.contains(&tool) => {
            Sought::Skip(format!("{tool} is missing, which was allowed: {error:#}"))
        }
        Err(error) => Sought::Missing(error),
    })
}

fn without(sought: Sought) -> Outcome {
    match sought {
        Sought::Found(_) => Outcome::Passed(Tally::default()),
        Sought::Skip(why) => Outcome::Skipped(why),
        Sought::Missing(error) => {
            eprintln!("{error:#}");
            Outcome::Failed(Tally::ONE_FAILED)
        }
    }
}

fn run_cargo(step: &Step) -> Result<Outcome> {
    let mut child = command(step, Path::new(&cargo::program()))
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("starting {}", step.command_line()))?;
    let stdout = child.stdout.take().context("a child without an output")?;
    let mut tally = Tally::default();
    for line in BufReader::new(stdout).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        if let Some(more) = Tally::of_line(&line) {
            tally.add(more);
        }
    }
    Ok(judge(child.wait()?, tally))
}

fn run_tool(step: &Step, program: &Path) -> Result<Outcome> {
    let output = command(step, program).output().with_context(|| format!("starting {}", program.display()))?;
    if !output.status.success() {
        eprintln!("{}", program.display());
        eprint!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    }
    Ok(judge(output.status, Tally::default()))
}

fn command(step: &Step, program: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .args(step.arguments.split(' '))
        .envs(step.environment.iter().copied())
        .current_dir(ROOT)
        .stdin(Stdio::null());
    cargo::forget_us(&mut command);
    command
}

/// A step that failed without a failed test, for instance because it didn't compile, counts as one failure.
fn judge(status: ExitStatus, tally: Tally) -> Outcome {
    match (status.success(), tally) {
        (true, Tally { passed: 0, failed: 0 }) => Outcome::Passed(Tally::ONE_PASSED),
        (true, tally) => Outcome::Passed(tally),
        (false, Tally { passed, failed: 0 }) => Outcome::Failed(Tally { passed, ..Tally::ONE_FAILED }),
        (false, tally) => Outcome::Failed(tally),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;

    use super::*;

    fn check(code: i32, passed: u64, failed: u64) -> Outcome {
        // The exit code is the second byte of the status that the system reports.
        judge(ExitStatus::from_raw(code << 8), Tally { passed, failed })
    }

    #[test]
    fn a_step_without_tests_counts_as_one() {
        assert_eq!(check(0, 0, 0), Outcome::Passed(Tally::ONE_PASSED));
        assert_eq!(check(1, 0, 0), Outcome::Failed(Tally::ONE_FAILED));
    }

    #[test]
    fn a_failure_is_never_counted_as_none() {
        assert_eq!(check(101, 9, 0), Outcome::Failed(Tally { passed: 9, failed: 1 }));
        assert_eq!(check(101, 9, 2), Outcome::Failed(Tally { passed: 9, failed: 2 }));
        assert_eq!(check(0, 9, 0), Outcome::Passed(Tally { passed: 9, failed: 0 }));
    }
}
