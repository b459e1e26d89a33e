//! The engine: plans what was touched, compares with what is under way, and hands the difference to the writers.
//!
//! One pass reads observe, decide, act, report. What to do about a workload is decided in `policy`; here is only when to
//! plan (at once, then after a debounce), and what is already on its way. The view is the only truth: a write counts as
//! seen when its own watch event has returned, and until then its object isn't written again ([`Expected`]).

mod expected;
mod recheck;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use holdfast_model::{ObjectKey, Text, Touched};
use holdfast_policy::disruption::{Brake, Braking, Write};
use holdfast_policy::{Policies, plan_namespace};
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use expected::Expected;
use recheck::Recheck;

use crate::act::{self, Job, Outcome, Queue, Refusal, Written};
use crate::backoff::{Backoff, Exponential};
use crate::lease::{Heartbeat, Leadership};
use crate::metrics::{Metrics, Passed};
use crate::observe::watch::Relist;
use crate::permissions::Permissions;
use crate::status::{Act, Board};
use crate::view::{KnownPolicy, Taken, View};
use crate::write::Class;

/// After a pass further events are collected for this long.
const DEBOUNCE: Duration = Duration::from_millis(10);
/// How long a namespace with failed writes waits at least and at most.
const RETRY: Exponential = Exponential::new(Duration::from_millis(250), Duration::from_secs(60));
/// How long an object waits whose write can't succeed as things are.
const HOPELESS: Duration = Duration::from_secs(60);
/// How many objects a back-off is remembered for.
const REMEMBERED: usize = 4096;
/// How long a namespace waits that didn't fit into the queue.
const OVERFLOW: Duration = Duration::from_secs(1);

/// What the engine works with.
pub(crate) struct Engine {
    pub(crate) view: Arc<View>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) board: Arc<Board>,
    pub(crate) permissions: Arc<Permissions>,
    pub(crate) leadership: Leadership,
    pub(crate) heartbeat: Heartbeat,
    pub(crate) metrics: Metrics,
    pub(crate) relists: Vec<Relist>,
    pub(crate) outcomes: mpsc::UnboundedReceiver<Outcome>,
    pub(crate) stop: CancellationToken,
    state: State,
}

/// What the engine remembers between passes.
struct State {
    expected: Expected,
    recheck: Recheck,
    backoff: Backoff<ObjectKey>,
    brake: Brake,
    /// Withdrawals that the brake would hold, by namespace.
    braked: BTreeMap<Text, usize>,
    /// Namespaces of which a write was left out because one was under way.
    deferred: BTreeSet<Text>,
    policies: Option<Arc<Policies>>,
    /// Sources of which a fresh list is awaited for the brake, with the time of asking.
    looking: Option<Instant>,
    leads: bool,
}

/// The writes of one namespace, before they are filtered.
struct Proposed {
    namespace: Text,
    since: Instant,
    writes: Vec<Write>,
}

/// Everything an engine is made of.
pub(crate) struct Parts {
    pub(crate) view: Arc<View>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) board: Arc<Board>,
    pub(crate) permissions: Arc<Permissions>,
    pub(crate) leadership: Leadership,
    pub(crate) heartbeat: Heartbeat,
    pub(crate) metrics: Metrics,
    pub(crate) relists: Vec<Relist>,
    pub(crate) outcomes: mpsc::UnboundedReceiver<Outcome>,
    pub(crate) stop: CancellationToken,
    pub(crate) brake_delay: Duration,
}

impl Engine {
    pub(crate) fn new(parts: Parts) -> Self {
        let delay = jiff::SignedDuration::try_from(parts.brake_delay).unwrap_or(jiff::SignedDuration::MAX);
        let state = State {
            expected: Expected::default(),
            recheck: Recheck::default(),
            backoff: Backoff::new(RETRY, REMEMBERED),
            brake: Brake::new(delay),
            braked: BTreeMap::new(),
            deferred: BTreeSet::new(),
            policies: None,
            looking: None,
            leads: false,
        };
        let Parts { view, queue, board, permissions, leadership, heartbeat, metrics, relists, outcomes, stop, .. } =
            parts;
        Self { view, queue, board, permissions, leadership, heartbeat, metrics, relists, outcomes, stop, state }
    }

    /// Runs until told to stop.
    pub(crate) async fn run(mut self) -> Result<(), std::convert::Infallible> {
        let mut last_pass: Option<Instant> = None;
        loop {
            if self.stop.is_cancelled() {
                return Ok(());
            }
            self.wait(last_pass).await;
            while let Ok(outcome) = self.outcomes.try_recv() {
                self.ended(outcome);
            }
            self.touch_what_is_due();
            if self.is_due() {
                self.pass();
                last_pass = Some(Instant::now());
            }
        }
    }

    /// Whether something waits and can be decided about.
    fn is_due(&self) -> bool {
        0 < self.view.waiting() && self.view.is_trusted()
    }

    /// Waits for an event, an outcome, a time or the end; then, soon after a pass, for what comes with it.
    async fn wait(&mut self, last_pass: Option<Instant>) {
        let settled = last_pass.map(|last| last + DEBOUNCE).filter(|settled| Instant::now() < *settled);
        if self.is_due() {
            if let Some(settled) = settled {
                sleep_until(settled).await;
            }
            return;
        }
        let next = self.state.recheck.next(Instant::now());
        tokio::select! {
            biased;
            () = self.stop.cancelled() => {}
            Some(outcome) = self.outcomes.recv() => self.ended(outcome),
            () = self.view.changed.notified() => {}
            _ = self.leadership.changed() => self.leading(),
            () = self.permissions.changed() => self.view.touch(Touched::All),
            () = sleep_until(next) => {}
        }
    }

    /// Won or lost: everything is looked at again, with other consequences.
    fn leading(&mut self) {
        let leads = self.leadership.is_leader();
        if leads != self.state.leads {
            self.state.leads = leads;
            self.state.expected = Expected::default();
            self.queue.clear();
            self.view.touch(Touched::All);
        }
    }

    fn touch_what_is_due(&mut self) {
        let due = self.state.recheck.take_due(Instant::now());
        if !due.is_empty() {
            self.view.touch(Touched::Namespaces(due));
        }
    }

    /// One pass over what was touched: the only place where the steps meet.
    fn pass(&mut self) {
        let (started, ticket) = (Instant::now(), self.heartbeat.begin());
        self.leading();
        let taken = self.view.take();
        let policies = self.policies();
        let proposed = self.decide(taken, &policies, Timestamp::now());
        self.act(proposed, Timestamp::now());
        self.board.changed();
        self.heartbeat.completed(ticket);
        self.metrics.passed(Passed::Success, started.elapsed());
    }

    /// The policies in force; a change of them explains what follows.
    fn policies(&mut self) -> Arc<Policies> {
        let policies = self.view.read(|facts| facts.policies.parsed());
        let changed = match &self.state.policies {
            Some(known) => **known != *policies,
            None => self.view.read(|facts| facts.policies.policies().any(|(_, policy)| is_new(policy))),
        };
        if changed {
            self.state.brake.explain(Timestamp::now());
        }
        self.state.policies = Some(Arc::clone(&policies));
        policies
    }

    /// Plans each namespace that was touched; the others stay as they were judged.
    fn decide(&mut self, taken: Taken, policies: &Policies, now: Timestamp) -> Vec<Proposed> {
        if taken.all {
            let gone = self.view.read(|facts| self.board.forget_others(|name| facts.cluster.namespace(name).is_some()));
            gone.iter().for_each(|namespace| self.forget(namespace));
        }
        taken
            .namespaces
            .into_iter()
            .filter_map(|(namespace, since)| self.plan(namespace, since, policies, now))
            .collect()
    }

    fn plan(&mut self, namespace: Text, since: Instant, policies: &Policies, now: Timestamp) -> Option<Proposed> {
        let started = Instant::now();
        let plan = self.view.read(|facts| {
            let view = facts.cluster.namespace(&namespace)?;
            self.state.expected.settle(view);
            Some(plan_namespace(view, policies, now))
        });
        let Some(plan) = plan else {
            self.board.forget(&namespace);
            self.forget(&namespace);
            return None;
        };
        self.metrics.planned(act::CONCERN, started.elapsed());
        if let Some(at) = plan.recheck_at {
            self.state.recheck.at(namespace.clone(), until(at, now));
        }
        let writes = self.board.report(plan, self.state.leads);
        Some(Proposed { namespace, since, writes })
    }

    fn forget(&mut self, namespace: &Text) {
        self.state.braked.remove(namespace);
        self.state.deferred.remove(namespace);
        self.queue.replace(namespace, Vec::new());
    }

    /// Hands over what isn't under way, held back or forbidden.
    fn act(&mut self, proposed: Vec<Proposed>, now: Timestamp) {
        for Proposed { namespace, writes, .. } in &proposed {
            let braked = writes.iter().filter(|write| is_braked(write)).count();
            if braked == 0 {
                self.state.braked.remove(namespace)
            } else {
                self.state.braked.insert(namespace.clone(), braked)
            };
        }
        let held = self.brake(now);
        if !self.state.leads || !self.permissions.may_write() {
            self.queue.clear();
            return;
        }
        for Proposed { namespace, since, writes } in proposed {
            let jobs = self.jobs(&namespace, since, writes, held, now);
            if 0 < self.queue.replace(&namespace, jobs) {
                self.metrics.overflowed();
                self.state.recheck.at(namespace, Instant::now() + OVERFLOW);
            }
        }
    }

    fn jobs(&mut self, namespace: &Text, since: Instant, writes: Vec<Write>, held: bool, now: Timestamp) -> Vec<Job> {
        let moment = Instant::now();
        let mut jobs = Vec::with_capacity(writes.len());
        for write in writes.into_iter().filter(|write| !(held && is_braked(write))) {
            if self.queue.is_under_way(write.key()) || self.state.expected.awaits(write.key(), moment) {
                self.state.deferred.insert(namespace.clone());
                self.state.recheck.at(namespace.clone(), moment + expected::PATIENCE);
                continue;
            }
            if let Some(at) = self.state.backoff.ready_at(write.key(), moment) {
                self.state.recheck.at(namespace.clone(), at);
                continue;
            }
            if is_braked(&write) {
                self.state.brake.withdrew(1, now);
            }
            jobs.push(Job { write, since });
        }
        jobs
    }

    /// Whether withdrawals that nothing explains are held back.
    fn brake(&mut self, now: Timestamp) -> bool {
        if self.state.looking.is_some_and(|asked| self.view.is_listed_since(asked)) {
            self.state.looking = None;
            self.state.brake.looked();
        }
        let pending = self.state.braked.values().sum();
        let was_engaged = self.state.brake.is_engaged();
        let braking = self.state.brake.judge(pending, self.board.owned(), now);
        let engaged = self.state.brake.is_engaged();
        self.board.brake(engaged.then_some(pending));
        match braking {
            Braking::Go => {
                if was_engaged {
                    self.view.touch(Touched::Namespaces(self.state.braked.keys().cloned().collect()));
                }
                false
            }
            Braking::Hold(at) => {
                self.recheck_braked(until(at, now));
                true
            }
            Braking::Look => {
                self.state.looking = Some(Instant::now());
                self.relists.iter().for_each(Relist::ask);
                self.recheck_braked(Instant::now() + Duration::from_secs(1));
                true
            }
            Braking::Looking => {
                self.recheck_braked(Instant::now() + Duration::from_secs(1));
                true
            }
        }
    }

    fn recheck_braked(&mut self, at: Instant) {
        for namespace in self.state.braked.keys() {
            self.state.recheck.at(namespace.clone(), at);
        }
    }

    /// A write came to its end.
    fn ended(&mut self, outcome: Outcome) {
        let Outcome { job, result } = outcome;
        let key = job.write.key().clone();
        self.queue.ended(&key);
        match result {
            Ok(written) => self.succeeded(&job, &key, written),
            Err(Refusal::NotNow) => self.view.touch(Touched::namespace(key.namespace.clone())),
            Err(Refusal::Failed { failure, message }) => {
                tracing::warn!(
                    namespace = %key.namespace,
                    name = %key.name,
                    class = ?failure.class(),
                    error = message,
                    "a budget could not be written"
                );
                self.failed(&key, failure.class());
            }
        }
        if self.state.deferred.remove(&key.namespace) {
            self.view.touch(Touched::namespace(key.namespace));
        }
    }

    fn succeeded(&mut self, job: &Job, key: &ObjectKey, written: Written) {
        self.state.backoff.succeeded(key);
        let what = match &written {
            Written::There { created: true, .. } => Act::Created,
            Written::There { created: false, .. } => Act::Updated,
            Written::Gone { .. } => Act::Withdrawn,
        };
        tracing::info!(namespace = %key.namespace, name = %key.name, act = what.as_str(), "budget written");
        self.board.acted(what, &job.write);
        self.state.expected.expect(key.clone(), written, Instant::now());
    }

    fn failed(&mut self, key: &ObjectKey, class: Class) {
        let now = Instant::now();
        let floor = match class {
            Class::Wait(wait) => wait,
            Class::Retry | Class::Conflict => Duration::ZERO,
            Class::Forbidden => {
                self.permissions.ask();
                Duration::ZERO
            }
            // The same request fails for ever; only a change of what it stands on makes another one.
            Class::Terminal => HOPELESS,
        };
        let wait = self.state.backoff.failed(key, floor, now);
        self.state.recheck.at(key.namespace.clone(), now + wait);
    }
}

fn is_braked(write: &Write) -> bool {
    match write {
        Write::Withdraw { reason, .. } => reason.is_braked(),
        Write::Create(_) | Write::Update { .. } => false,
    }
}

/// Whether a policy was written since its status says it was judged: by then we may not have been running.
fn is_new(policy: &KnownPolicy) -> bool {
    match policy {
        KnownPolicy::Decoded { raw, .. } => {
            raw.metadata.generation != raw.status.as_ref().and_then(|status| status.observed_generation)
        }
        KnownPolicy::Unreadable { .. } => false,
    }
}

fn until(at: Timestamp, now: Timestamp) -> Instant {
    let wait = Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO);
    Instant::now() + wait + Duration::from_millis(1)
}
