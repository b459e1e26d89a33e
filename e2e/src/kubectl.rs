//! kubectl as a person runs it: what it prints is what users read.

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use holdfast_testkit::{ControlPlane, Tool};
use tokio::process::Command;

/// The real kubectl, with the administrator's kubeconfig.
pub struct Kubectl {
    program: PathBuf,
    kubeconfig: PathBuf,
}

impl Kubectl {
    /// For a control plane.
    pub async fn of(plane: &ControlPlane) -> Result<Self> {
        let found = Tool::Kubectl.find_in_background().await?;
        Ok(Self { program: found.path, kubeconfig: plane.kubeconfig() })
    }

    /// What it prints; fails with its own words when it does.
    pub async fn run<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Result<String> {
        let mut command = Command::new(&self.program);
        command.arg("--kubeconfig").arg(&self.kubeconfig).args(arguments).kill_on_drop(true);
        let output = command.output().await.with_context(|| format!("running {}", self.program.display()))?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "kubectl ended with {}: {said}", output.status);
        Ok(String::from_utf8(output.stdout)?)
    }
}
