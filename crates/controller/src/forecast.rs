//! The drain forecast: made anew where something changed, judged by the gate, told in the status of the DrainReadiness.
//!
//! Every replica forecasts, so that whoever takes over knows at once; the leader writes. What a forecast means is decided in
//! `policy::drain`; here is only when to make one, and when to tell. Closing the gate is told at once, anything else at most
//! once a second. A view that isn't in step closes the gate too.

use std::sync::Arc;
use std::time::Duration;

use holdfast_api::DrainReadiness;
use holdfast_model::Kind;
use holdfast_policy::drain::gate::{Gate, Reading, Settings};
use holdfast_policy::drain::{Keeper, Verdict};
use holdfast_runtime::backoff::Exponential;
use holdfast_runtime::failure::{Class, Failure, said};
use holdfast_runtime::lease::{Heartbeat, Leadership};
use jiff::Timestamp;
use kube::Client;
use kube::api::{Api, Patch, PatchParams, PostParams};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::access::Source;
use crate::metrics::{Metrics, Verb};
use crate::status::FIELD_MANAGER;
use crate::status::readiness::{self, Outlook};
use crate::upgrade::{Forecasted, Upgrades};
use crate::view::{KnownReadiness, Lag, View};

/// The concern, as it is written in metrics.
pub(crate) const CONCERN: &str = "drain";
/// How long changes are collected before a forecast.
const SETTLE: Duration = Duration::from_millis(100);
/// A forecast is followed by so many times as long without one: a large cluster in which something happens all the time
/// leaves the processor to the rest.
const REST: u32 = 4;
/// While something changes everything is forecast anew so often: in between, what the other namespaces leave of the room is as
/// it was.
const WHOLE: Duration = Duration::from_secs(10);
/// Statuses are written at most this often, unless the gate closes.
const PACE: Duration = Duration::from_secs(1);
/// How long the view may be out of step before the gate closes.
const STALE: Duration = Duration::from_secs(10);
/// How long a kind of upgrades may be out of step, while all the rest is in step, before that is told: longer than the longest
/// wait of a watch after an outage.
const UNSEEN: Duration = Duration::from_secs(45);
/// How often it is looked whether the view is in step.
const LOOK: Duration = Duration::from_secs(2);
/// How long one write may take.
const ANSWER: Duration = Duration::from_secs(5);
/// How long after a write that failed.
const RETRY: Exponential = Exponential::new(PACE, Duration::from_secs(15));

/// What the gauges show.
#[derive(Debug, Default)]
pub(crate) struct Gauged(Mutex<(bool, Vec<(Verdict, usize)>)>);

impl Gauged {
    /// Whether the gate is open, and how many nodes have each verdict.
    pub(crate) fn read(&self) -> (bool, Vec<(Verdict, usize)>) {
        self.0.lock().clone()
    }
}

/// Forecasts, and tells.
pub(crate) struct Forecaster {
    parts: Parts,
    keeper: Keeper,
    /// When everything has to be forecast anew, since only parts of it have been.
    whole: Option<Instant>,
    gate: Option<Gate>,
    outlook: Option<Outlook>,
    /// When something would be judged otherwise though nothing changed.
    recheck: Option<Instant>,
    /// Kinds of upgrades that couldn't be seen when it was looked at last.
    unseen: Vec<Kind>,
    /// Since when the view has been in step.
    seeing: Instant,
    /// Whether the view was out of step when it was looked at last.
    blind: bool,
    /// When to try to write what couldn't be written yet.
    retell: Option<Instant>,
    /// Not before then is a status written that doesn't close the gate, or any after a failure.
    next_write: Instant,
    failed: Option<Instant>,
    failures: u32,
}

/// What the forecaster works with.
pub(crate) struct Parts {
    pub(crate) client: Client,
    pub(crate) view: Arc<View>,
    pub(crate) leadership: Leadership,
    pub(crate) heartbeat: Heartbeat,
    pub(crate) metrics: Metrics,
    pub(crate) gauged: Arc<Gauged>,
    pub(crate) upgrades: Arc<Upgrades>,
    pub(crate) stop: CancellationToken,
}

/// A write that is due.
enum Due {
    Create,
    Status { apply: Value, closes: bool },
}

impl Forecaster {
    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            parts,
            keeper: Keeper::default(),
            whole: None,
            gate: None,
            outlook: None,
            recheck: None,
            unseen: Vec::new(),
            seeing: Instant::now(),
            blind: true,
            retell: None,
            next_write: Instant::now(),
            failed: None,
            failures: 0,
        }
    }

    /// Runs until told to stop.
    pub(crate) async fn run(mut self) -> Result<(), std::convert::Infallible> {
        let mut rested = Instant::now();
        loop {
            let next = [self.recheck, self.retell, self.whole, Some(Instant::now() + LOOK)].into_iter().flatten().min();
            let changed = tokio::select! {
                biased;
                () = self.parts.stop.cancelled() => return Ok(()),
                () = self.parts.view.forecast.changed.notified() => {
                    sleep_until(rested.max(Instant::now() + SETTLE)).await;
                    true
                }
                _ = self.parts.leadership.changed() => true,
                () = sleep_until(next.unwrap_or_else(Instant::now)) => false,
            };
            let (ticket, begun) = (self.parts.heartbeat.begin(), Instant::now());
            self.look(changed);
            rested = Instant::now() + begun.elapsed() * REST;
            self.tell().await;
            self.parts.heartbeat.completed(ticket);
        }
    }

    /// What can be told now. A forecast is made only when something is different: in a quiet cluster none.
    fn look(&mut self, changed: bool) {
        let view = &self.parts.view;
        let lags = view.forecast_lags();
        if !lags.is_empty() || !view.is_synced(Source::DrainReadiness) {
            self.lose_sight(&lags);
            return;
        }
        let is_due = |at: Option<Instant>| at.is_some_and(|at| at <= Instant::now());
        let whole = self.blind || is_due(self.whole);
        let unseen = if self.seeing.elapsed() < UNSEEN { Vec::new() } else { view.unseen_upgrades(UNSEEN) };
        if !(changed || whole || is_due(self.recheck) || self.unseen != unseen) {
            return;
        }
        (self.blind, self.recheck) = (false, None);
        // Before reading: what changes in between is forecast once more.
        let mut stirred = view.forecast.take();
        stirred.all |= whole;
        let now = Timestamp::now();
        let begun = Instant::now();
        let leads = self.parts.leadership.is_leader();
        let settled = view.unseen_upgrades(Duration::ZERO) == unseen;
        let (keeper, upgrades) = (&mut self.keeper, &self.parts.upgrades);
        let (reading, look) = view.read(|facts| {
            let default = Settings::default();
            let settings = match facts.readiness.get() {
                Some(KnownReadiness::Decoded { settings: Ok(settings), .. }) => settings,
                Some(KnownReadiness::Decoded { settings: Err(_), .. } | KnownReadiness::Unreadable { .. }) | None => {
                    &default
                }
            };
            if keeper.drainer() != settings.drainer {
                *keeper = Keeper::new(settings.drainer);
                stirred.all = true;
            }
            stirred.namespaces.extend(keeper.due(now).cloned());
            if stirred.all {
                keeper.make(&facts.cluster, now);
            } else if !stirred.namespaces.is_empty() {
                keeper.update(&facts.cluster, &stirred.namespaces, now);
            }
            let forecasted = Forecasted { nodes: &keeper.forecast().nodes, settings, unseen: &unseen, settled };
            let look = upgrades.look(facts, &forecasted, leads, now);
            (Reading::new(&facts.cluster, keeper.forecast(), settings, now), look)
        });
        self.unseen = unseen;
        if stirred.all {
            self.whole = None;
        } else if !stirred.namespaces.is_empty() {
            self.whole.get_or_insert(begun + WHOLE);
        }
        self.parts.metrics.planned(CONCERN, begun.elapsed());
        let gate = self.gate.get_or_insert_with(|| Gate::left(was_open(view)));
        let judgement = gate.judge(&reading, now);
        let rechecks = [judgement.recheck_at, look.recheck_at, self.keeper.recheck_at()];
        self.recheck = rechecks.into_iter().flatten().min().map(|at| {
            let wait = Duration::try_from(at.duration_since(now)).unwrap_or_default();
            Instant::now() + wait + Duration::from_millis(1)
        });
        *self.parts.gauged.0.lock() =
            (judgement.drainable, Verdict::ALL.map(|verdict| (verdict, reading.count(verdict))).to_vec());
        self.outlook =
            Some(Outlook::Seen { reading, judgement, upgrade: look.upgrade.map(Box::new), settled: look.settled });
    }

    /// A connection that is made again at once closes nothing; a view that stays out of step does.
    fn lose_sight(&mut self, lags: &[Lag]) {
        (self.blind, self.recheck) = (true, None);
        self.seeing = Instant::now();
        if lags.iter().any(|lag| STALE <= lag.age) {
            let names = lags.iter().map(|lag| lag.source.as_str()).collect::<Vec<_>>().join(", ");
            self.outlook = Some(Outlook::Stale(names));
            self.gate = Some(Gate::default());
            self.parts.gauged.0.lock().0 = false;
        }
    }

    /// Writes what is due, if we lead and it is time.
    async fn tell(&mut self) {
        self.retell = None;
        if !self.parts.leadership.is_leader() {
            return;
        }
        let Some(due) = self.due() else { return };
        let now = Instant::now();
        let may = match &due {
            Due::Status { closes: true, .. } => self.failed.is_none_or(|at| at <= now),
            Due::Status { closes: false, .. } | Due::Create => {
                self.next_write <= now && self.failed.is_none_or(|at| at <= now)
            }
        };
        if !may {
            self.retell = self.failed.max(Some(self.next_write));
            return;
        }
        self.next_write = now + PACE;
        let (verb, result) = match due {
            Due::Create => (Verb::Create, timeout(ANSWER, create(&self.parts.client)).await),
            Due::Status { apply, .. } => (Verb::PatchStatus, timeout(ANSWER, patch(&self.parts.client, &apply)).await),
        };
        let failure = match result {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some((Failure::of(&error), said(&error))),
            Err(_) => Some((Failure::Unanswered, "no answer in time".to_owned())),
        };
        self.parts.metrics.wrote(CONCERN, verb, failure.as_ref().map(|(failure, _)| failure));
        self.note(failure);
    }

    fn note(&mut self, failure: Option<(Failure, String)>) {
        let Some((failure, error)) = failure else {
            (self.failed, self.failures) = (None, 0);
            return;
        };
        let floor = match failure.class() {
            Class::Wait(wait) => wait,
            Class::Retry | Class::Conflict | Class::Forbidden | Class::Terminal => Duration::ZERO,
        };
        if !matches!(failure, Failure::NotFound | Failure::Exists) {
            tracing::warn!(error, "the drain forecast could not be told");
        }
        let at = Instant::now() + RETRY.wait(self.failures).max(floor);
        (self.failed, self.retell) = (Some(at), Some(at));
        self.failures = self.failures.saturating_add(1);
    }

    fn due(&self) -> Option<Due> {
        let outlook = self.outlook.as_ref()?;
        self.parts.view.read(|facts| match facts.readiness.get() {
            None => self.parts.view.is_synced(Source::DrainReadiness).then_some(Due::Create),
            Some(known) => {
                let apply = readiness::due(known, outlook, Timestamp::now())?;
                let closes = is_open(known) && apply["status"]["drainable"] != true;
                Some(Due::Status { apply, closes })
            }
        })
    }
}

fn was_open(view: &View) -> bool {
    view.read(|facts| facts.readiness.get().is_some_and(is_open))
}

fn is_open(known: &KnownReadiness) -> bool {
    match known {
        KnownReadiness::Decoded { raw, .. } => raw.status.as_ref().is_some_and(|status| status.drainable),
        KnownReadiness::Unreadable { .. } => false,
    }
}

async fn create(client: &Client) -> kube::Result<()> {
    let api: Api<DrainReadiness> = Api::all(client.clone());
    api.create(
        &PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() },
        &readiness::first(),
    )
    .await
    .map(drop)
}

async fn patch(client: &Client, apply: &Value) -> kube::Result<()> {
    let api: Api<DrainReadiness> = Api::all(client.clone());
    let params = PatchParams::apply(FIELD_MANAGER);
    api.patch_status(holdfast_api::CLUSTER, &params, &Patch::Apply(apply)).await.map(drop)
}
