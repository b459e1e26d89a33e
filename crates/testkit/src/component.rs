//! One server of the control plane: how it is started, its log, and whether it still lives.
//!
//! A component can be stopped and started again with the same arguments, which is how tests break servers.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result, anyhow, bail};

use crate::process::{Supervised, spawn_detached};

/// How many lines of a log an error carries.
const TAIL: usize = 25;

/// Whether a component ends with this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lifetime {
    /// It is killed when this process ends.
    Bound,
    /// It is left running.
    Detached,
}

#[derive(Debug)]
enum Running {
    Bound(Supervised),
    Detached(Child),
}

impl Running {
    fn ended(&mut self) -> Result<Option<ExitStatus>> {
        match self {
            Self::Bound(process) => process.ended(),
            Self::Detached(child) => Ok(child.try_wait()?),
        }
    }

    fn id(&self) -> u32 {
        match self {
            Self::Bound(process) => process.id(),
            Self::Detached(child) => child.id(),
        }
    }
}

/// A server with its program, arguments and log.
#[derive(Debug)]
pub(crate) struct Component {
    name: &'static str,
    program: PathBuf,
    arguments: Vec<String>,
    home: PathBuf,
    log: PathBuf,
    lifetime: Lifetime,
    running: Mutex<Option<Running>>,
}

impl Component {
    /// A component that isn't running yet, and that writes only below `home`.
    pub(crate) fn new(
        name: &'static str,
        program: PathBuf,
        home: &Path,
        lifetime: Lifetime,
        arguments: Vec<String>,
    ) -> Self {
        let log = home.join(format!("{name}.log"));
        Self { name, program, arguments, home: home.to_owned(), log, lifetime, running: Mutex::new(None) }
    }

    /// Its name, as in the system's process list.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Its process, while there is one.
    pub(crate) fn id(&self) -> Option<u32> {
        self.running().as_ref().map(Running::id)
    }

    /// Starts it; when it already runs nothing happens.
    pub(crate) fn start(&self) -> Result<()> {
        let mut running = self.running();
        if running.is_some() {
            return Ok(());
        }
        let log = File::options().create(true).append(true).open(&self.log)?;
        // A home of its own, because some of them read or write their user's configuration.
        let configure = |command: &mut std::process::Command| {
            command.args(&self.arguments).env("HOME", &self.home).current_dir(&self.home);
        };
        *running = Some(match self.lifetime {
            Lifetime::Bound => Running::Bound(Supervised::spawn(&self.program, configure, &log)?),
            Lifetime::Detached => Running::Detached(spawn_detached(&self.program, configure, &log)?),
        });
        Ok(())
    }

    /// Ends it as a crash would; when it doesn't run nothing happens.
    pub(crate) fn stop(&self) -> Result<()> {
        match self.running().take() {
            None => {}
            Some(Running::Bound(process)) => drop(process),
            Some(Running::Detached(mut child)) => {
                child.kill()?;
                child.wait()?;
            }
        }
        Ok(())
    }

    /// Fails, with the end of the log, when it was started and has ended by itself.
    pub(crate) fn check_alive(&self) -> Result<()> {
        match self.running().as_mut().map(Running::ended).transpose()?.flatten() {
            Some(status) => Err(self.explain(anyhow!("{} ended with {status}", self.name))),
            None => Ok(()),
        }
    }

    /// Adds the end of the log to an error.
    pub(crate) fn explain(&self, error: anyhow::Error) -> anyhow::Error {
        let tail = tail_of(&self.log).unwrap_or_else(|unreadable| format!("{unreadable:#}"));
        anyhow!("{error:#}\n--- the end of the log of {} ---\n{tail}", self.name)
    }

    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The last lines of a log.
pub(crate) fn tail_of(log: &Path) -> Result<String> {
    let text = fs::read(log).with_context(|| format!("reading {}", log.display()))?;
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    if lines.is_empty() {
        bail!("{} is empty", log.display());
    }
    Ok(lines[lines.len().saturating_sub(TAIL)..].join("\n"))
}
