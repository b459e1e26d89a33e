//! A server that is to be initialised, in the hands of a story: what is odd about it, and what is told of it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use holdfast_api::VaultTransitUnsealStatus;
use holdfast_e2e::Cluster;
use holdfast_testkit::eventually;
use holdfast_testkit::server_kubelet::PodFacts;
use holdfast_testkit::vault::{Product, Server, TransitServer};
use holdfast_vault::cause::{Cause, Gravity};
use holdfast_vault::init::claim::{Claim, Reading, WORK};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::events::v1::Event;
use kube::api::{Api, ListParams, PostParams};
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::{CLAIM, accounts, confirm_storage};
use crate::causes::{Twist, configuration};
use crate::stage::{DEADLINE, KEY, NAME, Pair, Shape, condition};

/// Within this time a diagnosis is gone whose cause is.
const CURED: SignedDuration = SignedDuration::from_secs(10);

/// A server whose token is in its Secret, and that nobody has initialised.
pub(crate) struct Birth<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) namespace: &'static str,
    pub(crate) pair: Pair,
    twist: Arc<Mutex<Twist>>,
    disk: Arc<Mutex<PathBuf>>,
}

impl<'a> Birth<'a> {
    pub(crate) async fn expect(cluster: &'a Cluster, namespace: &'static str, shape: &Shape) -> Result<Self> {
        let a = TransitServer::start_as(Server::builder(Product::OpenBao).inmem()).await?;
        let token = a.grant(KEY, "24h").await?.token;
        accounts(cluster, namespace).await?;
        let (twist, disk) = (Arc::new(Mutex::new(Twist::None)), Arc::new(Mutex::new(PathBuf::new())));
        let (seal, shape_of, twisted, used) =
            (a.seal_with(KEY, None), shape.clone(), Arc::clone(&twist), Arc::clone(&disk));
        let configure = move |facts: &PodFacts| {
            used.lock().clone_from(&facts.data);
            configuration(facts, &shape_of, seal.clone(), &twisted.lock())
        };
        let pair = Pair::prepare_as(cluster, namespace, a, shape, &token, configure).await?;
        Ok(Self { cluster, namespace, pair, twist, disk })
    }

    /// From the next start on.
    pub(crate) fn twist(&self, twist: Twist) {
        *self.twist.lock() = twist;
    }

    /// Asks for it with this `spec.initialization`, and confirms that the storage is empty.
    pub(crate) async fn ask(&self, initialization: &Value) -> Result<()> {
        self.ask_with(&json!({"initialization": initialization})).await
    }

    /// The same with more of a spec.
    pub(crate) async fn ask_with(&self, spec: &Value) -> Result<()> {
        let mut spec = spec.clone();
        spec["mode"] = json!("Manage");
        self.pair.apply(&spec).await?;
        confirm_storage(self.cluster, self.namespace, &self.pair).await
    }

    /// Waits until the status tells the cause, in these words among others, and an event does too.
    pub(crate) async fn is_told(&self, cause: Cause, words: &str) -> Result<()> {
        eventually(&format!("{} in {}", cause.as_str(), self.namespace), DEADLINE, async || {
            let status = self.pair.status().await?;
            let found = status.diagnosis.as_ref().context("nothing is diagnosed")?;
            ensure!(
                found.cause == cause.as_str() && found.message.contains(words),
                "{}: {}",
                found.cause,
                found.message
            );
            ensure!(found.remedy == cause.remedy(), "{found:?}");
            let stalled = condition(&status, "Stalled") == ("True", cause.as_str());
            ensure!(stalled == (cause.gravity() == Gravity::Stalled), "{:?}", status.conditions);
            ensure!(condition(&status, "Ready") == ("False", cause.as_str()), "{:?}", status.conditions);
            Ok(())
        })
        .await?;
        let events: Api<Event> = Api::namespaced(self.cluster.admin(), self.namespace);
        eventually(&format!("an event {} in {}", cause.as_str(), self.namespace), DEADLINE, async || {
            let events = events.list(&ListParams::default()).await?;
            let about = |event: &&Event| event.reason.as_deref() == Some(cause.as_str());
            let mut notes = events.iter().filter(about).filter_map(|event| event.note.as_deref());
            ensure!(notes.any(|note| note.contains(words)), "there is none");
            Ok(())
        })
        .await
    }

    /// What was told isn't told any more, soon after its cure.
    pub(crate) async fn is_cured_of(&self, cause: Cause) -> Result<()> {
        let watch = self.cluster.plane.stopwatch([std::process::id()]);
        eventually(&format!("{} to be gone in {}", cause.as_str(), self.namespace), DEADLINE, async || {
            let status = self.pair.status().await?;
            let found = status.diagnosis.as_ref().map(|found| found.cause.as_str());
            ensure!(found != Some(cause.as_str()), "{}", json!(status));
            Ok(())
        })
        .await?;
        let (cured, limit) = (watch.elapsed(), watch.allows(CURED)?);
        ensure!(cured <= limit, "{} was gone after {cured:#} only, not {limit:#}", cause.as_str());
        Ok(())
    }

    /// Waits until it is initialised and nothing is wrong.
    pub(crate) async fn is_complete(&self) -> Result<VaultTransitUnsealStatus> {
        let ready = |status: &VaultTransitUnsealStatus| condition(status, "Ready").0 == "True";
        let status = self.pair.eventually(&format!("{} to be initialised", self.namespace), ready).await?;
        ensure!(super::phase(&status) == Some("Complete"), "{}", json!(status));
        ensure!(condition(&status, "RecoveryKeysStored") == ("True", "Stored"), "{}", json!(status));
        Ok(status)
    }

    pub(crate) fn secrets(&self) -> Api<Secret> {
        Api::namespaced(self.cluster.admin(), self.namespace)
    }

    /// The claim as it stands.
    pub(crate) async fn claim(&self) -> Result<Claim> {
        let data = self.secrets().get(CLAIM).await?.data.unwrap_or_default();
        match Claim::read(&data.into_iter().map(|(key, value)| (key, value.0)).collect()) {
            Reading::Claim(claim) => Ok(claim),
            Reading::Vacant => bail!("nobody has claimed it"),
            Reading::Unreadable(why) => bail!("{why}"),
        }
    }

    /// As if nobody had touched the claim for a long time.
    pub(crate) async fn age_claim(&self) -> Result<()> {
        let claim = self.claim().await?;
        let touched = Timestamp::from_second(claim.touched.as_second() - WORK)?;
        let data: BTreeMap<String, ByteString> =
            Claim { touched, ..claim }.data().into_iter().map(|(key, value)| (key, ByteString(value))).collect();
        let mut secret = self.secrets().get(CLAIM).await?;
        secret.data = Some(data);
        self.secrets().replace(CLAIM, &PostParams::default(), &secret).await?;
        Ok(())
    }

    /// The server ends, and isn't started again before `release`.
    async fn stop(&self) -> Result<()> {
        self.pair.kubelet.hold("vault-0")?;
        self.pair.kubelet.kill("vault-0")?;
        let ended = |pod: &_| {
            let state = holdfast_e2e::vault::set::container(pod)?.state.as_ref().context("no state")?;
            ensure!(state.running.is_none(), "it runs");
            Ok(())
        };
        self.pair.set.eventually("vault-0", ended).await
    }

    /// Another disk is where its own was, with nothing on it.
    pub(crate) async fn lose_disk(&self) -> Result<()> {
        self.stop().await?;
        let disk = self.disk.lock().clone();
        std::fs::rename(&disk, disk.with_extension("lost"))?;
        std::fs::create_dir(&disk)?;
        self.pair.kubelet.release("vault-0")?;
        self.pair.kubelet.endpoint("vault-0")?.await_health(&[501], DEADLINE).await.map(drop)
    }

    /// Its own disk is back.
    pub(crate) async fn find_disk(&self) -> Result<()> {
        self.stop().await?;
        let disk = self.disk.lock().clone();
        std::fs::remove_dir_all(&disk)?;
        std::fs::rename(disk.with_extension("lost"), &disk)?;
        self.pair.kubelet.release("vault-0")?;
        self.pair.kubelet.endpoint("vault-0")?.await_health(&[200], DEADLINE).await.map(drop)
    }

    /// Changes the resource by a merge.
    pub(crate) async fn change(&self, spec: &Value) -> Result<()> {
        use kube::api::{Patch, PatchParams};
        let patch = Patch::Merge(json!({"spec": spec}));
        self.pair.resources.patch(NAME, &PatchParams::default(), &patch).await?;
        Ok(())
    }
}
