//! Runs one step: gets its tools, shows its output, counts its tests.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result};
use holdfast_testkit::Tool;

use super::built::Built;
use super::outcome::{Outcome, Tally};
use super::output::{Hearing, Output, Shown};
use super::plan::Priority;
use super::step::{Program, Step};
use super::watch::Watched;
use crate::cargo::{self, ROOT};

/// What came of looking for a tool.
enum Sought {
    Found(OsString),
    Skip(String),
    Missing(anyhow::Error),
}

/// What the steps of a run have in common.
pub(super) struct Runner<'a> {
    allow_missing: &'a [Tool],
    /// Ourselves. Cargo may put another one there that it builds meanwhile, of the same sources.
    xtask: PathBuf,
    /// For what steps print, and for programs that are run. Beside ourselves, so that a run that is killed leaves nothing elsewhere.
    folder: PathBuf,
    built: Mutex<Built>,
}

/// Gets all tools that a step needs, for whoever needs them later; each is waited for and complained of there.
pub(super) fn get_tools(steps: &[&Step]) {
    let of_program = |step: &&Step| match step.program {
        Program::Tool(tool) => Some(tool),
        Program::Cargo | Program::Builds | Program::Xtask | Program::Tests(_) => None,
    };
    let needed: BTreeSet<&str> =
        steps.iter().flat_map(|step| step.needs.iter().copied().chain(of_program(step))).map(Tool::name).collect();
    for tool in Tool::ALL.into_iter().filter(|tool| *tool != Tool::CargoDeny && needed.contains(tool.name())) {
        let _ = tool.find();
    }
}

impl<'a> Runner<'a> {
    pub(super) fn new(allow_missing: &'a [Tool]) -> Result<Self> {
        let xtask = std::env::current_exe().context("finding ourselves")?;
        let folder = xtask.with_file_name("xtask-test");
        std::fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
        Ok(Self { allow_missing, xtask, folder, built: Mutex::default() })
    }

    pub(super) fn run(&self, step: &Step, shown: Shown, priority: Priority, watched: &Watched<'_>) -> Result<Outcome> {
        for &tool in step.needs {
            match self.seek(tool)? {
                Sought::Found(_) => {}
                other => return Ok(without(other)),
            }
        }
        let command = match step.program {
            Program::Tool(tool) => match self.seek(tool)? {
                Sought::Found(path) => return run_tool(step, Path::new(&path)),
                other => return Ok(without(other)),
            },
            Program::Cargo | Program::Builds => command(Path::new(&cargo::program()), priority),
            Program::Xtask => command(&self.xtask, priority),
            Program::Tests(tests) => {
                let program = self.built().tests(tests)?;
                let mut command = command(&program.path, priority);
                command.current_dir(&program.home).env("CARGO_MANIFEST_DIR", &program.home);
                command
            }
        };
        self.run_lines(step, command, shown, watched)
    }

    fn run_lines(&self, step: &Step, mut command: Command, shown: Shown, watched: &Watched<'_>) -> Result<Outcome> {
        let builds = step.program == Program::Builds;
        if builds {
            command.args(step.arguments.split(' ')).arg("--message-format=json-render-diagnostics");
        } else {
            command.args(step.arguments.split(' ').filter(|argument| !argument.is_empty()));
        }
        command.envs(step.environment.iter().copied());
        if let (Program::Tests(_) | Program::Xtask, Some(holdfast)) = (step.program, &self.built().holdfast) {
            command.env("HOLDFAST_BIN", holdfast);
        }
        let file = self.folder.join(format!("{}.log", step.name.replace(' ', "-")));
        let started = Output::of(&mut command, shown, &file);
        let (mut child, output) = started.with_context(|| format!("starting {}", step.command_line()))?;
        if shown == Shown::AtTheEnd {
            eprintln!("{} is shown when it has ended; so far: {}", step.name, file.display());
        }
        let mut tally = Tally::default();
        output.read(|line| {
            if builds {
                self.built().hears(line, &self.folder)?;
                return Ok(if line.starts_with('{') { Hearing::NotForPeople } else { Hearing::ForPeople });
            }
            watched.hears(line);
            if let Some(more) = Tally::of_line(line) {
                tally.add(more);
            }
            Ok(Hearing::ForPeople)
        })?;
        Ok(judge(child.wait()?, tally))
    }

    fn seek(&self, tool: Tool) -> Result<Sought> {
        // It takes minutes to build and tells nothing about the code, so it is used where somebody asked for it.
        if tool == Tool::CargoDeny {
            return Ok(match Tool::cargo_deny_if_present()? {
                Some(found) => Sought::Found(found.path.into()),
                None => Sought::Skip("cargo-deny isn't installed; `cargo xtask tools cargo-deny` gets it".to_owned()),
            });
        }
        Ok(match tool.find() {
            Ok(found) => Sought::Found(found.path.into()),
            Err(error) if self.allow_missing.contains(&tool) => {
                Sought::Skip(format!("{tool} is missing, which was allowed: {error:#}"))
            }
            Err(error) => Sought::Missing(error),
        })
    }

    fn built(&self) -> MutexGuard<'_, Built> {
        self.built.lock().unwrap_or_else(PoisonError::into_inner)
    }
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

fn run_tool(step: &Step, program: &Path) -> Result<Outcome> {
    let mut command = command(program, Priority::Usual);
    let output = command.args(step.arguments.split(' ')).envs(step.environment.iter().copied()).output();
    let output = output.with_context(|| format!("starting {}", program.display()))?;
    if !output.status.success() {
        eprintln!("{}", program.display());
        eprint!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    }
    Ok(judge(output.status, Tally::default()))
}

/// In the checkout, as a person would call it.
fn command(program: &Path, priority: Priority) -> Command {
    let mut command = match priority {
        Priority::Usual => Command::new(program),
        Priority::Low => {
            let mut command = Command::new("nice");
            command.args(["-n", "19"]).arg(program);
            command
        }
    };
    command.current_dir(ROOT).stdin(Stdio::null());
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
