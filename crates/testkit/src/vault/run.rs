//! One life of a server process: from its start to its end, with what it logged meanwhile.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::ExitStatus;

use anyhow::{Context as _, Result};

use crate::process::Supervised;

/// How many lines of the log an end carries.
const TAIL: usize = 25;

/// How a server process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exit {
    /// As a container's runtime says it: 128 and the signal's number when a signal ended it.
    pub code: i32,
    /// The last lines it logged in this life.
    pub log: String,
}

/// What is run.
#[derive(Debug)]
pub(crate) struct Command<'a> {
    pub(crate) program: &'a PathBuf,
    pub(crate) config: &'a PathBuf,
    pub(crate) environment: &'a BTreeMap<String, String>,
    /// Its home and working folder.
    pub(crate) home: &'a PathBuf,
    /// Appended to.
    pub(crate) log: &'a PathBuf,
}

/// A server process, running or ended. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Run {
    process: Supervised,
    log: PathBuf,
    from: u64,
}

impl Run {
    pub(crate) fn start(command: &Command<'_>) -> Result<Self> {
        let log = File::options().create(true).append(true).open(command.log)?;
        let from = log.metadata()?.len();
        let configure = |process: &mut std::process::Command| {
            process.arg("server").arg(format!("-config={}", command.config.display()));
            // The variables of the person who runs the tests may well name a server of theirs.
            process.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", command.home);
            process.envs(command.environment).current_dir(command.home);
        };
        let process = Supervised::spawn(command.program, configure, &log)?;
        Ok(Self { process, log: command.log.clone(), from })
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Result<Option<Exit>> {
        let Some(status) = self.process.ended()? else { return Ok(None) };
        self.exit(status).map(Some)
    }

    /// Ends it as a crash would.
    pub(crate) fn kill(&mut self) -> Result<Exit> {
        match self.process.ended()? {
            Some(status) => self.exit(status),
            None => {
                let status = self.process.kill()?;
                self.exit(status)
            }
        }
    }

    /// Sends it a signal by name, such as `STOP`.
    pub(crate) fn signal(&mut self, signal: &str) -> Result<()> {
        self.process.signal(signal)
    }

    fn exit(&self, status: ExitStatus) -> Result<Exit> {
        let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
        Ok(Exit { code: code.context("a process that ended neither by itself nor by a signal")?, log: self.tail()? })
    }

    /// The last lines of this life.
    fn tail(&self) -> Result<String> {
        let mut log = File::open(&self.log).with_context(|| format!("reading {}", self.log.display()))?;
        log.seek(SeekFrom::Start(self.from))?;
        let mut text = Vec::new();
        log.read_to_end(&mut text)?;
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        Ok(lines[lines.len().saturating_sub(TAIL)..].join("\n"))
    }
}

/// All of a log; empty before the first start.
pub(crate) fn read_log(log: &PathBuf) -> Result<String> {
    if !log.exists() {
        return Ok(String::new());
    }
    let text = fs::read(log).with_context(|| format!("reading {}", log.display()))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
