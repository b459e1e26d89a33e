//! Where the story plays: a control plane with the chart, A as a server of its own, B as a pod, and the controller.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use holdfast_api::VaultTransitUnseal;
use holdfast_e2e::vault::{ACCOUNT, ADMIN, AUDIENCE, Delivery, KEY, NAME, Set, admit, minting_policy, resource};
use holdfast_e2e::vault::{set, trust_accounts, values};
use holdfast_e2e::{Cluster, Kubectl};
use holdfast_testkit::server_kubelet::PodFacts;
use holdfast_testkit::vault::{Endpoint, Product, TransitServer, sealing_policy};
use holdfast_testkit::{ControlPlane, ControllerProcess, Manifests, ServerKubelet};
use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::Client;
use kube::api::{Api, Patch, PatchParams};
use serde_json::json;

use super::birth::Birth;
use super::voice::Voice;

/// Where B is.
pub(super) const NAMESPACE: &str = "vault-demo";
/// B's only pod.
pub(super) const POD: &str = "vault-0";
/// What both servers are.
const PRODUCT: Product = Product::OpenBao;
/// Nothing takes as long as this.
const PATIENCE: Duration = Duration::from_secs(60);
/// As a real kubelet has it: this is why a stuck pod matters.
const BACK_OFF: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(300));

/// Everything that runs; all of it ends when this is dropped, the controller first.
pub(super) struct Stage {
    controller: ControllerProcess,
    pub(super) kubelet: ServerKubelet,
    pub(super) set: Set,
    pub(super) a: TransitServer,
    kubectl: Kubectl,
    cluster: Cluster,
    /// In memory where that is a folder, as in the chart; it goes with the demo.
    _spool: tempfile::TempDir,
}

impl Stage {
    pub(super) async fn build(voice: &Voice) -> Result<Self> {
        voice.heading("1. Two servers: A has a transit key, B is sealed with it");
        voice.waits("starting a real control plane (etcd, API server, controllers, scheduler) and A");
        let (cluster, a) = tokio::try_join!(cluster(), TransitServer::start(PRODUCT))?;
        voice.did(&format!(
            "A control plane runs, with the chart (`vault.enabled`): export KUBECONFIG={}",
            cluster.plane.kubeconfig().display()
        ));
        voice.did(&format!(
            "A runs: {PRODUCT} at {}, initialised, and unsealed with its share by its person.",
            a.server.url()
        ));
        prepare(&a, &cluster.plane).await?;
        tell_rights(voice);
        voice.waits("starting B's node and the controller");
        let (set, kubelet) = b(&cluster.plane, &a).await?;
        set.eventually(POD, |pod| waits(pod, "CreateContainerConfigError")).await?;
        voice.did("B is a StatefulSet of one pod. It can't start yet: the Secret of its VAULT_TOKEN is empty (CreateContainerConfigError).");
        let controller = cluster.vault_controller_builder(&[NAMESPACE]).await?;
        let spool = tempfile::tempdir()?;
        let controller = controller
            .argument(format!("--spool={}", spool.path().display()))
            .log_level("info,holdfast_vault=debug")
            .start()?;
        controller.ready(PATIENCE).await?;
        voice.did("The controller runs under the chart's ServiceAccount: `holdfast vault-controller --namespaces=vault-demo`.");
        let kubectl = Kubectl::of(&cluster.plane).await?;
        Ok(Self { controller, kubelet, set, a, kubectl, cluster, _spool: spool })
    }

    pub(super) fn client(&self) -> Client {
        self.cluster.admin()
    }

    /// How B is spoken to.
    pub(super) fn b(&self) -> Result<Endpoint> {
        self.kubelet.endpoint(POD)
    }

    /// Fails unless B serves, unsealed, right now.
    pub(super) async fn b_serves(&self) -> Result<()> {
        let health = self.b()?.health().await?;
        ensure!(health == 200, "B doesn't serve: sys/health is {health}");
        Ok(())
    }

    /// The custom resource, in the words of its owner.
    pub(super) async fn apply_resource(&self, birth: &Birth) -> Result<()> {
        let login = json!({"name": ACCOUNT, "mount": "jwt", "role": ACCOUNT, "audience": AUDIENCE});
        let spec = json!({
            "mode": "Manage",
            "seal": {"transit": {"provision": "Token", "auth": {"serviceAccount": login}}},
            "token": {"role": KEY},
            "initialization": birth.spec(),
        });
        let resources: Api<VaultTransitUnseal> = Api::namespaced(self.client(), NAMESPACE);
        let resource = resource(&self.a.server.url(), &spec);
        resources.patch(NAME, &PatchParams::apply("demo"), &Patch::Apply(resource)).await?;
        Ok(())
    }

    /// B's person deletes its pod, and the next one is waited for until it serves; its UID.
    pub(super) async fn restart_b(&self) -> Result<String> {
        let before = self.set.pod(POD).await?.metadata.uid;
        self.set.delete_pod(POD, None).await?;
        self.set
            .eventually(POD, |pod| {
                ensure!(pod.metadata.uid != before && set::is_ready(pod), "{:?}", pod.status);
                Ok(())
            })
            .await?;
        self.set.pod(POD).await?.metadata.uid.context("a pod without a UID")
    }

    /// What the token in the Secret can be looked up and revoked by. The token itself is nobody's business.
    pub(super) async fn accessor(&self) -> Result<String> {
        let secrets: Api<Secret> = Api::namespaced(self.client(), NAMESPACE);
        let data = secrets.get("seal").await?.data.unwrap_or_default();
        let accessor = data.get("accessor").context("the Secret has no accessor")?;
        Ok(String::from_utf8(accessor.0.clone())?)
    }

    /// As `kubectl get vtu` shows the resource.
    pub(super) async fn listing(&self) -> Result<String> {
        let listing = self.kubectl.run(["get", "vtu", "--namespace", NAMESPACE]).await?;
        Ok(format!("$ kubectl get vtu -n {NAMESPACE}\n{listing}"))
    }

    pub(super) fn look_around(&self) -> String {
        format!(
            "  export KUBECONFIG={}\n  kubectl get vtu -n {NAMESPACE}; kubectl describe vtu {NAME} -n {NAMESPACE}; kubectl events -n {NAMESPACE}",
            self.cluster.plane.kubeconfig().display()
        )
    }

    /// An error with the end of the controller's log.
    pub(super) fn explain(&self, error: anyhow::Error) -> anyhow::Error {
        self.controller.explain(error)
    }
}

/// The chart can give the controller its rights only in a namespace that is there.
async fn cluster() -> Result<Cluster> {
    let cluster = Cluster::on(ControlPlane::builder().nodes(1).start().await?).await?;
    let objects = json!({"kind": "List", "apiVersion": "v1", "items": [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": ACCOUNT, "namespace": NAMESPACE}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": ADMIN, "namespace": NAMESPACE}},
    ]});
    Manifests::parse(&objects.to_string())?.apply(&cluster.admin(), "demo").await?;
    cluster.install(&values(&[NAMESPACE])).await?;
    Ok(cluster)
}

/// What A's person does, once.
async fn prepare(a: &TransitServer, plane: &ControlPlane) -> Result<()> {
    a.prepare(KEY, "720h").await?;
    trust_accounts(a, plane).await?;
    admit(a, NAMESPACE).await
}

fn tell_rights(voice: &Voice) {
    voice.did(&format!(
        "On A: the transit key {KEY}, and a role that makes orphan, periodic tokens with the policy {KEY}:"
    ));
    voice.quote(&sealing_policy(KEY));
    voice.did(&format!(
        "On A: auth/jwt trusts the cluster's ServiceAccount tokens. {NAMESPACE}/{ACCOUNT} may log in, with the policy {ACCOUNT}:"
    ));
    voice.quote(&minting_policy());
}

/// B's objects, and the node on which it runs.
async fn b(plane: &ControlPlane, a: &TransitServer) -> Result<(Set, ServerKubelet)> {
    let set = Set::create(plane, NAMESPACE, 1, Delivery::Variable).await?;
    set.write_no_token().await?;
    let seal = a.seal_with(KEY, None);
    let configure = move |facts: &PodFacts| {
        let mut config = facts.config();
        config.seals.push(seal.clone());
        Ok(config.to_string())
    };
    let (first, longest) = BACK_OFF;
    let kubelet = ServerKubelet::builder(plane.admin(), NAMESPACE, PRODUCT, configure).back_off(first, longest);
    Ok((set, kubelet.start().await?))
}

/// Whether the container waits for this reason.
pub(super) fn waits(pod: &Pod, reason: &str) -> Result<()> {
    let state = set::container(pod)?.state.as_ref();
    let waiting = state.and_then(|state| state.waiting.as_ref()).and_then(|waiting| waiting.reason.as_deref());
    ensure!(waiting == Some(reason), "{state:?}");
    Ok(())
}
