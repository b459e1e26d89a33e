//! The controller under test, as a process of its own: the binary that ships, with real arguments and a real identity.
//!
//! Its log goes to a file. When a test fails while one is alive, the end of that log is printed.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{env, fs};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use tempfile::TempDir;

use crate::cache::say;
use crate::component::tail_of;
use crate::eventually::{eventually, give_up};
use crate::loopback;
use crate::metrics::Metrics;
use crate::port::Port;
use crate::process::Supervised;
use crate::usage::Usage;

/// The binary under test: `$HOLDFAST_BIN`, else the one that was built beside the running test.
pub fn holdfast_binary() -> Result<PathBuf> {
    if let Some(binary) = env::var_os("HOLDFAST_BIN") {
        return Ok(binary.into());
    }
    let test = env::current_exe().context("finding the running test")?;
    // A test lies in `target/debug/deps`, xtask in `target/debug`.
    let beside = test.ancestors().skip(1).take(2).map(|folder| folder.join("holdfast")).find(|binary| binary.is_file());
    beside.with_context(|| {
        format!("no holdfast near {}: run `cargo build -p holdfast`, or set HOLDFAST_BIN", test.display())
    })
}

/// The choices for a controller process.
#[derive(Debug, Clone)]
pub struct Builder {
    command: &'static str,
    kubeconfig: PathBuf,
    binary: Option<PathBuf>,
    lease_namespace: String,
    leader_elect: bool,
    log_level: String,
    arguments: Vec<String>,
}

impl Builder {
    /// Another command than `controller`, such as `vault-controller`.
    pub fn command(self, command: &'static str) -> Self {
        Self { command, ..self }
    }

    /// Another binary than [`holdfast_binary`], such as an older version.
    pub fn binary(self, binary: impl Into<PathBuf>) -> Self {
        Self { binary: Some(binary.into()), ..self }
    }

    /// The namespace of its Lease, `holdfast-system` unless said.
    pub fn lease_namespace(self, namespace: impl Into<String>) -> Self {
        Self { lease_namespace: namespace.into(), ..self }
    }

    /// Acts without asking for the Lease.
    pub fn without_leader_election(self) -> Self {
        Self { leader_elect: false, ..self }
    }

    /// What it logs, `debug` unless said.
    pub fn log_level(self, level: impl Into<String>) -> Self {
        Self { log_level: level.into(), ..self }
    }

    /// One more argument, such as `--brake-delay=1s`.
    pub fn argument(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Starts it; it may not be ready yet.
    pub fn start(self) -> Result<ControllerProcess> {
        let folder = tempfile::Builder::new().prefix("holdfast-controller-").tempdir()?;
        let log = fs::File::options().create(true).append(true).open(log_in(folder.path()))?;
        let (metrics, health) = (Port::reserve()?, Port::reserve()?);
        let arguments = self.arguments_with(&metrics, &health);
        let configure = |command: &mut Command| {
            forget_the_person(command);
            command.args(arguments);
        };
        let binary = self.binary.map_or_else(holdfast_binary, Ok)?;
        let process = Supervised::spawn(&binary, configure, &log)?;
        Ok(ControllerProcess { process: Mutex::new(process), metrics, health, folder })
    }

    fn arguments_with(&self, metrics: &Port, health: &Port) -> Vec<String> {
        let mut arguments = vec![
            self.command.to_owned(),
            format!("--kubeconfig={}", self.kubeconfig.display()),
            format!("--metrics-addr={}", metrics.address()),
            format!("--health-addr={}", health.address()),
            format!("--lease-namespace={}", self.lease_namespace),
            format!("--leader-elect={}", self.leader_elect),
            "--log-format=json".to_owned(),
            format!("--log-level={}", self.log_level),
        ];
        arguments.extend(self.arguments.iter().cloned());
        arguments
    }
}

/// A running controller; it ends when this is dropped.
#[derive(Debug)]
pub struct ControllerProcess {
    process: Mutex<Supervised>,
    metrics: Port,
    health: Port,
    folder: TempDir,
}

impl ControllerProcess {
    /// The choices for a controller with the identity of this kubeconfig.
    pub fn builder(kubeconfig: impl Into<PathBuf>) -> Builder {
        Builder {
            command: "controller",
            kubeconfig: kubeconfig.into(),
            binary: None,
            lease_namespace: "holdfast-system".to_owned(),
            leader_elect: true,
            log_level: "debug".to_owned(),
            arguments: Vec::new(),
        }
    }

    /// Waits until `/readyz` answers 200; fails at once, with the log, when the process ends first.
    pub async fn ready(&self, deadline: Duration) -> Result<()> {
        let probe = async || {
            if let Some(status) = self.ended()? {
                return Err(give_up(anyhow!("the controller ended with {status}")));
            }
            let (status, body) = self.readyz().await?;
            ensure!(status == 200, "/readyz answered {status}: {body}");
            Ok(())
        };
        eventually("the controller to be ready", deadline, probe).await.map_err(|error| self.explain(error))
    }

    /// Waits until it says that it leads.
    pub async fn leads(&self, deadline: Duration) -> Result<()> {
        let probe = async || {
            let leads = self.metrics().await?.sum("holdfast_leader", &[]);
            ensure!(leads == Some(1.0), "holdfast_leader is {leads:?}");
            Ok(())
        };
        eventually("the controller to lead", deadline, probe).await.map_err(|error| self.explain(error))
    }

    /// The status and body of `/readyz`.
    pub async fn readyz(&self) -> Result<(u16, String)> {
        loopback::get(&self.health.address(), "/readyz").await
    }

    /// The status and body of `/livez`.
    pub async fn livez(&self) -> Result<(u16, String)> {
        loopback::get(&self.health.address(), "/livez").await
    }

    /// A scrape of `/metrics`.
    pub async fn metrics(&self) -> Result<Metrics> {
        match loopback::get(&self.metrics.address(), "/metrics").await? {
            (200, body) => Ok(Metrics::new(body)),
            (status, body) => bail!("/metrics answered {status}: {body}"),
        }
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.process().id()
    }

    /// What it uses.
    pub fn usage(&self) -> Result<Usage> {
        Usage::of(self.id())
    }

    /// How it ended, if it has.
    pub fn ended(&self) -> Result<Option<ExitStatus>> {
        self.process().ended()
    }

    /// Kills it with `-9`.
    pub fn kill(&self) -> Result<()> {
        self.process().kill().map(drop)
    }

    /// Stops it in its tracks, as a node without processor time would.
    pub fn pause(&self) -> Result<()> {
        self.process().signal("STOP")
    }

    /// Lets it go on after [`ControllerProcess::pause`].
    pub fn resume(&self) -> Result<()> {
        self.process().signal("CONT")
    }

    /// Asks it to end, as the kubelet does, and waits until it has.
    pub async fn terminate(&self, deadline: Duration) -> Result<ExitStatus> {
        self.process().signal("TERM")?;
        let ended = async || self.ended()?.context("it still runs");
        eventually("the controller to end", deadline, ended).await.map_err(|error| self.explain(error))
    }

    /// Everything it has logged, one JSON object per line.
    pub fn log(&self) -> Result<String> {
        Ok(String::from_utf8_lossy(&fs::read(log_in(self.folder.path()))?).into_owned())
    }

    /// An error with the end of what it logged.
    pub fn explain(&self, error: anyhow::Error) -> anyhow::Error {
        let tail = tail_of(&log_in(self.folder.path())).unwrap_or_else(|unreadable| format!("{unreadable:#}"));
        anyhow!("{error:#}\n--- the end of the controller's log ---\n{tail}")
    }

    fn process(&self) -> MutexGuard<'_, Supervised> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ControllerProcess {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Ok(tail) = tail_of(&log_in(self.folder.path()))
        {
            say(&format!("the end of the log of controller {}:\n{tail}", self.id()));
        }
    }
}

/// What the person who runs the tests has in the environment must not decide how the controller behaves.
fn forget_the_person(command: &mut Command) {
    for (variable, _) in env::vars_os() {
        if variable.to_str().is_some_and(|name| name.starts_with("HOLDFAST_") || name == "KUBECONFIG") {
            command.env_remove(&variable);
        }
    }
}

fn log_in(folder: &Path) -> PathBuf {
    folder.join("controller.log")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// A script in place of the controller: what is tested is what we make of its behaviour.
    fn start(folder: &Path, script: &str) -> ControllerProcess {
        let binary = folder.join("controller");
        fs::write(&binary, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).unwrap();
        ControllerProcess::builder("/nowhere/kubeconfig").binary(binary).argument("--brake-delay=1s").start().unwrap()
    }

    #[tokio::test]
    async fn one_that_dies_is_not_waited_for_and_its_log_is_shown() {
        let folder = tempfile::tempdir().unwrap();
        let controller = start(folder.path(), "echo \"no such cluster: $*\"; exit 4");
        let error = controller.ready(Duration::from_secs(3600)).await.unwrap_err().to_string();
        assert!(error.contains("the controller ended with exit status: 4"), "{error}");
        assert!(error.contains("no such cluster: controller --kubeconfig=/nowhere/kubeconfig"), "{error}");
        assert!(error.contains("--lease-namespace=holdfast-system --leader-elect=true"), "{error}");
        assert!(error.contains("--brake-delay=1s"), "{error}");
    }

    #[tokio::test]
    async fn one_that_is_asked_to_end_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let controller = start(folder.path(), "trap 'exit 0' TERM; echo up; while :; do sleep 0.01; done");
        eventually("the trap to be set", Duration::from_secs(30), async || {
            ensure!(controller.log()?.contains("up"), "its log is empty");
            Ok(())
        })
        .await
        .unwrap();
        assert!(controller.terminate(Duration::from_secs(30)).await.unwrap().success());
    }
}
