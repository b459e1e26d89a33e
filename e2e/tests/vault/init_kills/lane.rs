//! A namespace with one server that is made blank again and again, and everything that can be put in the controller's way:
//! a crossing before the server, a proxy before the API server.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use holdfast_api::{VaultTransitUnseal, VaultTransitUnsealStatus};
use holdfast_e2e::vault::{Delivery, Set, resource};
use holdfast_e2e::{Cluster, NAMESPACE};
use holdfast_testkit::controller::Builder;
use holdfast_testkit::server_kubelet::PodFacts;
use holdfast_testkit::vault::{Endpoint, Product, Server, TransitServer};
use holdfast_testkit::{ControllerProcess, FaultProxy, Manifests, ServerKubelet, eventually};
use holdfast_vault::init::claim::{Claim, Reading, WORK};
use jiff::SignedDuration;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Secret};
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams};
use serde_json::{Value, json};
use std::time::Duration;

use super::DEADLINE;
use super::crossing::Crossing;
use super::watchman::Watchman;
use crate::init::CLAIM;
use crate::init::people::{ADMIN, KEYS, People};
use crate::stage::{ACCOUNT, KEY, NAME};

const POD: &str = "vault-0";
/// The port on which the server itself listens; that of its pod is the crossing's.
const BEHIND: u16 = 8210;

/// What all lanes stand on.
pub(super) struct Ground {
    pub(super) cluster: Cluster,
    a: TransitServer,
    token: String,
    account: PathBuf,
}

impl Ground {
    pub(super) async fn new(cluster: Cluster) -> Result<Self> {
        let a = TransitServer::start_as(Server::builder(Product::OpenBao).inmem()).await?;
        let token = a.grant(KEY, "24h").await?.token;
        let account = cluster.plane.service_account_kubeconfig(NAMESPACE, "holdfast-vault").await?;
        Ok(Self { cluster, a, token, account })
    }
}

/// The lane.
pub(super) struct Lane<'a> {
    pub(super) ground: &'a Ground,
    pub(super) namespace: &'static str,
    pub(super) kubelet: ServerKubelet,
    pub(super) crossing: Crossing,
    pub(super) proxy: FaultProxy,
    pub(super) people: People,
    pub(super) resources: Api<VaultTransitUnseal>,
    pub(super) secrets: Api<Secret>,
    account: PathBuf,
}

impl<'a> Lane<'a> {
    pub(super) async fn prepare(ground: &'a Ground, namespace: &'static str) -> Result<Self> {
        let client = ground.cluster.admin();
        let set = Set::create(&ground.cluster.plane, namespace, 1, Delivery::Variable).await?;
        set.write_token(&ground.token).await?;
        for name in [ADMIN, ACCOUNT] {
            let meta = json!({"name": name, "namespace": namespace});
            let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta});
            Manifests::parse(&account.to_string())?.apply(&client, "story").await?;
        }
        let seal = ground.a.seal_with(KEY, None);
        let configure = move |facts: &PodFacts| {
            let mut config = facts.config();
            config.seals.push(seal.clone());
            // By which it is found out whether shares are its recovery keys when nobody gets in.
            "disable_unauthed_generate_root_endpoints = false".clone_into(&mut config.listener);
            Ok(config.to_string().replace(&format!("\"{}:8200\"", facts.ip), &format!("\"{}:{BEHIND}\"", facts.ip)))
        };
        let back_off = (Duration::from_millis(200), Duration::from_millis(500));
        let kubelet = ServerKubelet::builder(client.clone(), namespace, Product::OpenBao, configure)
            .back_off(back_off.0, back_off.1)
            .start()
            .await?;
        let ip = kubelet.ip(POD)?;
        let crossing = Crossing::before((ip, BEHIND).into(), (ip, 8200).into()).await?;
        let proxy = FaultProxy::before(&ground.cluster.plane).await?;
        let account = proxy.kubeconfig(&ground.account)?;
        let (resources, secrets) = (Api::namespaced(client.clone(), namespace), Api::namespaced(client, namespace));
        Ok(Self { ground, namespace, kubelet, crossing, proxy, people: People::new(), resources, secrets, account })
    }

    /// Nothing was ever initialised or claimed, and the resource asks for it.
    pub(super) async fn begin(&self) -> Result<Watchman> {
        let watchman = self.blank().await?;
        self.apply().await?;
        Ok(watchman)
    }

    /// As a person leaves it who gave all up: not even the resource is there.
    pub(super) async fn blank(&self) -> Result<Watchman> {
        was_there(self.resources.delete(NAME, &DeleteParams::default()).await)?;
        was_there(self.secrets.delete(KEYS, &DeleteParams::default()).await)?;
        let claimed = was_there(self.secrets.delete(CLAIM, &DeleteParams::default()).await)?;
        eventually("the resource to go", DEADLINE, async || {
            ensure!(self.resources.get_opt(NAME).await?.is_none(), "it is still there");
            Ok(())
        })
        .await?;
        // Also one that says that it isn't initialised may have begun, and been killed.
        if claimed {
            self.kubelet.wipe_disk(POD)?;
        }
        self.server()?.await_health(&[501], DEADLINE).await?;
        self.crossing.reset();
        Ok(Watchman::post(self.resources.clone(), self.secrets.clone()))
    }

    /// The storage is older than the resource: a person looked at it.
    pub(super) async fn apply(&self) -> Result<()> {
        let volumes: Api<PersistentVolumeClaim> = Api::namespaced(self.ground.cluster.admin(), self.namespace);
        let listed = volumes.list(&ListParams::default()).await?;
        let uids: Vec<String> = listed.iter().filter_map(kube::ResourceExt::uid).collect();
        let ours = json!({"name": ACCOUNT, "mount": "kubernetes", "role": "holdfast", "audience": "b"});
        let spec = json!({
            "mode": "Manage",
            "target": {"auth": {"serviceAccount": ours}},
            "initialization": self.people.initialization(),
        });
        let mut resource = resource(&self.ground.a.server.url(), &spec);
        resource["metadata"]["annotations"] = json!({"holdfast.dev/confirm-storage": uids.join(",")});
        self.resources.patch(NAME, &PatchParams::apply("story"), &Patch::Apply(resource)).await?;
        Ok(())
    }

    /// A controller with this spool, whose way to the cluster is the proxy's. It is the only one.
    pub(super) fn controller(&self, spool: &Path) -> Result<ControllerProcess> {
        self.candidate(spool).without_leader_election().start()
    }

    /// The same, as one of several.
    pub(super) fn candidate(&self, spool: &Path) -> Builder {
        ControllerProcess::builder(&self.account)
            .command("vault-controller")
            .argument(format!("--namespaces={}", self.namespace))
            .argument("--allow-loopback-servers")
            .argument(format!("--spool={}", spool.display()))
            .log_level("info,holdfast_vault=debug")
    }

    pub(super) fn server(&self) -> Result<Endpoint> {
        self.kubelet.endpoint(POD)
    }

    pub(super) fn kill_server(&self) -> Result<()> {
        self.kubelet.kill(POD)
    }

    /// The status as it stands; nothing is in it before the first look.
    pub(super) async fn status(&self) -> Result<VaultTransitUnsealStatus> {
        Ok(self.resources.get(NAME).await?.status.unwrap_or_default())
    }

    /// What the Secret of the claim says; `None` when there is none.
    pub(super) async fn claim(&self) -> Result<Option<Claim>> {
        let Some(secret) = self.secrets.get_opt(CLAIM).await? else { return Ok(None) };
        let data = secret.data.unwrap_or_default().into_iter().map(|(key, value)| (key, value.0)).collect();
        match Claim::read(&data) {
            Reading::Claim(claim) => Ok(Some(claim)),
            Reading::Vacant => Ok(None),
            Reading::Unreadable(why) => Err(why).context("the claim"),
        }
    }

    /// So much time goes by that whoever claimed it can't be at it any more.
    pub(super) async fn time_goes_by(&self) -> Result<()> {
        let Some(claim) = self.claim().await? else { return Ok(()) };
        let by = SignedDuration::from_secs(WORK + 1);
        let older = Claim { claimed: claim.claimed - by, touched: claim.touched - by, ..claim };
        let texts: serde_json::Map<String, Value> = older
            .data()
            .into_iter()
            .map(|(key, value)| Ok((key, String::from_utf8(value)?.into())))
            .collect::<Result<_>>()?;
        let patch = json!({"stringData": texts});
        self.secrets.patch(CLAIM, &PatchParams::default(), &Patch::Merge(patch)).await?;
        Ok(())
    }
}

/// Whether there was something to be deleted.
fn was_there<T>(deleted: kube::Result<T>) -> Result<bool> {
    match deleted {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(false),
        Err(error) => Err(error.into()),
    }
}
