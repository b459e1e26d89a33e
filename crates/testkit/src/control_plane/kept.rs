//! A control plane that is left running for a person, and the record by which it is found and stopped again.
//!
//! A process is stopped only while its command line still names our folder: its number may belong to another by now.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};

use super::ControlPlane;
use crate::cache::Cache;
use crate::component::Component;
use crate::controller::holdfast_binary;
use crate::eventually::eventually;
use crate::kubeconfig::write_private;
use crate::process::{signal_process, spawn_detached};

/// A control plane that was started by [`super::Builder::start_detached`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Kept {
    /// The folder with its logs, keys and kubeconfigs.
    pub dir: PathBuf,
    /// The administrator's kubeconfig.
    pub kubeconfig: PathBuf,
    processes: Vec<Process>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Process {
    name: String,
    id: u32,
}

pub(super) fn folder(cache: &Cache) -> PathBuf {
    cache.root().join("up")
}

/// Writes down what runs by now.
pub(super) fn record(plane: &ControlPlane) -> Result<Kept> {
    let process = |component: &Component| Some(Process { name: component.name().to_owned(), id: component.id()? });
    let kept = Kept {
        dir: plane.dir().to_owned(),
        kubeconfig: plane.kubeconfig(),
        processes: plane.components().filter_map(process).collect(),
    };
    write_private(&record_in(&kept.dir), &serde_json::to_string_pretty(&kept)?)?;
    Ok(kept)
}

fn record_in(folder: &Path) -> PathBuf {
    folder.join("processes.json")
}

impl Kept {
    /// The one that was started on this machine by this user, whether or not it still lives.
    pub fn find() -> Result<Option<Self>> {
        let file = record_in(&folder(&Cache::locate()?));
        if !file.exists() {
            return Ok(None);
        }
        let text = fs::read_to_string(&file)?;
        serde_json::from_str(&text).map(Some).with_context(|| format!("reading {}", file.display()))
    }

    /// The names of the components that run.
    pub fn running(&self) -> Vec<&str> {
        self.alive().map(|process| process.name.as_str()).collect()
    }

    /// Whether all that was started runs.
    pub fn is_whole(&self) -> bool {
        !self.processes.is_empty() && self.alive().count() == self.processes.len()
    }

    /// Starts a controller that goes on running, with an account's kubeconfig that lies in our folder.
    pub fn start_controller(&mut self, kubeconfig: &Path) -> Result<()> {
        let log = fs::File::options().create(true).append(true).open(self.dir.join("holdfast.log"))?;
        let configure = |command: &mut Command| {
            command.arg("controller").arg(format!("--kubeconfig={}", kubeconfig.display()));
            command.args(["--metrics-addr=127.0.0.1:0", "--health-addr=127.0.0.1:0", "--log-format=text"]);
        };
        let child = spawn_detached(&holdfast_binary()?, configure, &log)?;
        self.processes.push(Process { name: "holdfast".to_owned(), id: child.id() });
        write_private(&record_in(&self.dir), &serde_json::to_string_pretty(self)?)
    }

    /// Ends all of it and removes its folder.
    pub async fn stop(&self) -> Result<()> {
        for process in self.alive() {
            signal_process(process.id, "KILL")?;
        }
        eventually("the control plane to end", Duration::from_secs(30), async || {
            let running = self.running();
            ensure!(running.is_empty(), "{running:?} still run");
            Ok(())
        })
        .await?;
        fs::remove_dir_all(&self.dir).with_context(|| format!("removing {}", self.dir.display()))
    }

    fn alive(&self) -> impl Iterator<Item = &Process> {
        let folder = self.dir.display().to_string();
        self.processes.iter().filter(move |process| command_line(process.id).is_some_and(|line| line.contains(&folder)))
    }
}

/// How a process was called, from the kernel where it tells, else from `ps`.
fn command_line(id: u32) -> Option<String> {
    if let Ok(line) = fs::read(format!("/proc/{id}/cmdline")) {
        return Some(String::from_utf8_lossy(&line).into_owned());
    }
    if Path::new("/proc/self/cmdline").exists() {
        return None;
    }
    let output = Command::new("ps").args(["-o", "args=", "-p", &id.to_string()]).output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}
