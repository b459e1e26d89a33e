//! Wires the controller up and runs it until it is told to stop, or one of its tasks ends.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use holdfast_model::Text;
use holdfast_pod_security::Level;
use holdfast_policy::RuleId;
use holdfast_policy::Severity;
use holdfast_policy::disruption::WorkloadState;
use holdfast_policy::drain::Verdict;
use holdfast_runtime::connections::{self, Doubts};
use holdfast_runtime::lease::{self, Elector, Leadership};
use holdfast_runtime::server::{BindError, Readiness, Server};
use holdfast_runtime::supervise::{Supervisor, TaskEnded};
use kube::{Client, Config};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::access::Source;
use crate::act::{self, Queue, Worker};
use crate::decide::{Engine, Parts};
use crate::forecast::{self, Forecaster, Gauged};
use crate::lease::{Pulse, candidacy};
use crate::metrics::{Dimensions, Metrics};
use crate::observe::Observer;
use crate::permissions::Permissions;
use crate::pod_security::{self, Raiser};
use crate::status::{Board, Events, Teller, Writer};
use crate::upgrade::Upgrades;
use crate::view::View;

/// How long tasks get to end by themselves.
const GRACE: Duration = Duration::from_secs(10);
/// How old the leader's heartbeat may be before no replica counts as ready.
const HEARTBEAT: Duration = Duration::from_secs(30);
/// For how long after the start nobody asks for a heartbeat.
const FIRST: Duration = Duration::from_secs(60);

/// How the controller runs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The version, for metrics and requests.
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
    /// How long withdrawals wait that no policy change explains.
    pub brake_delay: Duration,
}

/// Why the controller ended.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The configuration of the client makes no sense.
    #[error("the Kubernetes client can't be made")]
    Client(#[source] Box<kube::Error>),
    /// An address is taken.
    #[error(transparent)]
    Bind(Box<dyn std::error::Error + Send + Sync>),
    /// A part of it ended by itself.
    #[error(transparent)]
    Task(Box<dyn std::error::Error + Send + Sync>),
}

/// Runs until `stop` is cancelled.
///
/// # Errors
/// When an address is taken, or a task ends by itself.
pub async fn run(config: Config, settings: Settings, stop: CancellationToken) -> Result<(), RunError> {
    let metrics = Metrics::new(&dimensions(settings.version));
    let doubts = Doubts::default();
    let client = connections::client(config.clone(), metrics.requests(), &doubts)
        .map_err(|error| RunError::Client(Box::new(error)))?;
    let pulse = Pulse::default();
    let view = Arc::new(View::new(pulse.clone()));
    // The Lease is given back last, when nothing writes any more.
    let resign = CancellationToken::new();
    let candidacy = candidacy(&settings.lease_namespace, lease::identity(&settings.pod));
    let elector = Elector::new(client.clone(), candidacy, settings.leader_elect, pulse.hearts());
    let leadership = elector.leadership();
    let writes = connections::of_leader(config, metrics.requests(), &doubts, leadership.clone());
    let writes = writes.map_err(|error| RunError::Client(Box::new(error)))?;
    let events = Arc::new(Events::new(metrics.events_dropped()));
    let shared = Shared {
        upgrades: Arc::new(Upgrades::new(Arc::clone(&events))),
        events,
        permissions: Arc::new(Permissions::new()),
        queue: Arc::new(Queue::default()),
        client,
        writes,
        metrics,
        pulse,
        gauged: Arc::default(),
        view,
        leadership,
    };
    let election = tokio::spawn(elector.run(resign.clone()));
    let ended = shared.supervise(&settings, &stop).await;
    resign.cancel();
    // A Lease that can't be given back in time runs out by itself.
    let _ = tokio::time::timeout(GRACE, election).await;
    ended
}

/// What the tasks have in common.
struct Shared {
    client: Client,
    /// Sends as long as we lead.
    writes: Client,
    metrics: Metrics,
    pulse: Pulse,
    /// What the gauges show of the drain forecast.
    gauged: Arc<Gauged>,
    upgrades: Arc<Upgrades>,
    view: Arc<View>,
    leadership: Leadership,
    events: Arc<Events>,
    permissions: Arc<Permissions>,
    queue: Arc<Queue>,
}

impl Shared {
    async fn supervise(self, settings: &Settings, stop: &CancellationToken) -> Result<(), RunError> {
        let mut supervisor = Supervisor::new(stop.clone());
        let board = Arc::new(Board::new(Arc::clone(&self.events)));
        self.serve(settings, stop, &mut supervisor).await.map_err(|error| RunError::Bind(Box::new(error)))?;
        self.expose(Arc::clone(&board));
        let relists = Observer {
            client: self.client.clone(),
            view: Arc::clone(&self.view),
            metrics: self.metrics.clone(),
            supervisor: &mut supervisor,
            stop: stop.clone(),
        }
        .start();
        self.spawn_deciding(settings, stop, &mut supervisor, &board, relists);
        self.spawn_telling(settings, stop, &mut supervisor, board);
        supervisor.run(GRACE).await.map_err(|error: TaskEnded| RunError::Task(Box::new(error)))
    }

    async fn serve(
        &self,
        settings: &Settings,
        stop: &CancellationToken,
        tasks: &mut Supervisor,
    ) -> Result<(), BindError> {
        let shown = self.metrics.clone();
        let metrics = Server::metrics(settings.metrics_addr, move || shown.encode()).await?;
        let health = Server::health(settings.health_addr, tasks.liveness(), self.readiness()).await?;
        tasks.spawn("metrics", metrics.run(stop.clone()));
        tasks.spawn("health", health.run(stop.clone()));
        Ok(())
    }

    fn spawn_deciding(
        &self,
        settings: &Settings,
        stop: &CancellationToken,
        tasks: &mut Supervisor,
        board: &Arc<Board>,
        relists: Vec<crate::observe::watch::Relist>,
    ) {
        let (sender, outcomes) = mpsc::unbounded_channel();
        let engine = Engine::new(Parts {
            view: Arc::clone(&self.view),
            queue: Arc::clone(&self.queue),
            board: Arc::clone(board),
            permissions: Arc::clone(&self.permissions),
            upgrades: Arc::clone(&self.upgrades),
            leadership: self.leadership.clone(),
            heartbeat: self.pulse.decide.clone(),
            metrics: self.metrics.clone(),
            relists,
            outcomes,
            stop: stop.clone(),
            brake_delay: settings.brake_delay,
        });
        tasks.spawn("decide", engine.run());
        for _ in 0..act::WRITERS {
            let worker = Worker {
                client: self.writes.clone(),
                queue: Arc::clone(&self.queue),
                view: Arc::clone(&self.view),
                leadership: self.leadership.clone(),
                metrics: self.metrics.clone(),
                outcomes: sender.clone(),
                stop: stop.clone(),
            };
            tasks.spawn("act", worker.run());
        }
        let (permissions, client) = (Arc::clone(&self.permissions), self.client.clone());
        let (leadership, stop) = (self.leadership.clone(), stop.clone());
        tasks.spawn("permissions", async move { permissions.run(client, leadership, stop).await });
    }

    fn spawn_telling(&self, settings: &Settings, stop: &CancellationToken, tasks: &mut Supervisor, board: Arc<Board>) {
        let writer = Writer {
            client: self.writes.clone(),
            view: Arc::clone(&self.view),
            board: Arc::clone(&board),
            permissions: Arc::clone(&self.permissions),
            leadership: self.leadership.clone(),
            metrics: self.metrics.clone(),
            stop: stop.clone(),
        };
        tasks.spawn("status", writer.run());
        let forecaster = Forecaster::new(forecast::Parts {
            client: self.writes.clone(),
            view: Arc::clone(&self.view),
            leadership: self.leadership.clone(),
            heartbeat: self.pulse.forecast.clone(),
            metrics: self.metrics.clone(),
            gauged: Arc::clone(&self.gauged),
            upgrades: Arc::clone(&self.upgrades),
            stop: stop.clone(),
        });
        tasks.spawn("forecast", forecaster.run());
        let raiser = Raiser::new(pod_security::Parts {
            client: self.client.clone(),
            writes: self.writes.clone(),
            view: Arc::clone(&self.view),
            board,
            events: Arc::clone(&self.events),
            permissions: Arc::clone(&self.permissions),
            upgrades: Arc::clone(&self.upgrades),
            leadership: self.leadership.clone(),
            metrics: self.metrics.clone(),
            stop: stop.clone(),
            brake_delay: settings.brake_delay,
            own: Text::from(&settings.lease_namespace),
        });
        tasks.spawn("pod-security", raiser.run());
        let teller = Teller {
            client: self.writes.clone(),
            view: Arc::clone(&self.view),
            queue: Arc::clone(&self.queue),
            leadership: self.leadership.clone(),
            instance: settings.pod.clone(),
            stop: stop.clone(),
        };
        let events = Arc::clone(&self.events);
        tasks.spawn("events", async move { events.run(teller).await });
    }

    /// Every replica, also one that waits: the view in step, and somebody who decides.
    fn readiness(&self) -> Readiness {
        let (view, leadership) = (Arc::clone(&self.view), self.leadership.clone());
        let started = tokio::time::Instant::now();
        let in_step = move || {
            let lags = view.lags();
            let names: Vec<_> = lags.iter().map(|lag| lag.source.as_str()).collect();
            if names.is_empty() { Ok(()) } else { Err(format!("not in step: {}", names.join(", "))) }
        };
        let decided = move || {
            let age = leadership.heartbeat_age();
            if started.elapsed() < FIRST || age < HEARTBEAT {
                return Ok(());
            }
            let holder = leadership.holder().unwrap_or_else(|| "nobody".to_owned());
            let trouble = leadership.trouble().map(|trouble| format!("; {trouble}")).unwrap_or_default();
            Err(format!("no heartbeat of the leader ({holder}) for {} seconds{trouble}", age.as_secs()))
        };
        Readiness::default().with("view", in_step).with("leader", decided)
    }

    /// The gauges are read from the view when somebody looks.
    fn expose(&self, board: Arc<Board>) {
        let (view, queue, leadership) = (Arc::clone(&self.view), Arc::clone(&self.queue), self.leadership.clone());
        let (gauged, upgrades) = (Arc::clone(&self.gauged), Arc::clone(&self.upgrades));
        self.metrics.read_from(move |snapshot| {
            for source in Source::all() {
                let (objects, unreadable) = view.count(source);
                snapshot.view(source.as_str(), view.is_synced(source), objects, unreadable);
            }
            for ((rule, severity), count) in board.findings() {
                snapshot.findings(rule.id(), severity.as_str(), count);
            }
            for (state, count) in board.states() {
                snapshot.workloads(act::CONCERN, state.as_str(), count);
            }
            snapshot.stale(!view.is_trusted());
            snapshot.leader(leadership.is_leader());
            snapshot.queues(queue.len(), view.waiting());
            snapshot.brake(act::CONCERN, board.is_braked());
            snapshot.freeze(act::CONCERN, board.frozen().is_some());
            snapshot.brake(pod_security::CONCERN, board.braked_levels().is_some());
            let levels = board.levels();
            for level in Level::ALL {
                snapshot.level(level.name(), levels.get(&level).copied().unwrap_or(0));
            }
            let (in_progress, stuck) = upgrades.gauged();
            snapshot.upgrade(in_progress, stuck);
            let (drainable, nodes) = gauged.read();
            snapshot.drainable(drainable);
            nodes.into_iter().for_each(|(verdict, count)| snapshot.nodes(verdict.as_str(), count));
        });
    }
}

fn dimensions(version: &'static str) -> Dimensions {
    let severities = |rule: &RuleId| Severity::ALL.map(|severity| (rule.id(), severity.as_str()));
    Dimensions {
        version,
        kinds: Source::all().map(Source::as_str).collect(),
        concerns: vec![act::CONCERN, crate::status::CONCERN, forecast::CONCERN, pod_security::CONCERN],
        managing: vec![act::CONCERN],
        braking: vec![act::CONCERN, pod_security::CONCERN],
        levels: Level::ALL.map(Level::name).to_vec(),
        verdicts: Verdict::ALL.map(Verdict::as_str).to_vec(),
        rules: RuleId::ALL.iter().flat_map(severities).collect(),
        workload_states: WorkloadState::ALL.map(WorkloadState::as_str).to_vec(),
    }
}
