//! Wires the controller up and runs it until it is told to stop, or one of its tasks ends.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use holdfast_api::VaultTransitUnseal;
use holdfast_api::vault_transit_unseal::InitializationPhase;
use holdfast_runtime::connections::{self, Doubts};
use holdfast_runtime::events::{Events, Teller};
use holdfast_runtime::lease::{self, Candidacy, Elector, Leadership};
use holdfast_runtime::server::{BindError, Readiness, Server};
use holdfast_runtime::supervise::{Supervisor, TaskEnded};
use k8s_openapi::api::core::v1::{ObjectReference, Pod};
use kube::runtime::reflector::{self, Store};
use kube::runtime::watcher::Event;
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, Client, Config, ResourceExt as _};
use parking_lot::Mutex;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::client::{Clients, Options};
use crate::conflict::Identity;
use crate::execute::Hands;
use crate::init::order::Order;
use crate::init::spool::{Spool, Trouble};
use crate::init::{self, Asked, Initialiser};
use crate::keeper::{Keeper, Key, Shared};
use crate::metrics::{Metrics, Snapshot};
use crate::observe::Eyes;
use crate::turns::in_turns;
use crate::wake::Wakes;

/// The name of the Lease.
pub const LEASE: &str = "holdfast-vault";
/// How long tasks get to end by themselves.
const GRACE: Duration = Duration::from_secs(10);
/// Keepers that begin at once, as when another replica led before, look one after the other: many may share a transit server,
/// and two hundred are spread over the usual interval.
const APART: Duration = Duration::from_millis(25);
/// How often it is looked whether somebody should be kept, or no longer.
const ROUND: Duration = Duration::from_millis(500);

/// How the controller runs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The version, for metrics.
    pub version: &'static str,
    /// Where metrics are served.
    pub metrics_addr: SocketAddr,
    /// Where the probes are answered.
    pub health_addr: SocketAddr,
    /// The namespace of the Lease.
    pub lease_namespace: String,
    /// Whether a leader is elected; without, there must be one replica.
    pub leader_elect: bool,
    /// The name of this replica.
    pub pod: String,
    /// The namespaces whose resources are kept.
    pub namespaces: Vec<String>,
    /// Whether only Secrets with our label are read.
    pub require_label: bool,
    /// Whether loopback addresses may be connected to.
    pub allow_loopback: bool,
    /// The folder in which the answer of an initialisation is kept until it is stored, on memory-backed storage; without it
    /// nothing is initialised.
    pub spool: Option<PathBuf>,
}

/// Why the controller ended.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// No namespace is given.
    #[error("no namespace to keep: give --namespaces, such as --namespaces vault")]
    NoNamespaces,
    /// The configuration of the client makes no sense.
    #[error("the Kubernetes client can't be made")]
    Client(#[source] Box<kube::Error>),
    /// An address is taken.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The spool can't be used.
    #[error("the spool can't be used: give --spool a folder in memory that only this user can write to")]
    Spool(#[from] Trouble),
    /// A part of it ended by itself.
    #[error(transparent)]
    Task(#[from] TaskEnded),
}

/// Runs until `stop` is cancelled.
///
/// # Errors
/// When an address is taken, or a task ends by itself.
pub async fn run(config: Config, settings: Settings, stop: CancellationToken) -> Result<(), RunError> {
    if settings.namespaces.is_empty() {
        return Err(RunError::NoNamespaces);
    }
    let metrics = Metrics::new(settings.version, settings.allow_loopback);
    let doubts = Doubts::default();
    let failed = |error| RunError::Client(Box::new(error));
    let kube = connections::client(config.clone(), metrics.requests(), &doubts).map_err(failed)?;
    let candidacy = Candidacy {
        namespace: settings.lease_namespace.clone(),
        name: LEASE.to_owned(),
        identity: lease::identity(&settings.pod),
        field_manager: "holdfast/vault-lease",
    };
    let elector = Elector::new(kube.clone(), candidacy, settings.leader_elect, []);
    let leadership = elector.leadership();
    let writes = connections::of_leader(config, metrics.requests(), &doubts, leadership.clone()).map_err(failed)?;
    // The Lease is given back last, when nothing writes any more.
    let resign = CancellationToken::new();
    let election = tokio::spawn(elector.run(resign.clone()));
    let ended = Parts { kube, writes, metrics, leadership }.supervise(settings, &stop).await;
    resign.cancel();
    // A Lease that can't be given back in time runs out by itself.
    let _ = tokio::time::timeout(GRACE, election).await;
    ended
}

struct Parts {
    kube: Client,
    writes: Client,
    metrics: Metrics,
    leadership: Leadership,
}

impl Parts {
    async fn supervise(self, settings: Settings, stop: &CancellationToken) -> Result<(), RunError> {
        let mut tasks = Supervisor::new(stop.clone());
        let wakes: Arc<Wakes> = Arc::default();
        let (of_resources, of_pods) = (Arc::clone(&wakes), Arc::clone(&wakes));
        let wake = move |resource: &VaultTransitUnseal| of_resources.resource(resource);
        let resources = self.follow("resources", &settings, stop, &mut tasks, wake);
        let pods = self.follow("pods", &settings, stop, &mut tasks, move |pod: &Pod| of_pods.pod(pod));
        let events: Arc<Events<ObjectReference>> = Arc::new(Events::new(self.metrics.events_dropped()));
        let clients = Clients::new(Options::new().with_allow_loopback(settings.allow_loopback));
        let initialiser = self.initialiser(&settings, &clients)?;
        let shared = Arc::new(Shared {
            eyes: Eyes {
                kube: in_turns(self.kube.clone()),
                clients: clients.clone(),
                require_label: settings.require_label,
            },
            hands: Hands {
                kube: in_turns(self.writes.clone()),
                metrics: self.metrics.clone(),
                events: Arc::clone(&events),
            },
            pods: pods.clone(),
            resources: resources.clone(),
            leadership: self.leadership.clone(),
            initialiser: initialiser.clone(),
            wakes,
            identities: Mutex::default(),
            gauges: Mutex::default(),
        });
        self.expose(&shared, clients);
        let readiness = readiness(resources, pods);
        let text = self.metrics.clone();
        let metrics = Server::metrics(settings.metrics_addr, move || text.text()).await?;
        let health = Server::health(settings.health_addr, tasks.liveness(), readiness).await?;
        tasks.spawn("metrics", metrics.run(stop.clone()));
        tasks.spawn("health", health.run(stop.clone()));
        let teller = Teller {
            client: self.writes.clone(),
            leadership: self.leadership.clone(),
            reporter: "holdfast.dev/vault-controller",
            instance: settings.pod.clone(),
            stop: stop.clone(),
        };
        tasks.spawn("events", async move {
            events.run(teller, |about| Some(about.clone()), || std::future::ready(())).await
        });
        if let Some(initialiser) = &initialiser {
            tasks.spawn("initialisations", carry_on(Arc::clone(&shared), initialiser.clone(), stop.clone()));
        }
        tasks.spawn("keepers", keep(Arc::clone(&shared), stop.clone()));
        let ended = tasks.run(GRACE).await;
        if let Some(initialiser) = initialiser {
            finish(&shared, &initialiser).await;
        }
        Ok(ended?)
    }

    /// With the client that writes whether we lead or not: whoever holds an answer stores it.
    fn initialiser(&self, settings: &Settings, clients: &Clients) -> Result<Option<Initialiser>, Trouble> {
        let Some(folder) = &settings.spool else { return Ok(None) };
        let spool = Spool::open(folder)?;
        let initialiser = Initialiser::new(self.kube.clone(), clients.clone(), spool, settings.require_label);
        for (namespace, name) in initialiser.unfinished() {
            tracing::info!(namespace, name, "an initialisation that isn't through is carried on with");
        }
        Ok(Some(initialiser))
    }

    /// Watches a kind in each namespace, and says what changed.
    fn follow<K>(
        &self,
        name: &'static str,
        settings: &Settings,
        stop: &CancellationToken,
        tasks: &mut Supervisor,
        changed: impl Fn(&K) + Clone + Send + 'static,
    ) -> Vec<Store<K>>
    where
        K: kube::Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>
            + Clone
            + std::fmt::Debug
            + serde::de::DeserializeOwned
            + Send
            + Sync
            + 'static,
    {
        let mut stores = Vec::new();
        for namespace in &settings.namespaces {
            let (store, writer) = reflector::store();
            stores.push(store);
            let api: Api<K> = Api::namespaced(self.kube.clone(), namespace);
            let stream = watcher(api, watcher::Config::default())
                .modify(|object| object.managed_fields_mut().clear())
                .default_backoff()
                .reflect(writer);
            let (stop, changed, namespace) = (stop.clone(), changed.clone(), namespace.clone());
            tasks.spawn(name, async move {
                let mut stream = std::pin::pin!(stream);
                loop {
                    let event = tokio::select! {
                        () = stop.cancelled() => return Ok::<_, Infallible>(()),
                        event = stream.next() => event,
                    };
                    match event {
                        Some(Ok(Event::Apply(object) | Event::InitApply(object) | Event::Delete(object))) => {
                            changed(&object)
                        }
                        Some(Ok(Event::Init | Event::InitDone)) => {}
                        Some(Err(error)) => {
                            tracing::warn!(kind = name, namespace, %error, "a watch failed and is begun anew")
                        }
                        None => return Ok(()),
                    }
                }
            });
        }
        stores
    }

    fn expose(&self, shared: &Arc<Shared>, clients: Clients) {
        let (shared, leadership) = (Arc::clone(shared), self.leadership.clone());
        self.metrics.read_from(move || Snapshot {
            resources: shared.gauges.lock().values().cloned().collect(),
            breakers: clients.open_breakers(),
            leader: leadership.is_leader(),
        });
    }
}

fn readiness(resources: Vec<Store<VaultTransitUnseal>>, pods: Vec<Store<Pod>>) -> Readiness {
    let listed = |ready: bool| if ready { Ok(()) } else { Err("not listed yet".to_owned()) };
    Readiness::default()
        .with("resources", move || listed(resources.iter().all(is_listed)))
        .with("pods", move || listed(pods.iter().all(is_listed)))
}

fn is_listed<K>(store: &Store<K>) -> bool
where
    K: kube::Resource<DynamicType = ()> + Clone + 'static,
{
    use futures::FutureExt as _;
    store.wait_until_ready().now_or_never().is_some_and(|ready| ready.is_ok())
}

/// Carries on with the initialisations whose answer is here while another leads, and gives back what was claimed here and not
/// sent; the leader's keepers do it otherwise.
async fn carry_on(shared: Arc<Shared>, initialiser: Initialiser, stop: CancellationToken) -> Result<(), Infallible> {
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(ROUND * 4) => {}
        }
        if shared.leadership.is_leader() {
            continue;
        }
        carry_on_once(&shared, &initialiser).await;
    }
}

/// One try for each answer that is here, and each claim that may be ours; whether there was any answer. Of two resources for one
/// server the older is heeded.
async fn carry_on_once(shared: &Shared, initialiser: &Initialiser) -> bool {
    let mut all: Vec<_> = shared.resources.iter().flat_map(Store::state).collect();
    all.sort_by_key(|resource| (resource.creation_timestamp().map(|time| time.0), resource.uid()));
    let (mut done, mut any) = (BTreeSet::new(), false);
    for resource in all {
        let Ok(settings) = crate::settings::Settings::try_from(&*resource) else { continue };
        let holds = initialiser.holds(&settings);
        if (holds || is_claimed(&resource)) && done.insert((settings.namespace.clone(), settings.target.set.clone())) {
            any |= holds;
            let order = Order::from(&*resource);
            let asked = Asked { settings: &settings, order: &order, view: None, sighting: None, leads: false };
            initialiser.advance(asked).await;
        }
    }
    any
}

/// Whether the leader says that somebody claimed its initialisation and came no further.
fn is_claimed(resource: &VaultTransitUnseal) -> bool {
    let known = resource.status.as_ref().and_then(|status| status.initialization.as_ref());
    known.is_some_and(|known| known.phase == Some(InitializationPhase::Claimed))
}

/// At the end of the process: what was begun is waited for, and what is held is tried until it is through or the time is over.
async fn finish(shared: &Shared, initialiser: &Initialiser) {
    let through = async {
        initialiser.drained().await;
        while carry_on_once(shared, initialiser).await {
            tokio::time::sleep(ROUND * 2).await;
        }
    };
    // What is left is told below.
    let _ = tokio::time::timeout(init::GRACE, through).await;
    for (namespace, name) in initialiser.unfinished() {
        tracing::warn!(
            namespace,
            name,
            "an initialisation isn't through; whoever starts with this spool carries on with it"
        );
    }
}

/// One keeper for each resource, while we lead.
async fn keep(shared: Arc<Shared>, stop: CancellationToken) -> Result<(), Infallible> {
    let mut keepers: BTreeMap<Key, CancellationToken> = BTreeMap::new();
    let mut tasks = JoinSet::new();
    loop {
        let wanted = wanted(&shared);
        // Before anybody looks: the younger of two gives way to an older one that wasn't looked at yet.
        {
            let mut identities = shared.identities.lock();
            identities.retain(|key, _| wanted.contains_key(key));
            for (key, resource) in &wanted {
                identities.entry(key.clone()).or_insert_with(|| Identity::of(resource));
            }
        }
        keepers.retain(|key, keeper| {
            let stays = wanted.contains_key(key) && !keeper.is_cancelled();
            if !stays {
                keeper.cancel();
            }
            stays
        });
        let mut after = Duration::ZERO;
        for key in wanted.into_keys() {
            if keepers.contains_key(&key) {
                continue;
            }
            let ends = stop.child_token();
            let keeper = Keeper::new(Arc::clone(&shared), key.clone());
            let told = ends.clone();
            tasks.spawn(async move {
                told.run_until_cancelled(tokio::time::sleep(after)).await;
                keeper.run(told.clone()).await;
                // One that ends by itself is begun anew when its resource is there again.
                told.cancel();
            });
            keepers.insert(key, ends);
            after += APART;
        }
        while tasks.try_join_next().is_some() {}
        shared.eyes.clients.forget_unused();
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(ROUND) => {}
        }
    }
    while tasks.join_next().await.is_some() {}
    Ok(())
}

/// The resources that are to be kept: none while another leads, and in a namespace none before its pods are listed. One that may
/// not be read, or is gone, keeps nobody elsewhere from being kept.
fn wanted(shared: &Shared) -> BTreeMap<Key, Arc<VaultTransitUnseal>> {
    if !shared.leadership.is_leader() {
        return BTreeMap::new();
    }
    let namespaces = shared.resources.iter().zip(&shared.pods).filter(|(_, pods)| is_listed(pods));
    let all = namespaces.flat_map(|(resources, _)| resources.state());
    all.filter_map(|resource| Some(((resource.namespace()?, resource.name_any()), resource))).collect()
}
