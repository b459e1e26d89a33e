//! Where the stories of the Vault controller play: a real control plane with the chart, servers as pods, and the controller
//! under the chart's own account.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use holdfast_api::{REQUESTED_AT, VaultTransitUnseal, VaultTransitUnsealStatus};
use holdfast_e2e::vault::{Delivery, Set, resource, values};
use holdfast_e2e::{Cluster, checkout};
use holdfast_testkit::server_kubelet::PodFacts;
use holdfast_testkit::vault::{Product, TransitServer, initialize};
use holdfast_testkit::{ControlPlane, ControllerProcess, Manifests, ServerKubelet, eventually};
use kube::api::{Api, Patch, PatchParams};
use serde_json::{Value, json};

pub(crate) use holdfast_e2e::vault::{KEY, NAME, condition};

/// Nothing takes as long as this.
pub(crate) const DEADLINE: Duration = Duration::from_secs(90);

/// A control plane with the chart and the namespaces.
pub(crate) async fn cluster(namespaces: &[&str]) -> Result<Cluster> {
    let plane = ControlPlane::builder().nodes(3).start().await?;
    let cluster = Cluster::on(plane).await?;
    Manifests::read(&checkout().join("e2e/crds"))?.apply(&cluster.admin(), "e2e").await?;
    for name in namespaces {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        Manifests::parse(&namespace.to_string())?.apply(&cluster.admin(), "story").await?;
    }
    cluster.install(&values(namespaces)).await?;
    Ok(cluster)
}

/// The controller, ready.
pub(crate) async fn controller(cluster: &Cluster, namespaces: &[&str]) -> Result<ControllerProcess> {
    let controller =
        cluster.vault_controller_builder(namespaces).await?.log_level("info,holdfast_vault=debug").start()?;
    controller.ready(Duration::from_secs(30)).await?;
    Ok(controller)
}

/// A server of one pod, sealed by another one.
pub(crate) struct Pair {
    pub(crate) a: TransitServer,
    pub(crate) kubelet: ServerKubelet,
    resources: Api<VaultTransitUnseal>,
}

impl Pair {
    /// Runs, and was initialised by somebody else; the token is in the Secret.
    pub(crate) async fn start(
        cluster: &Cluster,
        namespace: &'static str,
        product: Product,
        a: TransitServer,
        token: &str,
    ) -> Result<Self> {
        let seal = a.seal_with(KEY, None);
        let set = Set::create(&cluster.plane, namespace, 1, Delivery::Variable).await?;
        set.write_token(token).await?;
        let configure = move |facts: &PodFacts| {
            let mut config = facts.config();
            config.seals.push(seal.clone());
            Ok(config.to_string())
        };
        let kubelet = ServerKubelet::builder(cluster.admin(), namespace, product, configure).start().await?;
        kubelet.endpoint("vault-0")?.await_health(&[501], DEADLINE).await?;
        initialize(&kubelet.endpoint("vault-0")?).await?;
        set.await_ready(1).await?;
        let resources = Api::namespaced(cluster.admin(), namespace);
        Ok(Self { a, kubelet, resources })
    }

    /// Applies the resource; `spec` is merged into what every story has.
    pub(crate) async fn apply(&self, spec: &Value) -> Result<()> {
        let resource = resource(&self.a.server.url(), spec);
        self.resources.patch(NAME, &PatchParams::apply("story"), &Patch::Apply(resource)).await?;
        Ok(())
    }

    /// The status as it stands.
    pub(crate) async fn status(&self) -> Result<VaultTransitUnsealStatus> {
        self.resources.get(NAME).await?.status.context("no status yet")
    }

    /// Asks for a look, and waits for what it came to.
    pub(crate) async fn look(&self) -> Result<VaultTransitUnsealStatus> {
        let asked = format!("{:016x}", fastrand::u64(..));
        let patch = json!({"metadata": {"annotations": {REQUESTED_AT: asked}}});
        self.resources.patch(NAME, &PatchParams::default(), &Patch::Merge(patch)).await?;
        eventually("a look that was asked for", DEADLINE, async || {
            let status = self.status().await?;
            ensure!(status.last_handled_reconcile_at.as_ref() == Some(&asked), "{:?}", status.diagnosis);
            Ok(status)
        })
        .await
    }

    /// Waits until something holds of the status.
    pub(crate) async fn eventually(
        &self,
        what: &str,
        holds: impl Fn(&VaultTransitUnsealStatus) -> bool,
    ) -> Result<VaultTransitUnsealStatus> {
        eventually(what, DEADLINE, async || {
            let status = self.status().await?;
            ensure!(holds(&status), "{}", json!(status));
            Ok(status)
        })
        .await
    }

    /// Kills the server, and says whether it comes back unsealed by itself within the time that a start takes.
    pub(crate) async fn restarts(&self, patience: Duration) -> Result<bool> {
        let starts = self.kubelet.starts("vault-0")?;
        self.kubelet.kill("vault-0")?;
        eventually("the server to be started again", DEADLINE, async || {
            ensure!(starts < self.kubelet.starts("vault-0")?, "it isn't");
            Ok(())
        })
        .await?;
        Ok(self.kubelet.endpoint("vault-0")?.await_health(&[200], patience).await.is_ok())
    }
}
