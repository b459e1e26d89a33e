//! Helm, with folders of its own, so that nothing of the person who runs the tests is read or changed.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use crate::kubeconfig::write_private;
use crate::tools::Tool;

/// Longer than Helm's own waiting for hooks, which is five minutes.
const DEADLINE: Duration = Duration::from_secs(360);

/// A release: what Helm installs a chart as.
#[derive(Debug, Clone, Copy)]
pub struct Release<'a> {
    /// The release's name.
    pub name: &'a str,
    /// The namespace it is installed into.
    pub namespace: &'a str,
}

/// The Helm program with a kubeconfig, or without one when it only renders.
#[derive(Debug)]
pub struct Helm {
    program: PathBuf,
    kubeconfig: Option<PathBuf>,
    folder: TempDir,
}

impl Helm {
    /// For commands that need no cluster: `template` and `lint`.
    pub async fn without_cluster() -> Result<Self> {
        let program = Tool::Helm.find_in_background().await?.path;
        Ok(Self { program, kubeconfig: None, folder: tempfile::Builder::new().prefix("holdfast-helm-").tempdir()? })
    }

    /// For the cluster of a kubeconfig.
    pub async fn for_cluster(kubeconfig: impl Into<PathBuf>) -> Result<Self> {
        Ok(Self { kubeconfig: Some(kubeconfig.into()), ..Self::without_cluster().await? })
    }

    /// The manifests that a chart renders, its CRDs included.
    pub async fn template(&self, chart: &Path, release: Release<'_>, values: &Value) -> Result<String> {
        self.with_chart(&["template", "--include-crds"], chart, release, values).await
    }

    /// Installs a chart, and its namespace if need be; waits for its hooks, not for its workloads.
    pub async fn install(&self, chart: &Path, release: Release<'_>, values: &Value) -> Result<String> {
        self.with_chart(&["install", "--create-namespace"], chart, release, values).await
    }

    /// Upgrades a release to these values and no others.
    pub async fn upgrade(&self, chart: &Path, release: Release<'_>, values: &Value) -> Result<String> {
        self.with_chart(&["upgrade", "--reset-values"], chart, release, values).await
    }

    /// Uninstalls a release; waits for its hooks, which somebody must run meanwhile.
    pub async fn uninstall(&self, release: Release<'_>) -> Result<String> {
        self.run(["uninstall", release.name, "--namespace", release.namespace]).await
    }

    /// Fails when the chart isn't well made, warnings included.
    pub async fn lint(&self, chart: &Path) -> Result<String> {
        self.run([OsStr::new("lint"), OsStr::new("--strict"), chart.as_os_str()]).await
    }

    /// Any other command; its output.
    pub async fn run(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Result<String> {
        let mut command = self.command();
        command.args(arguments);
        let output = tokio::time::timeout(DEADLINE, command.output()).await;
        let output = output.with_context(|| format!("{command:?} didn't end within {DEADLINE:?}"))??;
        if !output.status.success() {
            bail!("{command:?} ended with {}:\n{}", output.status, String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    async fn with_chart(&self, verb: &[&str], chart: &Path, release: Release<'_>, values: &Value) -> Result<String> {
        // JSON is YAML, and a name of its own lets two commands run at once.
        let file = tempfile::Builder::new().suffix(".json").tempfile_in(self.folder.path())?.into_temp_path();
        write_private(&file, &values.to_string())?;
        let mut arguments: Vec<&OsStr> = verb.iter().map(OsStr::new).collect();
        arguments.extend([OsStr::new(release.name), chart.as_os_str()]);
        arguments.extend(["--namespace", release.namespace, "--values"].map(OsStr::new));
        arguments.push(file.as_os_str());
        self.run(arguments).await
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.env_remove("KUBECONFIG").stdin(Stdio::null()).kill_on_drop(true);
        for variable in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
            command.env(variable, self.folder.path().join(variable));
        }
        // Without a cluster a file that isn't there keeps Helm from the person's own.
        let absent = self.folder.path().join("no-kubeconfig");
        command.env("KUBECONFIG", self.kubeconfig.as_ref().unwrap_or(&absent));
        command
    }
}
