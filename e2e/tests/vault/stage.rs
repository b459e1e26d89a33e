//! Where the stories of the Vault controller play: a real control plane with the chart, servers as pods, and the controller
//! under the chart's own account.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use holdfast_api::{REQUESTED_AT, VaultTransitUnseal, VaultTransitUnsealStatus};
use holdfast_e2e::vault::{AUDIENCE, Delivery, Set, admit, resource, trust_accounts};
use holdfast_e2e::{Cluster, checkout};
use holdfast_testkit::server_kubelet::{Builder as KubeletBuilder, PodFacts};
use holdfast_testkit::vault::{Product, TransitServer};
use holdfast_testkit::{ControlPlane, ControllerProcess, Manifests, ServerKubelet, eventually};
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod, Secret};
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams};
use serde_json::{Value, json};

pub(crate) use holdfast_e2e::vault::{ACCOUNT, KEY, NAME, condition, merge, values};

/// Nothing takes as long as this, on the slowest machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(240);
/// Within this time a server is up that comes up at all.
pub(crate) const START: Duration = Duration::from_secs(120);
/// The controller's own account, as the audit log names it.
pub(crate) const USER: &str = "system:serviceaccount:holdfast-system:holdfast-vault";

/// A control plane with the chart and the namespaces.
pub(crate) async fn cluster(namespaces: &[&str]) -> Result<Cluster> {
    cluster_with(namespaces, &values(namespaces)).await
}

/// The same, with other values for the chart.
pub(crate) async fn cluster_with(namespaces: &[&str], values: &Value) -> Result<Cluster> {
    let plane = ControlPlane::builder().nodes(3).start().await?;
    let cluster = Cluster::on(plane).await?;
    Manifests::read(&checkout().join("e2e/crds"))?.apply(&cluster.admin(), "e2e").await?;
    for name in namespaces {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        Manifests::parse(&namespace.to_string())?.apply(&cluster.admin(), "story").await?;
    }
    cluster.install(values).await?;
    Ok(cluster)
}

/// The controller, ready.
pub(crate) async fn controller(cluster: &Cluster, namespaces: &[&str]) -> Result<ControllerProcess> {
    let controller =
        cluster.vault_controller_builder(namespaces).await?.log_level("info,holdfast_vault=debug").start()?;
    controller.ready(DEADLINE).await?;
    Ok(controller)
}

/// Lets the ServiceAccount of a namespace log in to A.
pub(crate) async fn trust(a: &TransitServer, cluster: &Cluster, namespace: &str) -> Result<()> {
    let account =
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": ACCOUNT, "namespace": namespace}});
    Manifests::parse(&account.to_string())?.apply(&cluster.admin(), "story").await?;
    trust_accounts(a, &cluster.plane).await?;
    admit(a, namespace).await
}

/// The part of a spec by which tokens are made.
pub(crate) fn managed() -> Value {
    json!({
        "mode": "Manage",
        "seal": {"transit": {
            "provision": "Token",
            "auth": {"serviceAccount": {"name": ACCOUNT, "mount": "jwt", "role": ACCOUNT, "audience": AUDIENCE}},
        }},
        "token": {"role": KEY},
    })
}

/// How many servers there are, and how each gets its token.
#[derive(Clone)]
pub(crate) struct Shape {
    pub(crate) product: Product,
    pub(crate) replicas: u32,
    pub(crate) delivery: Delivery,
    /// They listen with TLS, with certificates of this authority (PEM).
    pub(crate) authority: Option<String>,
}

impl Shape {
    /// One with its token in a variable.
    pub(crate) fn single(product: Product) -> Self {
        Self { product, replicas: 1, delivery: Delivery::Variable, authority: None }
    }
}

/// What an initialisation returned.
pub(crate) struct Born {
    pub(crate) root: String,
    pub(crate) shares: Vec<String>,
}

/// Servers that another one seals.
pub(crate) struct Pair {
    pub(crate) a: TransitServer,
    pub(crate) set: Set,
    pub(crate) kubelet: ServerKubelet,
    pub(crate) resources: Api<VaultTransitUnseal>,
    secrets: Api<Secret>,
    pods: Api<Pod>,
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
        let pair = Self::prepare(cluster, namespace, product, a, |builder| builder).await?;
        pair.write_secret(token).await?;
        pair.initialise().await?;
        Ok(pair)
    }

    /// There is a Secret, but no token in it yet, so the server can't start.
    pub(crate) async fn prepare(
        cluster: &Cluster,
        namespace: &'static str,
        product: Product,
        a: TransitServer,
        kubelet: impl FnOnce(KubeletBuilder) -> KubeletBuilder,
    ) -> Result<Self> {
        let seal = a.seal_with(KEY, None);
        let set = Set::create(&cluster.plane, namespace, 1, Delivery::Variable).await?;
        set.write_secret("seal", &json!({})).await?;
        let configure = move |facts: &PodFacts| {
            let mut config = facts.config();
            config.seals.push(seal.clone());
            Ok(config.to_string())
        };
        let builder = ServerKubelet::builder(cluster.admin(), namespace, product, configure);
        Self::run(cluster, namespace, a, set, kubelet(builder)).await
    }

    /// Pods whose servers are started as `configure` says; the token is in the Secret.
    pub(crate) async fn prepare_as(
        cluster: &Cluster,
        namespace: &'static str,
        a: TransitServer,
        shape: &Shape,
        token: &str,
        configure: impl Fn(&PodFacts) -> Result<String> + Send + Sync + 'static,
    ) -> Result<Self> {
        let set = Set::create(&cluster.plane, namespace, shape.replicas, shape.delivery).await?;
        set.write_token(token).await?;
        let mut builder = ServerKubelet::builder(cluster.admin(), namespace, shape.product, configure);
        if let Some(authority) = &shape.authority {
            builder = builder.tls(authority);
        }
        Self::run(cluster, namespace, a, set, builder).await
    }

    /// Pods of a set that is there, run by this kubelet.
    pub(crate) async fn run(
        cluster: &Cluster,
        namespace: &str,
        a: TransitServer,
        set: Set,
        kubelet: KubeletBuilder,
    ) -> Result<Self> {
        let kubelet = kubelet.start().await?;
        let resources = Api::namespaced(cluster.admin(), namespace);
        let secrets = Api::namespaced(cluster.admin(), namespace);
        let pods = Api::namespaced(cluster.admin(), namespace);
        Ok(Self { a, set, kubelet, resources, secrets, pods })
    }

    /// Initialises the first pod as somebody else would: the recovery keys aren't ours.
    pub(crate) async fn initialise(&self) -> Result<Born> {
        let endpoint = self.kubelet.endpoint("vault-0")?;
        endpoint.await_health(&[501], DEADLINE).await?;
        let shares = json!({"recovery_shares": 3, "recovery_threshold": 2});
        let (status, body) = endpoint.request("POST", "sys/init", None, &shares).await?;
        ensure!(status == 200, "{status} {}", body["errors"]);
        endpoint.await_health(&[200], DEADLINE).await?;
        let text = |value: &Value| value.as_str().map(str::to_owned).context("no string");
        let shares = body["recovery_keys_base64"].as_array().context("no shares")?;
        Ok(Born { root: text(&body["root_token"])?, shares: shares.iter().map(text).collect::<Result<_>>()? })
    }

    /// Writes the token by hand.
    pub(crate) async fn write_secret(&self, token: &str) -> Result<()> {
        let patch = json!({"stringData": {"token": token}});
        self.secrets.patch("seal", &PatchParams::default(), &Patch::Merge(patch)).await?;
        Ok(())
    }

    /// What the Secret holds.
    pub(crate) async fn secret(&self) -> Result<BTreeMap<String, String>> {
        let data = self.secrets.get("seal").await?.data.unwrap_or_default();
        data.into_iter().map(|(key, value)| Ok((key, String::from_utf8(value.0)?))).collect()
    }

    /// Waits until the Secret holds another token, and returns what it holds.
    pub(crate) async fn another_token(&self, than: &str) -> Result<BTreeMap<String, String>> {
        eventually("another token in the Secret", DEADLINE, async || {
            let held = self.secret().await?;
            ensure!(held.get("token").is_some_and(|token| token != than), "it is the old one, or none");
            Ok(held)
        })
        .await
    }

    /// The pod's UID.
    pub(crate) async fn uid(&self) -> Result<Option<String>> {
        Ok(self.pods.get_opt("vault-0").await?.and_then(|pod| pod.metadata.uid))
    }

    /// Applies the resource; `spec` is merged into what every story has.
    pub(crate) async fn apply(&self, spec: &Value) -> Result<()> {
        self.apply_as(NAME, spec).await
    }

    /// The same, by another name.
    pub(crate) async fn apply_as(&self, name: &str, spec: &Value) -> Result<()> {
        let mut resource = resource(&self.a.server.url(), spec);
        resource["metadata"]["name"] = json!(name);
        self.resources.patch(name, &PatchParams::apply("story"), &Patch::Apply(resource)).await?;
        Ok(())
    }

    /// Deletes the resource, and waits until it is gone.
    pub(crate) async fn delete(&self, patience: Duration) -> Result<()> {
        self.resources.delete(NAME, &DeleteParams::default()).await?;
        eventually("the resource to go", patience, async || {
            ensure!(self.resources.get_opt(NAME).await?.is_none(), "it is still there");
            Ok(())
        })
        .await
    }

    /// Deletes the server with its disks.
    pub(crate) async fn delete_server(&self, cluster: &Cluster, namespace: &str) -> Result<()> {
        let sets: Api<StatefulSet> = Api::namespaced(cluster.admin(), namespace);
        let claims: Api<PersistentVolumeClaim> = Api::namespaced(cluster.admin(), namespace);
        sets.delete(NAME, &DeleteParams::default()).await?;
        eventually("the pod to go", DEADLINE, async || {
            ensure!(self.pods.list(&ListParams::default()).await?.items.is_empty(), "it is still there");
            Ok(())
        })
        .await?;
        claims.delete_collection(&DeleteParams::default(), &ListParams::default()).await?;
        eventually("the disks to go", DEADLINE, async || {
            ensure!(claims.list(&ListParams::default()).await?.items.is_empty(), "they are still there");
            Ok(())
        })
        .await
    }

    /// The status as it stands.
    pub(crate) async fn status(&self) -> Result<VaultTransitUnsealStatus> {
        self.status_of(NAME).await
    }

    /// That of a resource of another name.
    pub(crate) async fn status_of(&self, name: &str) -> Result<VaultTransitUnsealStatus> {
        self.resources.get(name).await?.status.context("no status yet")
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
