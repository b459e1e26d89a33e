//! The engine: plans what was touched, compares with what is under way, and hands the difference to the writers.
//!
//! One pass reads observe, decide, act, report. What to do about a workload is decided in `policy`; here is only when to
//! plan (at once, then after a debounce), and what is already on its way. The view is the only truth: a write counts as
//! seen when its own watch event has returned, and until then its object isn't written again ([`Expected`]).

mod expected;
mod freeze;
mod recheck;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use holdfast_model::{ObjectKey, Text, Touched};
use holdfast_policy::disruption::{Brake, Braking, Reason, Write};
use holdfast_policy::{Policies, plan_namespace};
use holdfast_runtime::backoff::{Backoff, Exponential};
use holdfast_runtime::failure::Class;
use holdfast_runtime::lease::{Heartbeat, Leadership};
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use expected::Expected;
use recheck::Recheck;

use crate::access::Concern;
use crate::act::{self, Job, Outcome, Queue, Refusal, Written};
use crate::metrics::{Metrics, Passed};
use crate::observe::watch::Relist;
use crate::permissions::Permissions;
use crate::status::{Act, Board};
use crate::upgrade::Upgrades;
use crate::view::{Taken, View};

/// After a pass further events are collected for this long: between the two, the longer the more there was to plan, so that
/// a burst of events (the echoes of a thousand writes) leaves the processor to those who write.
const DEBOUNCE: std::ops::RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_millis(50);
/// Collecting lasts so many times as long as the pass did.
const REST: u32 = 4;
/// How long an object waits whose write failed. It begins short, for what only changed meanwhile: a budget of ours over
/// somebody else's has to go within a second, and the disruption controller may just have written its status.
const RETRY: Exponential = Exponential::new(Duration::from_millis(50), Duration::from_secs(60));
/// How long it waits at least where the API server failed.
const FAILED: Duration = Duration::from_millis(250);
/// How long an object waits whose write can't succeed as things are.
const HOPELESS: Duration = Duration::from_secs(60);
/// How many objects a back-off is remembered for.
const REMEMBERED: usize = 4096;
/// How long a namespace waits that didn't fit into the queue.
const OVERFLOW: Duration = Duration::from_secs(1);

/// Plans, and hands over what follows from it.
pub(crate) struct Engine {
    parts: Parts,
    state: State,
}

/// What the engine remembers between passes.
struct State {
    expected: Expected,
    recheck: Recheck,
    backoff: Backoff<ObjectKey>,
    brake: Brake,
    /// Withdrawals that the brake would hold, by namespace, until they are done: those under way among them, or as many
    /// as there are writers would go uncounted.
    braked: BTreeMap<Text, BTreeSet<ObjectKey>>,
    /// Withdrawals that wait for an upgrade, by namespace.
    frozen: BTreeMap<Text, Vec<Write>>,
    /// Who carries the upgrade out that they wait for.
    freezing: Option<String>,
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

/// What the engine works with.
pub(crate) struct Parts {
    pub(crate) view: Arc<View>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) board: Arc<Board>,
    pub(crate) permissions: Arc<Permissions>,
    pub(crate) upgrades: Arc<Upgrades>,
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
            frozen: BTreeMap::new(),
            freezing: None,
            deferred: BTreeSet::new(),
            policies: None,
            looking: None,
            leads: false,
        };
        Self { parts, state }
    }

    /// Runs until told to stop.
    pub(crate) async fn run(mut self) -> Result<(), std::convert::Infallible> {
        let mut settled = Instant::now();
        loop {
            if self.parts.stop.is_cancelled() {
                return Ok(());
            }
            self.wait(settled).await;
            while let Ok(outcome) = self.parts.outcomes.try_recv() {
                self.ended(outcome);
            }
            self.touch_what_is_due();
            if self.is_due() {
                let begun = Instant::now();
                self.pass();
                settled = begun + debounce(begun.elapsed());
            }
        }
    }

    /// From when on something can be decided about.
    fn due(&self) -> Option<Instant> {
        self.parts.view.due().filter(|_| self.parts.view.is_trusted())
    }

    fn is_due(&self) -> bool {
        self.due().is_some_and(|due| due <= Instant::now())
    }

    /// Waits for an event, an outcome, a time or the end; soon after a pass, for what else comes until `settled`.
    async fn wait(&mut self, settled: Instant) {
        if self.is_due() {
            return sleep_until(settled).await;
        }
        let next = self.state.recheck.next(Instant::now());
        let next = self.due().map_or(next, |due| due.min(next));
        tokio::select! {
            biased;
            () = self.parts.stop.cancelled() => {}
            Some(outcome) = self.parts.outcomes.recv() => self.ended(outcome),
            () = self.parts.view.changed.notified() => {}
            _ = self.parts.leadership.changed() => self.leading(),
            () = self.parts.permissions.changed() => self.parts.view.touch(Touched::All),
            () = self.parts.upgrades.looked.notified() => self.thaw(),
            () = sleep_until(next) => {}
        }
    }

    /// Won or lost: everything is looked at again, with other consequences.
    fn leading(&mut self) {
        let leads = self.parts.leadership.is_leader();
        if leads != self.state.leads {
            self.state.leads = leads;
            self.state.expected = Expected::default();
            self.parts.queue.clear();
            self.parts.view.touch(Touched::All);
        }
    }

    fn touch_what_is_due(&mut self) {
        let due = self.state.recheck.take_due(Instant::now());
        if !due.is_empty() {
            self.parts.view.touch(Touched::Namespaces(due));
        }
    }

    /// One pass over what was touched: the only place where the steps meet.
    fn pass(&mut self) {
        let (started, ticket) = (Instant::now(), self.parts.heartbeat.begin());
        self.leading();
        let taken = self.parts.view.take(started);
        // Before the policies: what changes in between counts as not judged yet.
        let generations = self
            .parts
            .view
            .read(|facts| [facts.policies.disruption.generations(), facts.policies.security.generations()]);
        let policies = self.policies();
        let proposed = self.decide(taken, &policies, Timestamp::now());
        self.act(proposed, Timestamp::now());
        self.parts.board.judged(generations);
        self.parts.board.changed();
        self.parts.heartbeat.completed(ticket);
        self.parts.metrics.passed(Passed::Success, started.elapsed());
    }

    /// The policies in force; a change of them explains what follows.
    fn policies(&mut self) -> Arc<Policies> {
        let policies = self.parts.view.read(|facts| facts.policies.parsed());
        let changed = match &self.state.policies {
            Some(known) => !known.asks_for_the_same_budgets(&policies),
            None => self.parts.view.read(|facts| facts.policies.disruption.iter().any(|(_, policy)| policy.is_new())),
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
            let gone = self
                .parts
                .view
                .read(|facts| self.parts.board.forget_others(|name| facts.cluster.namespace(name).is_some()));
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
        let plan = self.parts.view.read(|facts| {
            let view = facts.cluster.namespace(&namespace)?;
            self.state.expected.settle(view);
            Some(plan_namespace(view, policies, now))
        });
        let Some(plan) = plan else {
            self.parts.board.forget(&namespace);
            self.forget(&namespace);
            return None;
        };
        self.parts.metrics.planned(act::CONCERN, started.elapsed());
        if let Some(at) = plan.recheck_at {
            self.state.recheck.at(namespace.clone(), until(at, now));
        }
        let writes = self.parts.board.report(plan, self.state.leads);
        Some(Proposed { namespace, since, writes })
    }

    /// A namespace is gone. One that is made anew under its name has failed at nothing: it must not wait because a write
    /// came too late for the old one.
    fn forget(&mut self, namespace: &Text) {
        self.state.expected.forget(namespace);
        self.state.braked.remove(namespace);
        self.state.frozen.remove(namespace);
        self.state.deferred.remove(namespace);
        self.state.recheck.forget(namespace);
        self.state.backoff.forget(|key| key.namespace == *namespace);
        self.parts.queue.replace(namespace, Vec::new());
    }

    /// Hands over what isn't under way, held back or forbidden.
    fn act(&mut self, mut proposed: Vec<Proposed>, now: Timestamp) {
        let moment = Instant::now();
        self.freeze(&mut proposed, now);
        for Proposed { namespace, writes, .. } in &proposed {
            let braked = writes.iter().filter(|write| is_braked(write)).map(Write::key);
            let braked = braked.filter(|key| !self.state.expected.awaits(key, moment));
            // The view may show the end of a withdrawal before its answer is here: until then it counts.
            let under_way = self.state.braked.get(namespace).into_iter().flatten();
            let under_way = under_way.filter(|key| self.parts.queue.is_under_way(key));
            let braked: BTreeSet<_> = braked.chain(under_way).cloned().collect();
            if braked.is_empty() {
                self.state.braked.remove(namespace)
            } else {
                self.state.braked.insert(namespace.clone(), braked)
            };
        }
        let held = self.brake(now);
        if !self.state.leads || !self.parts.permissions.may_write(Concern::Budgets) {
            self.parts.queue.clear();
            return;
        }
        for Proposed { namespace, since, writes } in proposed {
            let jobs = self.jobs(&namespace, since, writes, held);
            if 0 < self.parts.queue.replace(&namespace, jobs) {
                self.parts.metrics.overflowed();
                self.state.recheck.at(namespace, Instant::now() + OVERFLOW);
            }
        }
    }

    /// Whether a write of this object is under way, or done but not yet seen.
    fn is_on_its_way(&self, key: &ObjectKey, moment: Instant) -> bool {
        self.parts.queue.is_under_way(key) || self.state.expected.awaits(key, moment)
    }

    fn jobs(&mut self, namespace: &Text, since: Instant, writes: Vec<Write>, held: bool) -> Vec<Job> {
        let moment = Instant::now();
        let mut jobs = Vec::with_capacity(writes.len());
        for write in writes.into_iter().filter(|write| !(held && is_braked(write))) {
            if self.is_on_its_way(write.key(), moment) {
                self.state.deferred.insert(namespace.clone());
                self.state.recheck.at(namespace.clone(), moment + expected::PATIENCE);
                continue;
            }
            if let Some(at) = self.state.backoff.ready_at(write.key(), moment) {
                self.state.recheck.at(namespace.clone(), at);
                continue;
            }
            jobs.push(Job { write, since });
        }
        jobs
    }

    /// Whether withdrawals that nothing explains are held back.
    fn brake(&mut self, now: Timestamp) -> bool {
        if self.state.looking.is_some_and(|asked| self.parts.view.is_listed_since(asked)) {
            self.state.looking = None;
            self.state.brake.looked();
        }
        let pending = self.state.braked.values().map(BTreeSet::len).sum();
        let was_engaged = self.state.brake.is_engaged();
        let braking = self.state.brake.judge(pending, self.parts.board.owned(), now);
        let engaged = self.state.brake.is_engaged();
        self.parts.board.brake(engaged.then_some(pending));
        match braking {
            Braking::Go => {
                if was_engaged {
                    self.parts.view.touch(Touched::Namespaces(self.state.braked.keys().cloned().collect()));
                }
                false
            }
            Braking::Hold(at) => {
                self.recheck_braked(until(at, now));
                true
            }
            Braking::Look => {
                self.state.looking = Some(Instant::now());
                self.parts.relists.iter().for_each(Relist::ask);
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
        self.parts.queue.ended(&key);
        match result {
            Ok(written) => self.succeeded(&job, &key, written),
            Err(Refusal::NotNow) => self.parts.view.touch(Touched::namespace(key.namespace.clone())),
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
            self.parts.view.touch(Touched::Echo(key.namespace));
        }
    }

    fn succeeded(&mut self, job: &Job, key: &ObjectKey, written: Written) {
        self.state.backoff.succeeded(key);
        if is_braked(&job.write) {
            self.state.brake.withdrew(1, Timestamp::now());
            if let Some(braked) = self.state.braked.get_mut(&key.namespace) {
                braked.remove(key);
            }
        }
        let what = match &written {
            Written::There { created: true, .. } => Act::Created,
            Written::There { created: false, .. } => Act::Updated,
            Written::Gone { .. } => Act::Withdrawn,
        };
        tracing::info!(namespace = %key.namespace, name = %key.name, act = what.as_str(), "budget written");
        self.parts.board.acted(what, &job.write);
        self.state.expected.expect(key.clone(), written, Instant::now());
    }

    fn failed(&mut self, key: &ObjectKey, class: Class) {
        // Where the namespace is gone nobody will try again; one of its name that comes later has failed at nothing.
        if self.parts.view.read(|facts| facts.cluster.namespace(&key.namespace).is_none()) {
            return;
        }
        let now = Instant::now();
        let floor = match class {
            Class::Wait(wait) => wait,
            Class::Retry => FAILED,
            Class::Conflict => Duration::ZERO,
            Class::Forbidden => {
                self.parts.permissions.ask(Concern::Budgets);
                Duration::ZERO
            }
            // The same request fails for ever; only a change of what it stands on makes another one.
            Class::Terminal => HOPELESS,
        };
        let wait = self.state.backoff.failed(key, floor, now);
        self.state.recheck.at(key.namespace.clone(), now + wait);
    }
}

/// How long events are collected after a pass that took so long, counted from its beginning.
fn debounce(took: Duration) -> Duration {
    took + (took * REST).clamp(*DEBOUNCE.start(), *DEBOUNCE.end())
}

fn is_braked(write: &Write) -> bool {
    write.withdrawn_for().is_some_and(Reason::is_braked)
}

fn until(at: Timestamp, now: Timestamp) -> Instant {
    let wait = Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO);
    Instant::now() + wait + Duration::from_millis(1)
}
