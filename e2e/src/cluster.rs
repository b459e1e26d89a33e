//! A real control plane with the chart installed by Helm, and the controller as a process under the chart's own account.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use holdfast_testkit::controller::Builder as ControllerBuilder;
use holdfast_testkit::{ControlPlane, ControllerProcess, Helm, Manifests, helm};
use kube::Client;
use serde_json::{Value, json};

use crate::PATIENCE;

/// Where the chart is installed.
pub const NAMESPACE: &str = "holdfast-system";
const RELEASE: helm::Release<'static> = helm::Release { name: "holdfast", namespace: NAMESPACE };

/// The account under which the controller runs.
#[derive(Clone, Copy, Debug)]
pub struct ServiceAccount;

impl ServiceAccount {
    /// As the audit log names it.
    pub const USER: &'static str = "system:serviceaccount:holdfast-system:holdfast";
}

/// A control plane with the chart installed.
pub struct Cluster {
    /// The control plane.
    pub plane: ControlPlane,
    /// Helm, with the administrator's kubeconfig.
    pub helm: Helm,
}

impl Cluster {
    /// Starts a control plane with three nodes, our CRDs of Flux and the like, and the chart.
    pub async fn start() -> Result<Self> {
        Self::start_with(&json!({})).await
    }

    /// The same, with values for the chart.
    pub async fn start_with(values: &Value) -> Result<Self> {
        let plane = ControlPlane::builder().nodes(3).start().await?;
        let cluster = Self::on(plane).await?;
        Manifests::read(&checkout().join("e2e/crds"))?.apply(&cluster.plane.admin(), "e2e").await?;
        cluster.install(values).await?;
        Ok(cluster)
    }

    /// A control plane as it is, without chart and CRDs.
    pub async fn on(plane: ControlPlane) -> Result<Self> {
        let helm = Helm::for_cluster(plane.kubeconfig()).await?;
        Ok(Self { plane, helm })
    }

    /// Installs the chart.
    pub async fn install(&self, values: &Value) -> Result<()> {
        self.helm.install(&chart(), RELEASE, values).await.context("the chart can't be installed")?;
        Ok(())
    }

    /// Uninstalls the release.
    pub async fn uninstall(&self) -> Result<()> {
        self.helm.uninstall(RELEASE).await?;
        Ok(())
    }

    /// A client of the administrator, for the calling runtime.
    pub fn admin(&self) -> Client {
        self.plane.admin()
    }

    /// The kubeconfig of the controller's account.
    pub async fn account(&self) -> Result<PathBuf> {
        self.plane.service_account_kubeconfig(NAMESPACE, "holdfast").await
    }

    /// A Vault controller that isn't started yet, under its own account; it may connect to the servers of tests.
    pub async fn vault_controller_builder(&self, namespaces: &[&str]) -> Result<ControllerBuilder> {
        let account = self.plane.service_account_kubeconfig(NAMESPACE, "holdfast-vault").await?;
        let namespaces = format!("--namespaces={}", namespaces.join(","));
        let builder = ControllerProcess::builder(account).command("vault-controller");
        Ok(builder.argument(namespaces).argument("--allow-loopback-servers"))
    }

    /// A controller that isn't started yet.
    pub async fn controller_builder(&self) -> Result<ControllerBuilder> {
        Ok(ControllerProcess::builder(self.account().await?))
    }

    /// A controller that is ready.
    pub async fn controller(&self) -> Result<ControllerProcess> {
        let controller = self.controller_builder().await?.start()?;
        controller.ready(PATIENCE).await?;
        Ok(controller)
    }
}

/// The chart.
pub fn chart() -> PathBuf {
    checkout().join("charts/holdfast")
}

/// The checkout that this was built from.
pub fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}
