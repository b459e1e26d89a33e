//! Where the stories of the Vault controller play: a real control plane with the chart, servers as pods, and the controller
//! under the chart's own account.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use holdfast_api::{REQUESTED_AT, VaultTransitUnseal, VaultTransitUnsealStatus};
use holdfast_e2e::{Cluster, checkout};
use holdfast_testkit::server_kubelet::PodFacts;
use holdfast_testkit::vault::{Product, TransitServer};
use holdfast_testkit::{ControlPlane, ControllerProcess, Manifests, ServerKubelet, eventually};
use kube::api::{Api, Patch, PatchParams};
use serde_json::{Value, json};

use crate::pods::set::{Delivery, Set};

/// Nothing takes as long as this.
pub(crate) const DEADLINE: Duration = Duration::from_secs(90);
/// The transit key.
pub(crate) const KEY: &str = "b";
/// The resource, and the StatefulSet.
pub(crate) const NAME: &str = "vault";
/// The account with which the controller logs in to A.
pub(crate) const ACCOUNT: &str = "holdfast-vault";
/// The controller's own account, as the audit log names it.
pub(crate) const USER: &str = "system:serviceaccount:holdfast-system:holdfast-vault";

/// What the chart gives the controller in each namespace.
pub(crate) fn values(namespaces: &[&str]) -> Value {
    let granted = namespaces.iter().map(|name| {
        json!({
            "name": name, "statefulSets": [NAME], "secrets": ["seal", "ca", "tls"], "serviceAccounts": [ACCOUNT],
            "manage": {"token": true, "initialize": false, "restart": true},
        })
    });
    json!({"vault": {"enabled": true, "replicas": 1, "namespaces": granted.collect::<Vec<_>>()}})
}

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
    controller.ready(Duration::from_secs(30)).await?;
    Ok(controller)
}

/// Servers that another one seals.
pub(crate) struct Pair {
    pub(crate) a: TransitServer,
    pub(crate) set: Set,
    pub(crate) kubelet: ServerKubelet,
    pub(crate) resources: Api<VaultTransitUnseal>,
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

impl Pair {
    /// One that runs, and was initialised by somebody else; the token is in the Secret.
    pub(crate) async fn start(
        cluster: &Cluster,
        namespace: &'static str,
        product: Product,
        a: TransitServer,
        token: &str,
    ) -> Result<Self> {
        let seal = a.seal_with(KEY, None);
        let configure = move |facts: &PodFacts| {
            let mut config = facts.config();
            config.seals.push(seal.clone());
            Ok(config.to_string())
        };
        let pair = Self::prepare(cluster, namespace, a, &Shape::single(product), token, configure).await?;
        pair.kubelet.endpoint("vault-0")?.await_health(&[501], DEADLINE).await?;
        pair.initialise().await?;
        pair.set.await_ready(1).await?;
        Ok(pair)
    }

    /// Pods whose servers are started as `configure` says; the token is in the Secret.
    pub(crate) async fn prepare(
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
        let kubelet = builder.start().await?;
        let resources = Api::namespaced(cluster.admin(), namespace);
        Ok(Self { a, set, kubelet, resources })
    }

    /// Initialises the first pod, as a person would.
    pub(crate) async fn initialise(&self) -> Result<Born> {
        let shares = json!({"recovery_shares": 3, "recovery_threshold": 2});
        let (status, body) = self.kubelet.endpoint("vault-0")?.request("POST", "sys/init", None, &shares).await?;
        ensure!(status == 200, "{status} {}", body["errors"]);
        let text = |value: &Value| value.as_str().map(str::to_owned).context("no string");
        let shares =
            body["recovery_keys_base64"].as_array().context("no shares")?.iter().map(text).collect::<Result<_>>()?;
        Ok(Born { root: text(&body["root_token"])?, shares })
    }

    /// Applies the resource; `spec` is merged into what every story has.
    pub(crate) async fn apply(&self, spec: &Value) -> Result<()> {
        self.apply_as(NAME, spec).await
    }

    /// The same, by another name.
    pub(crate) async fn apply_as(&self, name: &str, spec: &Value) -> Result<()> {
        let mut resource = json!({
            "apiVersion": "holdfast.dev/v1alpha1", "kind": "VaultTransitUnseal", "metadata": {"name": name},
            "spec": {
                "target": {"statefulSetRef": {"name": NAME}, "port": 8200, "allowHTTP": true},
                "seal": {"transit": {"address": self.a.server.url(), "allowHTTP": true, "key": KEY}},
                "token": {"secretRef": {"name": "seal", "key": "token"}},
                "timing": {"interval": "1s", "requestTimeout": "3s"},
            },
        });
        merge(&mut resource["spec"], spec);
        self.resources.patch(name, &PatchParams::apply("story"), &Patch::Apply(resource)).await?;
        Ok(())
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

/// The status, reason and message of a condition.
pub(crate) fn condition<'a>(status: &'a VaultTransitUnsealStatus, kind: &str) -> (&'a str, &'a str) {
    let found = status.conditions.iter().find(|condition| condition.type_ == kind);
    found.map_or(("", ""), |condition| (condition.status.as_str(), condition.reason.as_str()))
}

/// `with` wins where both say something.
pub(crate) fn merge(base: &mut Value, with: &Value) {
    match (base, with) {
        (Value::Object(base), Value::Object(with)) => {
            for (key, value) in with {
                merge(base.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (base, with) => *base = with.clone(),
    }
}
