//! Where a row is played, and how something goes wrong there.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use holdfast_api::{VaultTransitUnseal, VaultTransitUnsealStatus};
use holdfast_e2e::Cluster;
use holdfast_e2e::churn::say;
use holdfast_testkit::server_kubelet::PodFacts;
use holdfast_testkit::vault::{Builder, Product, TlsFiles, TransitSeal, TransitServer};
use holdfast_testkit::{ControllerProcess, Stopwatch, eventually};
use holdfast_vault::cause::{Cause, Gravity};
use jiff::SignedDuration;
use k8s_openapi::api::events::v1::Event;
use kube::api::{Api, DeleteParams, ListParams};
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::stage::{DEADLINE, KEY, NAME, Pair, Shape, condition};
use holdfast_e2e::vault::set::Delivery;

/// Within this time a diagnosis is gone whose cause is.
const CURED: SignedDuration = SignedDuration::from_secs(15);

/// What all rows have in common.
pub(crate) struct Stage {
    pub(crate) cluster: Cluster,
    pub(crate) controller: ControllerProcess,
    felt: Mutex<Vec<Felt>>,
}

/// How long it took until something was told, and until it was told to be gone.
struct Felt {
    cause: Cause,
    told: Duration,
    cured: SignedDuration,
    line: String,
}

impl Stage {
    pub(crate) fn new(cluster: Cluster, controller: ControllerProcess) -> Self {
        Self { cluster, controller, felt: Mutex::default() }
    }

    /// Begins to measure what this process, the controller and the API server have to do with.
    pub(crate) fn stopwatch(&self) -> Stopwatch {
        self.cluster.plane.stopwatch([self.controller.id(), std::process::id()])
    }

    pub(super) fn caused(&self) -> BTreeSet<Cause> {
        self.felt.lock().iter().map(|felt| felt.cause).collect()
    }

    pub(super) fn say_what_was_felt(&self) {
        for Felt { cause, told, cured, line } in &*self.felt.lock() {
            let cured = cured.as_secs_f64();
            say(&format!("causes: {:<20} told {told:>6.1?}  gone {cured:>5.1} s  {line}", cause.as_str()));
        }
        let slowest = self.felt.lock().iter().map(|felt| felt.cured).max().unwrap_or_default();
        say(&format!("causes: {} of them, the slowest was gone after {slowest:#}", self.felt.lock().len()));
    }
}

/// A namespace with nothing in it.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) stage: &'a Stage,
    pub(crate) namespace: &'static str,
    pub(crate) product: Product,
}

/// What is odd about the next start of a server.
#[derive(Clone)]
pub(crate) enum Twist {
    None,
    /// Its configuration makes no sense.
    Nonsense,
    /// It looks for A elsewhere.
    Elsewhere(String),
    /// It has no seal stanza.
    Shamir,
    /// The last of three asks nobody to be let in.
    Alone,
}

/// A place with servers.
pub(crate) struct Scene<'a> {
    pub(crate) place: Place<'a>,
    pub(crate) pair: Pair,
    twist: Arc<Mutex<Twist>>,
}

impl<'a> Place<'a> {
    pub(crate) fn shape(&self) -> Shape {
        Shape::single(self.product)
    }

    /// Removes the resources, and waits until nobody keeps them any more.
    pub(crate) async fn leave(self) -> Result<()> {
        let resources: Api<VaultTransitUnseal> = Api::namespaced(self.stage.cluster.admin(), self.namespace);
        resources.delete_collection(&DeleteParams::default(), &ListParams::default()).await?;
        eventually("the resources to be left alone", DEADLINE, async || {
            let metrics = self.stage.controller.metrics().await?;
            let shown = metrics.sum("holdfast_vault_would_start", &[("namespace", self.namespace)]);
            ensure!(shown.is_none(), "they are looked at");
            Ok(())
        })
        .await
    }

    /// Servers that are starting, sealed by an A that this makes, with a token by a role of `KEY`.
    pub(crate) async fn prepare(self, a: Builder, shape: &Shape, twist: Twist) -> Result<Scene<'a>> {
        let a = TransitServer::start_as(a).await?;
        let token = a.grant(KEY, "24h").await?.token;
        let twist = Arc::new(Mutex::new(twist));
        let (seal, shape_of, twisted) = (a.seal_with(KEY, None), shape.clone(), Arc::clone(&twist));
        let configure = move |facts: &PodFacts| configuration(facts, &shape_of, seal.clone(), &twisted.lock());
        let pair = Pair::prepare_as(&self.stage.cluster, self.namespace, a, shape, &token, configure).await?;
        Ok(Scene { place: self, pair, twist })
    }

    /// A server that runs and is watched, and of which a canary is kept.
    pub(crate) async fn well(self, a: Builder) -> Result<Scene<'a>> {
        let scene = self.prepare(a, &self.shape(), Twist::None).await?;
        scene.pair.kubelet.endpoint("vault-0")?.await_health(&[501], DEADLINE).await?;
        scene.pair.initialise().await?;
        scene.pair.set.await_ready(1).await?;
        scene.watch(&json!({})).await?;
        Ok(scene)
    }
}

/// The configuration of a server whose next start is odd, or isn't.
pub(crate) fn configuration(facts: &PodFacts, shape: &Shape, mut seal: TransitSeal, twist: &Twist) -> Result<String> {
    let mut config = facts.config_of_raft(shape.replicas)?;
    if shape.authority.is_some() {
        config.tls = Some(TlsFiles { certificate: "/etc/tls/tls.crt".into(), key: "/etc/tls/tls.key".into() });
    }
    if let Delivery::File = shape.delivery {
        seal.token = Some("file:///etc/seal/token".to_owned());
    }
    match twist {
        Twist::None => {}
        Twist::Nonsense => config.extra.push_str("nonsense \"x\" {\n"),
        Twist::Elsewhere(address) => seal.address = Some(address.clone()),
        Twist::Shamir => return Ok(config.to_string()),
        Twist::Alone if facts.ordinal + 1 == shape.replicas => config.join = vec!["http://127.0.0.1:9".to_owned()],
        Twist::Alone => {}
    }
    config.seals.push(seal);
    Ok(config.to_string())
}

impl Scene<'_> {
    /// From the next start on.
    pub(crate) fn twist(&self, twist: Twist) {
        *self.twist.lock() = twist;
    }

    /// Applies the resource and waits until nothing is wrong and a canary is kept.
    pub(crate) async fn watch(&self, spec: &Value) -> Result<()> {
        self.pair.apply(spec).await?;
        let settled = |status: &VaultTransitUnsealStatus| {
            let kept = status.rehearsal.as_ref().is_some_and(|rehearsal| !rehearsal.canary_versions.is_empty());
            kept && status.diagnosis.is_none()
        };
        self.pair.eventually("a server that is well", settled).await.map(drop)
    }

    /// Something goes wrong, is told, is mended, and is told to be gone.
    pub(crate) async fn suffers(
        &self,
        cause: Cause,
        how: &str,
        befalls: impl AsyncFnOnce() -> Result<()>,
        is_mended: impl AsyncFnOnce() -> Result<()>,
    ) -> Result<()> {
        self.suffers_as(NAME, cause, how, befalls, is_mended).await
    }

    /// The same of a resource of another name.
    pub(crate) async fn suffers_as(
        &self,
        name: &str,
        cause: Cause,
        how: &str,
        befalls: impl AsyncFnOnce() -> Result<()>,
        is_mended: impl AsyncFnOnce() -> Result<()>,
    ) -> Result<()> {
        let line = format!("{} ({}): {how}", self.place.namespace, self.place.product);
        let story = async {
            befalls().await.context("it didn't befall")?;
            let began = Instant::now();
            self.is_told(name, cause).await?;
            let told = began.elapsed();
            self.is_announced(name, cause.as_str(), cause.remedy()).await?;
            is_mended().await.context("it wasn't mended")?;
            let cured = self.is_cured(name).await?;
            self.is_announced(name, "Cured", "what was wrong is gone").await?;
            self.place.stage.felt.lock().push(Felt { cause, told, cured, line: line.clone() });
            Ok(())
        };
        let story: Result<()> = Box::pin(story).await;
        story.with_context(|| format!("{}, {line}", cause.as_str()))
    }

    /// Waits until the status and the metric say the cause, with its remedy.
    async fn is_told(&self, name: &str, cause: Cause) -> Result<()> {
        eventually(&format!("{} in the status", cause.as_str()), DEADLINE, async || {
            let status = self.pair.status_of(name).await?;
            let found = status.diagnosis.as_ref().context("nothing is diagnosed")?;
            ensure!(found.cause == cause.as_str(), "{}: {}", found.cause, found.message);
            ensure!(found.remedy == cause.remedy() && !found.message.is_empty(), "{found:?}");
            let stalled = condition(&status, "Stalled") == ("True", cause.as_str());
            ensure!(stalled == (cause.gravity() == Gravity::Stalled), "{:?}", status.conditions);
            Ok(())
        })
        .await?;
        eventually(&format!("{} in the metric", cause.as_str()), DEADLINE, async || {
            let shown = self.diagnosed(name, &[("cause", cause.as_str())]).await?;
            ensure!(shown == Some(1.0), "{shown:?}");
            Ok(())
        })
        .await
    }

    /// How long it takes from now on until nothing is wrong.
    async fn is_cured(&self, name: &str) -> Result<SignedDuration> {
        let watch = self.place.stage.stopwatch();
        eventually("the diagnosis to be gone", DEADLINE, async || {
            let diagnosis = self.pair.status_of(name).await?.diagnosis;
            ensure!(diagnosis.is_none(), "{diagnosis:?}");
            let shown = self.diagnosed(name, &[]).await?;
            ensure!(shown.is_none(), "the metric is {shown:?}");
            Ok(())
        })
        .await?;
        let (cured, limit) = (watch.elapsed(), watch.allows(CURED)?);
        ensure!(cured <= limit, "the diagnosis was gone after {cured:#} only, not {limit:#}");
        Ok(cured)
    }

    async fn diagnosed(&self, name: &str, label: &[(&str, &str)]) -> Result<Option<f64>> {
        let metrics = self.place.stage.controller.metrics().await?;
        let labels = [&[("namespace", self.place.namespace), ("name", name)], label].concat();
        Ok(metrics.sum("holdfast_vault_diagnosis", &labels))
    }

    /// Waits for an event about the resource. Its note ends with the remedy, unless it was too long for an event.
    async fn is_announced(&self, name: &str, reason: &str, words: &str) -> Result<()> {
        let events: Api<Event> = Api::namespaced(self.place.stage.cluster.admin(), self.place.namespace);
        eventually(&format!("the event {reason}"), DEADLINE, async || {
            let events = events.list(&ListParams::default()).await?;
            let about = |event: &&Event| {
                let named = event.regarding.as_ref().and_then(|object| object.name.as_deref()) == Some(name);
                named && event.reason.as_deref() == Some(reason)
            };
            let found = events.iter().find(about).context("there is none")?;
            let note = found.note.as_deref().unwrap_or_default();
            ensure!(note.contains(words), "{note}");
            Ok(())
        })
        .await
    }
}
