//! What is counted, and what is read from the view when somebody looks.
//!
//! Every metric is declared in one table (`table`), from which names, help and labels are registered and documented.
//! Label values are known before the first event: they come from enums and from the lists in `Dimensions`, never from an
//! object, and each series is there at 0 from the start. Gauges about objects aren't kept: they are read at scrape time
//! through one callback, so they go when the object goes. What carries an unknown label value is dropped.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use holdfast_runtime::failure::Failure;
use holdfast_runtime::metrics::{Counters, Labels, Row, encode, inc};
use holdfast_runtime::requests::Requests;
use prometheus_client::{
    metrics::{
        counter::Counter,
        family::Family,
        histogram::{Histogram, exponential_buckets},
        info::Info,
    },
    registry::Registry,
};

mod snapshot;
mod table;
#[cfg(test)]
mod tests;

pub(crate) use snapshot::Snapshot;
pub use table::table;

use crate::observe::watch::{Change, Reason};
use snapshot::Gauges;
use table as rows;

/// The name of our one controller, election and queue in the metrics that controller-runtime made common.
const CONTROLLER: &str = "holdfast";
const OK: &str = "ok";
const EVENTS: [&str; 4] = ["applied", "deleted", "malformed", "listed"];

type Histograms<const N: usize> = Family<Labels<N>, Histogram, fn() -> Histogram>;

/// The label values that others decide on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Dimensions {
    pub(crate) version: &'static str,
    pub(crate) kinds: Vec<&'static str>,
    pub(crate) concerns: Vec<&'static str>,
    /// Those of them that do something about workloads, and may wait for an upgrade.
    pub(crate) managing: Vec<&'static str>,
    /// Those of them that take back what they wrote, and may be held back.
    pub(crate) braking: Vec<&'static str>,
    /// Every rule with each severity it can have.
    pub(crate) rules: Vec<(&'static str, &'static str)>,
    pub(crate) workload_states: Vec<&'static str>,
    pub(crate) verdicts: Vec<&'static str>,
    pub(crate) levels: Vec<&'static str>,
}

/// What a write did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Apply,
    Delete,
    PatchStatus,
    Create,
}

impl Verb {
    pub(crate) const ALL: [Self; 4] = [Self::Apply, Self::Delete, Self::PatchStatus, Self::Create];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Apply => "apply",
            Self::Delete => "delete",
            Self::PatchStatus => "patch-status",
            Self::Create => "create",
        }
    }
}

/// How a pass ended, in controller-runtime's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Passed {
    Success,
    Error,
    Requeue,
    RequeueAfter,
}

impl Passed {
    pub(crate) const ALL: [Self; 4] = [Self::Success, Self::Error, Self::Requeue, Self::RequeueAfter];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Error => "error",
            Self::Requeue => "requeue",
            Self::RequeueAfter => "requeue_after",
        }
    }
}

/// All metrics of the process.
#[derive(Clone)]
pub(crate) struct Metrics(Arc<Inner>);

struct Inner {
    registry: Registry,
    source: Arc<OnceLock<snapshot::Source>>,
    watch_events: Counters<2>,
    watch_errors: Counters<2>,
    plans: Histograms<1>,
    writes: Counters<3>,
    overflow: Counter,
    reactions: Histogram,
    events_dropped: Counter,
    passes: Counters<2>,
    pass_errors: Counters<1>,
    pass_times: Histograms<1>,
    requests: Requests,
}

impl Metrics {
    pub(crate) fn new(dimensions: &Dimensions) -> Self {
        let mut registry = Registry::default();
        let source = Arc::new(OnceLock::new());
        let build = Info::new(rows::BUILD_INFO.labels([dimensions.version]));
        rows::BUILD_INFO.register(&mut registry, build);
        registry.register_collector(Box::new(Gauges::new(dimensions, Arc::clone(&source))));
        let reactions = Histogram::new(exponential_buckets(0.005, 2.0, 12));
        rows::REACTION_SECONDS.register(&mut registry, reactions.clone());
        let inner = Inner {
            watch_events: rows::WATCH_EVENTS.counters(&mut registry, watch_events(dimensions)),
            watch_errors: rows::WATCH_ERRORS.counters(&mut registry, watch_errors(dimensions)),
            plans: histograms(&mut registry, &rows::PLAN_SECONDS, plan_time, &dimensions.concerns),
            writes: rows::WRITES.counters(&mut registry, writes(dimensions)),
            overflow: rows::WRITE_QUEUE_OVERFLOW.counter(&mut registry),
            reactions,
            events_dropped: rows::EVENTS_DROPPED.counter(&mut registry),
            passes: rows::RECONCILE.counters(&mut registry, Passed::ALL.map(|passed| [CONTROLLER, passed.as_str()])),
            pass_errors: rows::RECONCILE_ERRORS.counters(&mut registry, [[CONTROLLER]]),
            pass_times: histograms(&mut registry, &rows::RECONCILE_SECONDS, pass_time, &[CONTROLLER]),
            requests: Requests::register(&mut registry),
            source,
            registry,
        };
        Self(Arc::new(inner))
    }

    /// Who fills in the gauges about objects, once.
    pub(crate) fn read_from(&self, source: impl Fn(&mut Snapshot) + Send + Sync + 'static) {
        if self.0.source.set(Box::new(source)).is_err() {
            tracing::error!("the gauges have a source already");
        }
    }

    /// OpenMetrics text.
    pub(crate) fn encode(&self) -> String {
        encode(&self.0.registry)
    }

    /// What a watch said.
    pub(crate) fn watched<K>(&self, kind: &'static str, change: &Change<K>) {
        let event = match change {
            Change::Applied(_) => "applied",
            Change::Deleted { .. } => "deleted",
            Change::Malformed { .. } => "malformed",
            Change::Listed { .. } => "listed",
            Change::Connected => return,
            Change::Disconnected(interruption) => {
                let labels = rows::WATCH_ERRORS.labels([kind, interruption.reason.as_str()]);
                return inc(&self.0.watch_errors, &labels);
            }
        };
        inc(&self.0.watch_events, &rows::WATCH_EVENTS.labels([kind, event]));
    }

    /// A plan was made.
    pub(crate) fn planned(&self, concern: &'static str, took: Duration) {
        if let Some(histogram) = self.0.plans.get(&rows::PLAN_SECONDS.labels([concern])) {
            histogram.observe(took.as_secs_f64());
        }
    }

    /// A write ended.
    pub(crate) fn wrote(&self, concern: &'static str, verb: Verb, failure: Option<&Failure>) {
        let result = failure.map_or(OK, Failure::reason);
        inc(&self.0.writes, &rows::WRITES.labels([concern, verb.as_str(), result]));
    }

    /// A write found the queue full.
    pub(crate) fn overflowed(&self) {
        self.0.overflow.inc();
    }

    /// An event's write was acknowledged.
    pub(crate) fn reacted(&self, took: Duration) {
        self.0.reactions.observe(took.as_secs_f64());
    }

    /// To count the events for people that couldn't be delivered.
    pub(crate) fn events_dropped(&self) -> Counter {
        self.0.events_dropped.clone()
    }

    /// A pass over what was touched ended.
    pub(crate) fn passed(&self, passed: Passed, took: Duration) {
        inc(&self.0.passes, &rows::RECONCILE.labels([CONTROLLER, passed.as_str()]));
        if passed == Passed::Error {
            inc(&self.0.pass_errors, &rows::RECONCILE_ERRORS.labels([CONTROLLER]));
        }
        if let Some(histogram) = self.0.pass_times.get(&rows::RECONCILE_SECONDS.labels([CONTROLLER])) {
            histogram.observe(took.as_secs_f64());
        }
    }

    /// To count what passes through a client.
    pub(crate) fn requests(&self) -> &Requests {
        &self.0.requests
    }
}

fn histograms(
    registry: &mut Registry,
    row: &'static Row,
    new: fn() -> Histogram,
    series: &[&'static str],
) -> Histograms<1> {
    let family = Histograms::new_with_constructor(new);
    for value in series {
        drop(family.get_or_create(&row.labels([value])));
    }
    row.register(registry, family.clone());
    family
}

fn plan_time() -> Histogram {
    Histogram::new(exponential_buckets(0.000_01, 4.0, 10))
}

fn pass_time() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 14))
}

fn watch_events(dimensions: &Dimensions) -> impl Iterator<Item = [&'static str; 2]> {
    dimensions.kinds.iter().flat_map(|kind| EVENTS.map(|event| [*kind, event]))
}

fn watch_errors(dimensions: &Dimensions) -> impl Iterator<Item = [&'static str; 2]> {
    let errors = || Reason::ALL.into_iter().filter(|reason| !reason.is_routine());
    dimensions.kinds.iter().flat_map(move |kind| errors().map(|reason| [*kind, reason.as_str()]))
}

fn writes(dimensions: &Dimensions) -> impl Iterator<Item = [&'static str; 3]> {
    let results = || std::iter::once(OK).chain(Failure::REASONS);
    let of_concern = move |concern: &'static str| {
        Verb::ALL.into_iter().flat_map(move |verb| results().map(move |result| [concern, verb.as_str(), result]))
    };
    dimensions.concerns.iter().flat_map(move |concern| of_concern(concern))
}
