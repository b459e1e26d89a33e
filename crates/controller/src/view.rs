//! The one picture of the cluster in this process, and how far it can be trusted.
//!
//! Only watches edit it. What they touch waits in a set, which is bounded by the number of namespaces, so a watch never
//! waits for a decision. Each source is in step while its list is complete and its watch connected; a kind that the
//! server doesn't know is in step when it need not be installed. Nothing is decided here.

mod policies;
mod readiness;
mod shelf;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use holdfast_model::{Cluster, Kind, Text, Touched};
use parking_lot::{Mutex, RwLock};
use tokio::sync::Notify;
use tokio::time::Instant;

pub(crate) use policies::{KnownException, PolicyStore, requested_at};
pub(crate) use readiness::{KnownReadiness, ReadinessStore};
pub(crate) use shelf::{Generations, Known, Readable, generation};

use crate::access::Source;
use crate::lease::Pulse;
use crate::observe::watch::{Interruption, Reason};

/// How long a namespace waits of which only a write of ours is seen: while a thousand budgets are made, each would have its
/// namespace planned again, in which nothing is to be done, and take the processor from those who write.
const PATIENCE: Duration = Duration::from_millis(100);

/// Facts, policies, and what has to be looked at again.
pub(crate) struct View {
    facts: RwLock<Facts>,
    sources: Mutex<BTreeMap<Source, State>>,
    waiting: Mutex<Waiting>,
    pulse: Pulse,
    /// Something is waiting, or the view came into step.
    pub(crate) changed: Notify,
    /// Who forecasts drains.
    pub(crate) forecast: Listener,
    /// Who raises Pod Security levels.
    pub(crate) security: Listener,
}

/// What is known.
#[derive(Default)]
pub(crate) struct Facts {
    pub(crate) cluster: Cluster,
    pub(crate) policies: PolicyStore,
    pub(crate) readiness: ReadinessStore,
}

/// How far a source can be trusted.
#[derive(Debug, Clone)]
struct State {
    listed: bool,
    connected: bool,
    absent: bool,
    since: Instant,
    listed_at: Option<Instant>,
    trouble: Option<Interruption>,
}

/// Namespaces to look at, each with the time of the first event; `all` includes those that aren't known yet.
#[derive(Debug, Default)]
struct Waiting {
    namespaces: BTreeMap<Text, Instant>,
    all: Option<Instant>,
    /// Those of which only a write of ours is seen.
    echoes: BTreeMap<Text, Instant>,
}

/// Somebody who follows what changes at their own pace.
#[derive(Debug, Default)]
pub(crate) struct Listener {
    stirred: Mutex<Stirred>,
    /// Something is stirred, or the view came into step.
    pub(crate) changed: Notify,
}

/// What has to be looked at anew.
#[derive(Debug, Default)]
pub(crate) struct Stirred {
    /// Everything: nodes or policies are different.
    pub(crate) all: bool,
    /// What is in these namespaces.
    pub(crate) namespaces: BTreeSet<Text>,
}

/// What waited, taken out.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub(crate) namespaces: BTreeMap<Text, Instant>,
    pub(crate) all: bool,
}

/// A source that isn't in step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lag {
    pub(crate) source: Source,
    /// For how long.
    pub(crate) age: Duration,
    /// What its watch says.
    pub(crate) trouble: Option<Interruption>,
}

impl View {
    /// Tells `pulse` when something waits to be decided.
    pub(crate) fn new(pulse: Pulse) -> Self {
        let now = Instant::now();
        let state =
            State { listed: false, connected: false, absent: false, since: now, listed_at: None, trouble: None };
        Self {
            facts: RwLock::default(),
            sources: Mutex::new(Source::all().map(|source| (source, state.clone())).collect()),
            waiting: Mutex::default(),
            pulse,
            changed: Notify::new(),
            forecast: Listener::default(),
            security: Listener::default(),
        }
    }

    /// Reads what is known; writers wait meanwhile, so be brief.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&Facts) -> T) -> T {
        read(&self.facts.read())
    }

    /// Edits what is known and remembers what that touched.
    pub(crate) fn edit(&self, edit: impl FnOnce(&mut Facts) -> Touched) {
        let touched = edit(&mut self.facts.write());
        self.touch(touched);
    }

    /// Has something looked at again.
    pub(crate) fn touch(&self, touched: Touched) {
        if touched.is_nothing() {
            return;
        }
        self.pulse.forecast.due();
        self.forecast.stir(&touched);
        self.security.stir(&touched);
        let now = Instant::now();
        let mut waiting = self.waiting.lock();
        match touched {
            Touched::Nothing | Touched::Upgrades | Touched::Nodes => return,
            Touched::Echo(namespace) => drop(waiting.echoes.entry(namespace).or_insert(now)),
            Touched::All => waiting.all = Some(waiting.all.unwrap_or(now)),
            Touched::Namespaces(namespaces) => {
                for namespace in namespaces {
                    waiting.namespaces.entry(namespace).or_insert(now);
                }
            }
        }
        drop(waiting);
        self.pulse.decide.due();
        self.changed.notify_one();
    }

    /// How many namespaces wait.
    pub(crate) fn waiting(&self) -> usize {
        let Waiting { namespaces, all, echoes } = &*self.waiting.lock();
        let only_echoes = echoes.keys().filter(|namespace| !namespaces.contains_key(*namespace)).count();
        namespaces.len() + only_echoes + usize::from(all.is_some())
    }

    /// From when on something has to be looked at; none while nothing waits.
    pub(crate) fn due(&self) -> Option<Instant> {
        let waiting = self.waiting.lock();
        let hurried = waiting.namespaces.values().chain(&waiting.all).min().copied();
        hurried.or_else(|| waiting.echoes.values().min().map(|since| *since + PATIENCE))
    }

    /// Takes out what waits and is due; after `all` that is every namespace.
    pub(crate) fn take(&self, now: Instant) -> Taken {
        let mut waiting = self.waiting.lock();
        let mut namespaces = std::mem::take(&mut waiting.namespaces);
        let all = waiting.all.take();
        waiting.echoes.retain(|namespace, since| {
            let stays = all.is_none() && now < *since + PATIENCE && !namespaces.contains_key(namespace);
            if !stays {
                namespaces.entry(namespace.clone()).or_insert(*since);
            }
            stays
        });
        drop(waiting);
        if let Some(since) = all {
            for namespace in self.read(|facts| facts.cluster.namespace_names().cloned().collect::<Vec<_>>()) {
                namespaces.entry(namespace).or_insert(since);
            }
        }
        Taken { namespaces, all: all.is_some() }
    }

    /// A list is complete.
    pub(crate) fn listed(&self, source: Source) {
        self.update(source, |state| {
            state.listed = true;
            state.listed_at = Some(Instant::now());
            state.absent = false;
        });
    }

    /// The watch is connected.
    pub(crate) fn connected(&self, source: Source) {
        self.update(source, |state| {
            state.connected = true;
            state.absent = false;
            state.trouble = None;
        });
    }

    /// The watch isn't connected any more.
    pub(crate) fn disconnected(&self, source: Source, interruption: Interruption) {
        self.update(source, |state| {
            state.connected = false;
            state.absent = interruption.reason == Reason::Absent;
            state.listed &= !state.absent;
            state.trouble = (!interruption.reason.is_routine()).then_some(interruption);
        });
    }

    /// Whether this source is in step.
    pub(crate) fn is_synced(&self, source: Source) -> bool {
        self.sources.lock().get(&source).is_some_and(|state| state.is_synced(source))
    }

    /// Whether every source that has a list got a fresh one since.
    pub(crate) fn is_listed_since(&self, asked: Instant) -> bool {
        let sources = self.sources.lock();
        let fresh = |state: &State| state.absent || state.listed_at.is_some_and(|listed| asked < listed);
        sources.iter().all(|(source, state)| source.is_informative() || (state.is_synced(*source) && fresh(state)))
    }

    /// The sources without which nothing can be decided and which aren't in step; empty when the view can be trusted.
    pub(crate) fn lags(&self) -> Vec<Lag> {
        self.lags_of(|source| !source.is_informative())
    }

    /// The sources without which no drain can be forecast and which aren't in step.
    pub(crate) fn forecast_lags(&self) -> Vec<Lag> {
        self.lags_of(|source| !source.is_informative() || source.is_foresight())
    }

    fn lags_of(&self, counts: impl Fn(Source) -> bool) -> Vec<Lag> {
        let sources = self.sources.lock();
        let lagging = sources.iter().filter(|(source, state)| counts(**source) && !state.is_synced(**source));
        let lag = |(source, state): (&Source, &State)| Lag {
            source: *source,
            age: state.since.elapsed(),
            trouble: state.trouble.clone(),
        };
        lagging.map(lag).collect()
    }

    /// The kinds of upgrades that haven't been in step for so long.
    pub(crate) fn unseen_upgrades(&self, age: Duration) -> Vec<Kind> {
        let sources = self.sources.lock();
        let is_unseen = |kind: &Kind| {
            let source = Source::Facts(*kind);
            sources.get(&source).is_some_and(|state| !state.is_synced(source) && age <= state.since.elapsed())
        };
        Kind::UPGRADES.into_iter().filter(is_unseen).collect()
    }

    /// Whether the view can be trusted.
    pub(crate) fn is_trusted(&self) -> bool {
        let sources = self.sources.lock();
        sources.iter().all(|(source, state)| source.is_informative() || state.is_synced(*source))
    }

    /// Objects of a source, and how many of them can't be read.
    pub(crate) fn count(&self, source: Source) -> (usize, usize) {
        self.read(|facts| match source {
            Source::Facts(kind) => (facts.cluster.count(kind), unreadable(&facts.cluster, kind)),
            Source::DisruptionPolicy => facts.policies.count_policies(),
            Source::NamespaceSecurityPolicy => facts.policies.count_security(),
            Source::PolicyException => facts.policies.count_exceptions(),
            Source::DrainReadiness => facts.readiness.count(),
        })
    }

    fn update(&self, source: Source, update: impl FnOnce(&mut State)) {
        let mut sources = self.sources.lock();
        let Some(state) = sources.get_mut(&source) else { return };
        let before = state.is_synced(source);
        update(state);
        let after = state.is_synced(source);
        if before != after {
            state.since = Instant::now();
        }
        drop(sources);
        if !before && after {
            self.changed.notify_one();
            self.forecast.changed.notify_one();
            self.security.changed.notify_one();
        }
    }
}

impl Listener {
    /// Takes out what has to be looked at anew.
    pub(crate) fn take(&self) -> Stirred {
        std::mem::take(&mut self.stirred.lock())
    }

    fn stir(&self, touched: &Touched) {
        self.stirred.lock().add(touched);
        self.changed.notify_one();
    }
}

impl Stirred {
    fn add(&mut self, touched: &Touched) {
        match touched {
            Touched::Nothing | Touched::Upgrades => {}
            Touched::Nodes | Touched::All => self.all = true,
            Touched::Echo(namespace) => drop(self.namespaces.insert(namespace.clone())),
            Touched::Namespaces(namespaces) => self.namespaces.extend(namespaces.iter().cloned()),
        }
    }
}

impl State {
    fn is_synced(&self, source: Source) -> bool {
        (self.listed && self.connected) || (self.absent && source.is_optional())
    }
}

fn unreadable(cluster: &Cluster, kind: Kind) -> usize {
    cluster.unreadable(kind).count()
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    fn taken(view: &View) -> Vec<String> {
        view.take(Instant::now()).namespaces.keys().map(ToString::to_string).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn an_echo_waits_and_a_change_does_not() {
        let view = View::new(Pulse::default());
        assert_eq!(view.due(), None);
        view.touch(Touched::Echo("echo".into()));
        let since = Instant::now();
        assert_eq!((view.due(), view.waiting()), (Some(since + PATIENCE), 1));
        view.touch(Touched::namespace("changed".into()));
        assert_eq!((view.due(), view.waiting()), (Some(since), 2));
        assert_eq!(taken(&view), ["changed"]);
        advance(PATIENCE / 2).await;
        view.touch(Touched::Echo("echo".into()));
        assert_eq!(view.due(), Some(since + PATIENCE), "it waits since the first");
        assert!(taken(&view).is_empty());
        advance(PATIENCE / 2).await;
        assert_eq!(taken(&view), ["echo"]);
        assert_eq!((view.due(), view.waiting()), (None, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn what_tells_of_vaults_is_needed_by_forecasts_alone_and_only_where_it_is_served() {
        let vault = Source::Facts(Kind::VaultTransitUnseal);
        let view = View::new(Pulse::default());
        for source in Source::all().filter(|source| *source != vault) {
            view.listed(source);
            view.connected(source);
        }
        let lags = || view.forecast_lags().iter().map(|lag| lag.source).collect::<Vec<_>>();
        assert!(view.is_trusted() && view.lags().is_empty(), "all else goes on");
        assert_eq!(lags(), [vault]);
        view.disconnected(vault, Interruption::new(Reason::NotPermitted, "as told"));
        assert_eq!(lags(), [vault]);
        view.disconnected(vault, Interruption::new(Reason::Absent, "as told"));
        assert_eq!(lags(), [], "where its definition isn't there nothing is to be told");
    }

    #[tokio::test(start_paused = true)]
    async fn an_echo_goes_along_with_a_change_of_its_namespace() {
        let view = View::new(Pulse::default());
        view.touch(Touched::Echo("shop".into()));
        view.touch(Touched::namespace("shop".into()));
        assert_eq!(view.waiting(), 1);
        assert_eq!(taken(&view), ["shop"]);
        assert_eq!((view.due(), view.waiting()), (None, 0));
    }
}
