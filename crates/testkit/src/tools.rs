//! The programs that the tests need: which, where they come from, and how they are got when they aren't there.
//!
//! Each is looked for where its user would expect it (environment, PATH), else made from a pinned version and kept in the
//! [`Cache`]. What is found on the PATH is asked for its version before it is trusted. Building happens in the calling
//! thread and can take minutes, so asynchronous callers use [`Tool::find_in_background`].

mod cargo_deny;
mod control_plane;
mod go;
mod helm;
mod kubectl;
mod kustomize;
mod kwok;
mod openbao;
mod pod_security;
mod vault;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result, bail, ensure};

use crate::cache::Cache;

pub use control_plane::VERSION as KUBERNETES_VERSION;
pub use openbao::{OLDER_VERSION as OLDER_OPENBAO_VERSION, VERSION as OPENBAO_VERSION};
pub use vault::VERSION as VAULT_VERSION;

/// Found once per process; the lock also keeps the tests of one process from building the same thing twice.
static FOUND: Mutex<BTreeMap<Tool, Found>> = Mutex::new(BTreeMap::new());

/// A program that tests or checks need, or what else is fetched for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tool {
    /// etcd, kube-apiserver, kube-controller-manager and kube-scheduler.
    ControlPlane,
    /// The Kubernetes command line.
    Kubectl,
    /// The fake kubelets.
    Kwok,
    /// The package manager that installs the chart.
    Helm,
    /// What builds overlays, and with which ours are compared.
    Kustomize,
    /// The fixtures of the Pod Security Standards.
    PodSecurity,
    /// OpenBao, the newest release.
    OpenBao,
    /// OpenBao, an older release.
    OlderOpenBao,
    /// HashiCorp Vault.
    Vault,
    /// The Go toolchain, which builds the others.
    Go,
    /// The check of licences, bans and sources.
    CargoDeny,
}

/// Where a tool was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Named by an environment variable.
    Environment,
    /// On the PATH.
    Path,
    /// Made by us, in the cache.
    Cache,
    /// Fetched and kept by Go.
    ModuleCache,
}

/// A tool that was found and runs.
#[derive(Debug, Clone)]
pub struct Found {
    /// The program; for [`Tool::ControlPlane`] the folder that holds its programs, for [`Tool::PodSecurity`] the one with
    /// the fixtures.
    pub path: PathBuf,
    /// What it says it is.
    pub version: String,
    /// Where it came from.
    pub origin: Origin,
}

impl Tool {
    /// Every tool, in the order in which they are best got.
    pub const ALL: [Self; 11] = [
        Self::Go,
        Self::ControlPlane,
        Self::Kubectl,
        Self::Kwok,
        Self::Helm,
        Self::Kustomize,
        Self::PodSecurity,
        Self::OpenBao,
        Self::OlderOpenBao,
        Self::Vault,
        Self::CargoDeny,
    ];

    /// The name by which people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ControlPlane => "control-plane",
            Self::Kubectl => "kubectl",
            Self::Kwok => "kwok",
            Self::Helm => "helm",
            Self::Kustomize => "kustomize",
            Self::PodSecurity => "pod-security",
            Self::OpenBao => "openbao",
            Self::OlderOpenBao => "openbao-2.6",
            Self::Vault => "vault",
            Self::Go => "go",
            Self::CargoDeny => "cargo-deny",
        }
    }

    /// Finds the tool, or makes it. Blocks, perhaps for minutes.
    pub fn find(self) -> Result<Found> {
        let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = found.get(&self) {
            return Ok(found.clone());
        }
        let cache = Cache::locate()?;
        let fresh = match self {
            Self::ControlPlane => control_plane::find(&cache),
            Self::Kubectl => kubectl::find(&cache),
            Self::Kwok => kwok::find(&cache),
            Self::Helm => helm::find(&cache),
            Self::Kustomize => kustomize::find(&cache),
            Self::PodSecurity => pod_security::find(&cache),
            Self::OpenBao => openbao::find(&cache, openbao::VERSION),
            Self::OlderOpenBao => openbao::find(&cache, openbao::OLDER_VERSION),
            Self::Vault => vault::find(&cache),
            Self::Go => go::find(&cache),
            Self::CargoDeny => cargo_deny::find(&cache),
        }
        .with_context(|| format!("{self} can't be had"))?;
        found.insert(self, fresh.clone());
        Ok(fresh)
    }

    /// As [`Tool::find`], without blocking the runtime.
    pub async fn find_in_background(self) -> Result<Found> {
        tokio::task::spawn_blocking(move || self.find()).await.context("finding a tool")?
    }

    /// Whether cargo-deny can be had without building it, which takes minutes and isn't needed by any test.
    pub fn cargo_deny_if_present() -> Result<Option<Found>> {
        Ok(cargo_deny::present(&Cache::locate()?))
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Tool {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> Result<Self> {
        let names = || Self::ALL.map(Self::name).join(", ");
        Self::ALL.into_iter().find(|tool| tool.name() == name).with_context(|| format!("{name} is none of {}", names()))
    }
}

/// The programs of a test cluster, all found.
#[derive(Debug, Clone)]
pub struct Tools {
    /// The folder with etcd and the components of the control plane.
    pub control_plane: PathBuf,
    /// The Kubernetes command line.
    pub kubectl: PathBuf,
    /// The fake kubelets.
    pub kwok: PathBuf,
    /// Helm, version 4.
    pub helm: PathBuf,
}

impl Tools {
    /// Finds or makes all of them. Blocks, the first time for minutes.
    pub fn find() -> Result<Self> {
        Ok(Self {
            control_plane: Tool::ControlPlane.find()?.path,
            kubectl: Tool::Kubectl.find()?.path,
            kwok: Tool::Kwok.find()?.path,
            helm: Tool::Helm.find()?.path,
        })
    }
}

/// The program of that name on the PATH.
fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file())
}

/// What a program prints with these arguments.
fn output_of(program: &Path, arguments: &[&str]) -> Result<String> {
    output_in(".", program, arguments)
}

/// The same, in a folder.
fn output_in(folder: impl AsRef<Path>, program: &Path, arguments: &[&str]) -> Result<String> {
    let mut command = Command::new(program);
    let output = command.args(arguments).current_dir(folder).output();
    let output = output.with_context(|| format!("running {}", program.display()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{} {} ended with {}: {said}",
        program.display(),
        arguments.join(" "),
        output.status
    );
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Runs one step of a build; its output is shown only when it fails.
fn run(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("starting {command:?}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let tail: Vec<&str> = said.lines().rev().take(30).collect();
    bail!("{command:?} ended with {}:\n{}", output.status, tail.into_iter().rev().collect::<Vec<_>>().join("\n"))
}

/// Builds a Go program of a pinned version into `bin` of the folder.
fn go_install(cache: &Cache, package: &str, folder: &Path) -> Result<()> {
    let go = go::find(cache)?;
    run(Command::new(go.path).arg("install").arg(package).env("GOBIN", folder.join("bin")).current_dir(folder))
}
