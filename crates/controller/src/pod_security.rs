//! Raises the Pod Security levels of namespaces, and takes them back: one write after the other, by the leader.
//!
//! What is done about a namespace is decided in `policy::pod_security`; here is only when to ask, and what the API server
//! answered. A soak is counted by the monotonic clock of whoever leads, while the view is in step, and remembered in the
//! status of the policy: that is what the next leader begins with. Rehearsals come before every raise.

pub(crate) mod finalizer;
pub(crate) mod labels;
mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use holdfast_api::NamespaceLevel;
use holdfast_model::Text;
use holdfast_pod_security::Level;
use holdfast_pod_security::labels::ENFORCE;
use holdfast_policy::Policies;
use holdfast_policy::disruption::{Brake, Braking};
use holdfast_policy::pod_security::{
    Advice, Answer, Moment, Probe, Progress, Rehearsal, Server, Step, advise, deciding, probe,
};
use holdfast_runtime::backoff::Exponential;
use holdfast_runtime::failure::{Class, Failure, said};
use holdfast_runtime::lease::Leadership;
use jiff::Timestamp;
use kube::Client;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use self::labels::Executed;
use crate::access::{Concern, Source};
use crate::metrics::{Metrics, Verb};
use crate::permissions::Permissions;
use crate::status::{Board, Events, Levels};
use crate::upgrade::Upgrades;
use crate::view::{Facts, Generations, View};

/// The concern, as it is written in metrics.
pub(crate) const CONCERN: &str = "pod-security";
/// How long changes are collected before namespaces are looked at.
const SETTLE: Duration = Duration::from_millis(100);
/// How often it is looked whether the view is in step, and whether something is due.
const LOOK: Duration = Duration::from_secs(5);
/// A view that was out of step for longer than this has missed what happened meanwhile.
const BLIND: Duration = Duration::from_secs(10);
/// So many namespaces are written before they are looked at again.
const AT_ONCE: usize = 20;
/// How long one write may take.
const ANSWER: Duration = Duration::from_secs(5);
/// How long a namespace waits whose write failed.
const RETRY: Exponential = Exponential::new(Duration::from_secs(1), Duration::from_secs(60));
/// How long the event of a write may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often the server's version is asked for, and what holds without a label while that isn't known.
const ASK: Duration = Duration::from_secs(300);

/// Raises levels.
pub(crate) struct Raiser {
    parts: Parts,
    namespaces: BTreeMap<Text, Kept>,
    /// Namespaces to look at.
    due: BTreeSet<Text>,
    all: bool,
    leads: bool,
    blind_since: Option<Instant>,
    brake: Brake,
    /// The policies by which it was looked at last.
    policies: Option<Arc<Policies>>,
    generations: Option<Generations>,
    /// Namespaces that can't tell what holds without a label.
    mute: BTreeSet<Text>,
    asked: Option<Instant>,
    probed: Option<Instant>,
    /// Whether a status says something else of a namespace than before.
    untold: bool,
    /// Whether there is more to write than was written at once.
    hurries: bool,
}

/// What it works with.
pub(crate) struct Parts {
    pub(crate) client: Client,
    /// Sends as long as we lead.
    pub(crate) writes: Client,
    pub(crate) view: Arc<View>,
    pub(crate) board: Arc<Board>,
    pub(crate) events: Arc<Events>,
    pub(crate) permissions: Arc<Permissions>,
    pub(crate) upgrades: Arc<Upgrades>,
    pub(crate) leadership: Leadership,
    pub(crate) metrics: Metrics,
    pub(crate) stop: CancellationToken,
    pub(crate) brake_delay: Duration,
    /// The namespace that we run in.
    pub(crate) own: Text,
}

/// What is kept of a namespace.
#[derive(Debug, Default)]
struct Kept {
    /// The UID of the namespace.
    uid: Box<str>,
    progress: Progress,
    /// Since when it has been watched without a break.
    watched_since: Option<Instant>,
    /// What is to be done.
    advice: Option<Advice>,
    /// What the status of the policy that decides says of it.
    told: Option<(Text, NamespaceLevel)>,
    recheck: Option<Instant>,
    /// The labels whose event is awaited, and until when.
    expected: Option<(Vec<Text>, Instant)>,
    failures: u32,
    not_before: Option<Instant>,
}

/// What came of a write.
enum Wrote {
    Done,
    /// The namespace is to be looked at again.
    Objected,
    Failed,
}

impl Raiser {
    pub(crate) fn new(parts: Parts) -> Self {
        let delay = jiff::SignedDuration::try_from(parts.brake_delay).unwrap_or(jiff::SignedDuration::MAX);
        Self {
            parts,
            namespaces: BTreeMap::new(),
            due: BTreeSet::new(),
            all: true,
            leads: false,
            blind_since: None,
            brake: Brake::new(delay),
            policies: None,
            generations: None,
            mute: BTreeSet::new(),
            asked: None,
            probed: None,
            untold: true,
            hurries: false,
        }
    }

    /// Runs until told to stop.
    pub(crate) async fn run(mut self) -> Result<(), std::convert::Infallible> {
        loop {
            let now = Instant::now();
            let due = self.namespaces.values().filter_map(Kept::next).min().unwrap_or(now + LOOK);
            let next = if self.hurries { now } else { due };
            tokio::select! {
                biased;
                () = self.parts.stop.cancelled() => return Ok(()),
                () = self.parts.view.security.changed.notified() => sleep_until(now + SETTLE).await,
                _ = self.parts.leadership.changed() => {}
                () = sleep_until(next.clamp(now + SETTLE, now + LOOK)) => {}
            }
            self.know_server().await;
            self.look();
            self.discover().await;
            self.write_all().await;
            finalizer::settle(&self.parts, self.settled()).await;
            self.tell();
        }
    }

    /// Asks for the version of the server, on every replica: rules speak of it.
    async fn know_server(&mut self) {
        if self.asked.is_some_and(|asked| asked.elapsed() < ASK) {
            return;
        }
        let Ok(Ok(info)) = timeout(ANSWER, self.parts.client.apiserver_version()).await else { return };
        self.asked = Some(Instant::now());
        self.mute.clear();
        // Some distributions write `35+`.
        let minor = info.minor.trim_end_matches(|c: char| !c.is_ascii_digit()).parse().ok();
        let own = Some(self.parts.own.clone());
        self.parts.view.edit(|facts| {
            let known = facts.policies.server().clone();
            // Another minor may have another configuration.
            let known = if known.minor == minor { known } else { Server::default() };
            facts.policies.know_server(Server { minor, own, ..known })
        });
    }

    /// Looks at what is due.
    fn look(&mut self) {
        let stirred = self.parts.view.security.take();
        self.all |= stirred.all;
        self.due.extend(stirred.namespaces);
        let leads = self.parts.leadership.is_leader();
        if !leads {
            self.leads = false;
            self.namespaces.clear();
            return;
        }
        if !self.is_in_step() {
            return;
        }
        let began = !std::mem::replace(&mut self.leads, leads);
        self.all |= began;
        let now = Instant::now();
        let (view, upgrades) = (Arc::clone(&self.parts.view), Arc::clone(&self.parts.upgrades));
        let frozen = upgrades.ask(&view, Timestamp::now(), |freeze| freeze.upgrader.is_some());
        view.read(|facts| {
            let policies = facts.policies.parsed();
            let generations = facts.policies.security.generations();
            let changed = match &self.generations {
                Some(known) if !began => *known != generations,
                // What changed before we led has changed since its status was written.
                Some(_) | None => facts.policies.security.iter().any(|(_, known)| known.is_new()),
            };
            if changed {
                self.brake.explain(Timestamp::now());
            }
            self.generations = Some(generations);
            self.policies = Some(Arc::clone(&policies));
            if began {
                self.restore(facts);
            }
            if std::mem::take(&mut self.all) {
                self.namespaces.retain(|name, _| facts.cluster.namespace(name).is_some());
                self.untold = true;
                self.due.extend(facts.cluster.namespace_names().cloned());
            }
            let rechecks = self.namespaces.iter().filter(|(_, kept)| kept.is_due(now)).map(|(name, _)| name.clone());
            self.due.extend(rechecks.collect::<Vec<_>>());
            for name in std::mem::take(&mut self.due) {
                self.look_at(facts, &name, &policies, frozen, now);
            }
            let wanted = policies.enforces_levels() || finalizer::is_held(facts) || self.has_written();
            self.parts.permissions.want(Concern::PodSecurity, wanted);
        });
        self.parts.metrics.planned(CONCERN, now.elapsed());
    }

    fn look_at(&mut self, facts: &Facts, name: &Text, policies: &Policies, frozen: bool, now: Instant) {
        let Some(view) = facts.cluster.namespace(name) else {
            self.untold |= self.namespaces.remove(name).is_some();
            return;
        };
        let Some(namespace) = view.namespace() else {
            // Its Namespace can't be read, or is about to go.
            self.untold |= self.namespaces.remove(name).is_some();
            return;
        };
        let kept = self.namespaces.entry(name.clone()).or_default();
        if kept.uid != namespace.uid {
            // Made anew under its name: nothing of the former one counts.
            *kept = Kept { uid: namespace.uid.clone(), ..Kept::default() };
        }
        if let Some((labels, until)) = &kept.expected {
            // Until its own event shows a write, what is seen is what was before.
            let is_shown = labels.len() == namespace.writers.ours.len()
                && labels.iter().all(|label| namespace.writers.is_ours(label));
            if !is_shown && now < *until {
                kept.recheck = None;
                return;
            }
            kept.expected = None;
        }
        kept.not_before = kept.not_before.filter(|at| now < *at);
        let watched = kept.watched_since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        kept.watched_since = Some(now);
        let (settings, _) = deciding(namespace, policies);
        let moment = Moment { watched, now: Timestamp::now(), frozen };
        let advice = advise(view, settings.as_deref(), policies, &mut kept.progress, moment);
        kept.recheck = advice.as_ref().and_then(|advice| advice.recheck_after).map(|after| now + after);
        let told = settings.zip(advice.as_ref()).and_then(|(settings, advice)| {
            let entry = told::entry(view, &settings, policies.server(), advice, &kept.progress)?;
            Some((settings.name.clone(), entry))
        });
        self.untold |= kept.told != told;
        (kept.told, kept.advice) = (told, advice);
    }

    /// Whether what happens is seen. A connection that is made again at once misses nothing.
    fn is_in_step(&mut self) -> bool {
        let view = &self.parts.view;
        if view.is_trusted() && view.is_synced(Source::NamespaceSecurityPolicy) {
            if self.blind_since.take().is_some_and(|since| BLIND <= since.elapsed()) {
                self.namespaces.values_mut().for_each(|kept| kept.watched_since = None);
            }
            return true;
        }
        self.blind_since.get_or_insert_with(Instant::now);
        false
    }

    /// What the statuses remember, on taking over.
    fn restore(&mut self, facts: &Facts) {
        self.namespaces.clear();
        let statuses = facts.policies.security.iter().filter_map(|(_, known)| known.raw()?.status.as_ref());
        for entry in statuses.flat_map(|status| &status.namespaces) {
            let kept = self.namespaces.entry(Text::from(&entry.name)).or_default();
            (kept.uid, kept.progress) = (entry.uid.as_str().into(), Progress::restore(entry));
        }
    }

    /// Finds out what holds without a label, where we may.
    async fn discover(&mut self) {
        let is_recent = self.probed.is_some_and(|probed| probed.elapsed() < ASK / 10);
        if is_recent || !self.may_write() {
            return;
        }
        let Some(policies) = self.policies.clone().filter(|policies| policies.enforces_levels()) else { return };
        // Whether or not one can tell: all of them have to be looked at.
        self.probed = Some(Instant::now());
        let found = self.parts.view.read(|facts| probe(&facts.cluster, &policies, |name| self.mute.contains(name)));
        let Some(Probe { namespace, uid }) = found else { return };
        let mut default = Some(Level::Privileged);
        for level in Probe::LEVELS {
            let labels = BTreeMap::from([(ENFORCE.into(), level.to_string())]);
            match timeout(ANSWER, labels::rehearse(&self.parts.writes, &namespace, &uid, &labels)).await {
                Ok(Ok(Answer::Silent)) => {
                    default = Some(level);
                    break;
                }
                Ok(Ok(Answer::Objects(_))) => {}
                Ok(Ok(Answer::Exempt)) => {
                    self.exempted(&namespace);
                    return;
                }
                Ok(Err(_)) | Err(_) => {
                    default = None;
                    break;
                }
            }
        }
        let Some(level) = default else {
            self.mute.insert(namespace);
            return;
        };
        tracing::info!(%level, asked = %namespace, "found out what the cluster enforces in namespaces without a label");
        self.parts.view.edit(|facts| {
            let server = Server { default, ..facts.policies.server().clone() };
            facts.policies.know_server(server)
        });
    }

    /// Carries out what is advised, one namespace after the other: withdrawals first.
    async fn write_all(&mut self) {
        self.hurries = false;
        if !self.may_write() {
            return;
        }
        let now = Instant::now();
        let mut steps: Vec<(bool, Text, Step)> = self
            .namespaces
            .iter()
            .filter(|(_, kept)| kept.not_before.is_none_or(|at| at <= now) && kept.expected.is_none())
            .filter_map(|(name, kept)| {
                let step = kept.advice.as_ref()?.step.clone()?;
                Some((!step.withdraws, name.clone(), step))
            })
            .collect();
        steps.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        let held = self.is_braked(steps.iter().filter(|(_, _, step)| step.withdraws).count());
        steps.retain(|(_, _, step)| !(held && step.withdraws));
        // What is advised stands on what was seen: after a while it is looked at again.
        self.hurries = AT_ONCE < steps.len();
        for (_, name, step) in steps.into_iter().take(AT_ONCE) {
            if self.parts.stop.is_cancelled() || !self.may_write() || !self.is_in_step() {
                return;
            }
            let withdraws = step.withdraws;
            match self.carry_out(&name, step).await {
                Wrote::Done if withdraws => self.brake.withdrew(1, Timestamp::now()),
                Wrote::Done | Wrote::Failed => {}
                Wrote::Objected => drop(self.due.insert(name)),
            }
        }
    }

    /// Whether withdrawals that nothing explains are held back.
    fn is_braked(&mut self, pending: usize) -> bool {
        if pending == 0 && !self.brake.is_engaged() {
            return false;
        }
        let owned = self.parts.view.read(|facts| {
            let namespaces =
                facts.cluster.namespace_names().filter_map(|name| facts.cluster.namespace(name)?.namespace());
            namespaces.filter(|namespace| !namespace.writers.ours.is_empty()).count()
        });
        let braking = self.brake.judge(pending, owned, Timestamp::now());
        if braking == Braking::Look {
            // Namespaces and policies are watched: what is seen is what there is, or the view wouldn't be in step.
            self.brake.looked();
        }
        self.parts.board.brake_levels(self.brake.is_engaged().then_some(pending));
        match braking {
            Braking::Go => false,
            Braking::Hold(_) | Braking::Look | Braking::Looking => true,
        }
    }

    async fn carry_out(&mut self, name: &Text, step: Step) -> Wrote {
        let result = match timeout(ANSWER, labels::execute(&self.parts.writes, name, &step)).await {
            Ok(Ok(executed)) => Ok(executed),
            Ok(Err(error)) => Err((Failure::of(&error), said(&error))),
            Err(_) => Err((Failure::Unanswered, "no answer in time".to_owned())),
        };
        self.parts.metrics.wrote(CONCERN, Verb::Apply, result.as_ref().err().map(|(failure, _)| failure));
        match result {
            Ok(Executed::Written { labels, objection }) => {
                self.written(name, &labels, &step);
                if let Some(objection) = objection {
                    self.kept(name).progress.refused(objection);
                }
                Wrote::Done
            }
            Ok(Executed::Objected(objection)) => {
                tracing::info!(namespace = %name, objection, "a rehearsal objects to a level");
                self.kept(name).progress.refused(objection);
                Wrote::Objected
            }
            Ok(Executed::Exempt) => {
                self.exempted(name);
                Wrote::Objected
            }
            Err((failure, error)) => {
                tracing::warn!(namespace = %name, error, "labels of a namespace could not be written");
                if failure.class() == Class::Forbidden {
                    self.parts.permissions.ask(Concern::PodSecurity);
                }
                let kept = self.kept(name);
                kept.not_before = Some(Instant::now() + RETRY.wait(kept.failures));
                kept.failures = kept.failures.saturating_add(1);
                Wrote::Failed
            }
        }
    }

    fn written(&mut self, name: &Text, labels: &BTreeMap<Text, String>, step: &Step) {
        let keys: Vec<Text> = labels.keys().cloned().collect();
        let kept = self.kept(name);
        (kept.failures, kept.not_before) = (0, None);
        kept.expected = Some((keys.clone(), Instant::now() + PATIENCE));
        if step.withdraws {
            kept.progress.withdrawn(keys);
        } else {
            kept.progress.written(keys);
        }
        self.announce(name, labels, step);
    }

    /// The audit log, and an event on the namespace.
    fn announce(&self, name: &Text, labels: &BTreeMap<Text, String>, step: &Step) {
        let written = labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(", ");
        let act = match &step.rehearsal {
            Rehearsal::Raise(_) => "level-raised",
            Rehearsal::None | Rehearsal::Withdraw { .. } if step.withdraws => "labels-withdrawn",
            Rehearsal::None | Rehearsal::Withdraw { .. } => "labels-written",
        };
        tracing::info!(target: "holdfast::audit", act, namespace = %name, labels = written, "pod security labels");
        if let Rehearsal::Raise(stated) = &step.rehearsal {
            let note = format!(
                "enforces {stated} from now on: everything in it met it for as long as asked, and the API server's rehearsal objected to nothing"
            );
            self.parts.events.level(name, "LevelRaised", note);
        }
    }

    fn kept(&mut self, name: &Text) -> &mut Kept {
        self.namespaces.entry(name.clone()).or_default()
    }

    /// The API server says that a namespace is exempt.
    fn exempted(&mut self, name: &Text) {
        self.parts.view.edit(|facts| {
            let mut server = facts.policies.server().clone();
            server.exempt.push(name.clone());
            facts.policies.know_server(server)
        });
    }

    fn may_write(&self) -> bool {
        self.parts.leadership.is_leader() && self.parts.permissions.may_write(Concern::PodSecurity)
    }

    /// Whether there is anything of ours to take back.
    fn has_written(&self) -> bool {
        let advises = |kept: &Kept| kept.advice.as_ref().is_some_and(|advice| advice.step.is_some());
        self.namespaces.values().any(|kept| kept.expected.is_some() || advises(kept))
    }

    /// The policies by which nothing is left to be withdrawn; none while something is.
    fn settled(&self) -> Option<&Arc<Policies>> {
        let withdraws = |kept: &Kept| {
            let step = kept.advice.as_ref().and_then(|advice| advice.step.as_ref());
            step.is_some_and(|step| step.withdraws)
        };
        let waits = |kept: &Kept| kept.expected.is_some() || withdraws(kept);
        self.policies.as_ref().filter(|_| self.leads && !self.namespaces.values().any(waits))
    }

    /// Puts what is known of namespaces where statuses are made.
    fn tell(&mut self) {
        if !self.leads || !std::mem::take(&mut self.untold) {
            return;
        }
        let mut entries: BTreeMap<Text, Vec<NamespaceLevel>> = BTreeMap::new();
        for (policy, entry) in self.namespaces.values().filter_map(|kept| kept.told.as_ref()) {
            entries.entry(policy.clone()).or_default().push(entry.clone());
        }
        self.parts.board.levels_are(entries.into_iter().map(|(policy, list)| (policy, Levels::of(list))).collect());
    }
}

impl Kept {
    /// When it has to be looked at though nothing changed.
    fn next(&self) -> Option<Instant> {
        [self.recheck, self.not_before, self.expected.as_ref().map(|(_, until)| *until)].into_iter().flatten().min()
    }

    fn is_due(&self, now: Instant) -> bool {
        self.next().is_some_and(|at| at <= now)
    }
}
