//! Where the demo plays: a control plane with its sample, the chart, and the controller under the chart's account.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use holdfast_e2e::{NAMESPACE, chart, checkout, sample};
use holdfast_testkit::{
    ControlPlane, ControllerProcess, Helm, Kept, Manifests, account_kubeconfig, client_from, eventually, helm,
};
use indicatif::ProgressBar;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::Client;
use kube::api::{Api, ListParams};
use serde_json::json;

use super::picture::Picture;
use super::progress::progress;

const RELEASE: helm::Release<'static> = helm::Release { name: "holdfast", namespace: NAMESPACE };
/// How long the cluster may take to settle.
const PATIENCE: Duration = Duration::from_secs(90);

/// A cluster, and who keeps it alive.
pub(super) struct Stage {
    client: Client,
    kubeconfig: PathBuf,
    plane: Option<ControlPlane>,
    kept: Option<Kept>,
    controller: Option<ControllerProcess>,
    progress: ProgressBar,
    folder: tempfile::TempDir,
    ours: bool,
}

impl Stage {
    /// A control plane that ends with this process.
    pub(super) async fn local() -> Result<Self> {
        let progress =
            progress("starting a real control plane (etcd, API server, controllers, scheduler, 6 fake nodes)");
        let plane = ControlPlane::builder().nodes(6).start().await?;
        let stage = Self::new(plane.kubeconfig(), progress).await?;
        Ok(Self { plane: Some(plane), ours: true, ..stage })
    }

    /// A control plane that stays.
    pub(super) async fn kept() -> Result<Self> {
        let progress = progress("starting a real control plane that stays (`cargo xtask down` stops it)");
        if let Some(old) = Kept::find()? {
            old.stop().await?;
        }
        let kept = ControlPlane::builder().nodes(6).start_detached().await?;
        let stage = Self::new(kept.kubeconfig.clone(), progress).await?;
        Ok(Self { kept: Some(kept), ours: true, ..stage })
    }

    /// Somebody's own cluster.
    pub(super) async fn on(kubeconfig: &Path) -> Result<Self> {
        Self::new(kubeconfig.to_owned(), progress("looking at the cluster")).await
    }

    async fn new(kubeconfig: PathBuf, progress: ProgressBar) -> Result<Self> {
        let client = client_from(&kubeconfig).await?;
        Ok(Self {
            client,
            kubeconfig,
            plane: None,
            kept: None,
            controller: None,
            progress,
            folder: tempfile::tempdir()?,
            ours: false,
        })
    }

    /// Whether it is a control plane that we started, and may fill.
    pub(super) fn is_ours(&self) -> bool {
        self.ours
    }

    /// Fills it with the sample, mistakes and all.
    pub(super) async fn load(&mut self) -> Result<()> {
        if !self.ours {
            return Ok(());
        }
        self.say(&format!("The control plane is up: export KUBECONFIG={}", self.kubeconfig.display()));
        self.progress.set_message("loading a cluster with the mistakes that real ones have");
        let started = Instant::now();
        Manifests::read(&checkout().join("e2e/crds"))?.apply(&self.client, "demo").await?;
        let loaded = sample::load(&self.client, &sample()).await?;
        self.say(&format!(
            "Loaded {} workloads and {} budgets in {} namespaces in {:.1} s.",
            loaded.workloads(),
            loaded.count("PodDisruptionBudget"),
            loaded.count("Namespace"),
            started.elapsed().as_secs_f64()
        ));
        Ok(())
    }

    /// Waits until pods run and the disruption controller has looked at every budget; then looks at everything.
    pub(super) async fn settled(&self) -> Result<Picture> {
        self.progress.set_message("waiting for the pods to run");
        let pods: Api<Pod> = Api::all(self.client.clone());
        let budgets: Api<PodDisruptionBudget> = Api::all(self.client.clone());
        let quiet = std::cell::Cell::new((0_usize, Instant::now()));
        eventually("pods that have settled", PATIENCE, async || {
            let all = pods.list(&ListParams::default()).await?.items;
            let placed = all.iter().filter(|pod| phase(pod) != "Pending").count();
            self.progress.set_message(format!("waiting for the pods to run: {placed} of {}", all.len()));
            let fingerprint = placed * 10_000 + all.len();
            if quiet.get().0 != fingerprint {
                quiet.set((fingerprint, Instant::now()));
            }
            let unseen = budgets.list(&ListParams::default()).await?.items.into_iter().filter(is_unseen).count();
            ensure!(0 < placed && placed == all.len(), "{placed} of {} pods run", all.len());
            ensure!(unseen == 0, "{unseen} budgets without a status");
            ensure!(Duration::from_secs(1) < quiet.get().1.elapsed(), "pods still come and go");
            Ok(())
        })
        .await
        .or_else(|error| if self.ours { Err(error) } else { Ok(()) })?;
        Picture::take(&self.client).await
    }

    /// Installs the chart: definitions, account and roles are what any user gets.
    pub(super) async fn install(&self) -> Result<()> {
        self.progress.set_message("installing the chart with Helm");
        let helm = Helm::for_cluster(self.kubeconfig.clone()).await?;
        helm.install(&chart(), RELEASE, &json!({})).await.context("the chart can't be installed")?;
        Ok(())
    }

    /// Starts the controller under the account that the chart made.
    pub(super) async fn start_controller(&mut self) -> Result<()> {
        self.progress.set_message("starting the controller under the chart's ServiceAccount");
        let account = self.account();
        account_kubeconfig(&self.kubeconfig, NAMESPACE, "holdfast", &account).await?;
        let controller = ControllerProcess::builder(account).log_level("info").start()?;
        controller.ready(Duration::from_secs(30)).await?;
        self.controller = Some(controller);
        Ok(())
    }

    /// Asks for budgets, as a user does: with a policy.
    pub(super) async fn enforce(&self) -> Result<()> {
        self.progress.set_message("applying config/samples/disruptionpolicy-enforce.yaml");
        Manifests::read(&checkout().join("config/samples/disruptionpolicy-enforce.yaml"))?
            .apply(&self.client, "demo")
            .await?;
        Ok(())
    }

    /// Waits until nothing is left to write; then looks at everything again.
    pub(super) async fn enforced(&self) -> Result<Picture> {
        let controller = self.controller.as_ref().context("no controller was started")?;
        eventually("budgets as they should be", PATIENCE, async || {
            let picture = Picture::take(&self.client).await?;
            let left: usize = picture.plans.iter().map(|plan| plan.writes.len()).sum();
            let owned: usize = picture.plans.iter().map(|plan| plan.owned).sum();
            let writes =
                controller.metrics().await?.sum("holdfast_writes_total", &[("result", "ok")]).unwrap_or_default();
            self.progress.set_message(format!("{owned} budgets of ours, {left} to go, {writes} writes"));
            ensure!(left == 0, "{left} writes left");
            Ok(picture)
        })
        .await
    }

    /// Says where to look around, and waits if there is somebody to wait for.
    pub(super) async fn say_goodbye(mut self, keep: bool) -> Result<()> {
        self.progress.finish_and_clear();
        eprintln!("\nLook around:\n  export KUBECONFIG={}", self.kubeconfig.display());
        eprintln!("  kubectl get dpol; kubectl describe dpol; kubectl events -A --types=Warning | head");
        if keep {
            let account = self.account();
            let mut kept = self.kept.take().context("nothing to keep")?;
            if let Some(controller) = self.controller.take() {
                controller.terminate(Duration::from_secs(15)).await?;
            }
            kept.start_controller(&account)?;
            eprintln!("Everything goes on running; `cargo xtask down` stops it.");
            return Ok(());
        }
        if std::io::IsTerminal::is_terminal(&std::io::stdin()) && self.plane.is_some() {
            eprintln!("Ctrl-C ends the demo and cleans up.");
            tokio::signal::ctrl_c().await?;
        }
        eprintln!("Cleaning up.");
        Ok(())
    }

    /// The kubeconfig of the controller's account: beside the logs of a kept control plane, else in a folder that goes.
    fn account(&self) -> PathBuf {
        let folder = self.kept.as_ref().map_or_else(|| self.folder.path(), |kept| kept.dir.as_path());
        folder.join("holdfast.kubeconfig")
    }

    /// A result, on standard output and not into the progress line.
    pub(super) fn show(&self, text: &str) {
        self.progress.suspend(|| println!("{text}"));
    }

    fn say(&self, text: &str) {
        self.progress.suspend(|| eprintln!("{text}"));
    }
}

/// The folder of the sample cluster.
pub(super) fn sample() -> PathBuf {
    checkout().join("e2e/samples/cluster")
}

fn phase(pod: &Pod) -> &str {
    pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or("Pending")
}

/// Whether the disruption controller hasn't looked at it yet: neither computed nor failed.
fn is_unseen(budget: &PodDisruptionBudget) -> bool {
    budget.status.as_ref().is_none_or(|status| status.conditions.as_ref().is_none_or(Vec::is_empty))
}
