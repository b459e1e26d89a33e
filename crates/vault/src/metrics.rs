//! What is counted, and what is read from the board when somebody looks.
//!
//! Labels that name a resource or a pod come from what is watched now, so a series goes when its object goes.

use std::sync::{Arc, OnceLock};

use holdfast_runtime::metrics::{Counters, Row, Type, encode, inc};
use holdfast_runtime::requests::{self, Requests};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

const BUILD_INFO: Row = Row::new(
    Type::Info,
    "holdfast_build_info",
    &["version", "loopback_allowed"],
    "The version that runs, and whether it may connect to loopback addresses, which only tests should",
);
const WOULD_START: Row = Row::new(
    Type::Gauge,
    "holdfast_vault_would_start",
    &["namespace", "name"],
    "Whether the server would unseal if it started now: 1 it would, 0 it would not, -1 it isn't known",
);
const COLD_START: Row = Row::new(
    Type::Gauge,
    "holdfast_vault_cold_start",
    &["namespace", "name"],
    "Whether the server would come back by itself after everything was off: 1 it would, 0 it would not, -1 it isn't known",
);
const EXPIRY: Row = Row::new(
    Type::Gauge,
    "holdfast_vault_token_expiry_timestamp_seconds",
    &["namespace", "name"],
    "When the seal token ends unless it is renewed, in seconds since 1970; no series for one that doesn't end or isn't known",
);
const REACHABLE: Row = Row::new(
    Type::Gauge,
    "holdfast_vault_transit_reachable",
    &["namespace", "name"],
    "Whether the transit server answers and isn't sealed",
);
const SEALED: Row = Row::new(
    Type::Gauge,
    "holdfast_vault_sealed",
    &["namespace", "name", "pod"],
    "Whether the server in a pod isn't unsealed, for whatever reason",
);
const DIAGNOSIS: Row = Row::new(
    Type::Gauge,
    "holdfast_vault_diagnosis",
    &["namespace", "name", "cause"],
    "1 for what is wrong with a server; no series while nothing is",
);
const INIT_PHASE: Row = Row::new(
    Type::Gauge,
    "holdfast_vault_init_phase",
    &["namespace", "name", "phase"],
    "1 for how far an initialisation by us has come; no series where there was none",
);
const BREAKER: Row = Row::new(
    Type::Gauge,
    "holdfast_vault_breaker_open",
    &["server"],
    "1 for a server that isn't asked just now, since it didn't answer several times",
);
const LEADER: Row = Row::new(Type::Gauge, "holdfast_vault_leader", &[], "Whether this replica acts");
const RENEWALS: Row = Row::new(Type::Counter, "holdfast_vault_renewals_total", &["result"], "Renewals of seal tokens");
const MINTS: Row = Row::new(
    Type::Counter,
    "holdfast_vault_mints_total",
    &["result"],
    "Seal tokens that were made; uncertain: one may have been made that nobody uses",
);
const DELETIONS: Row =
    Row::new(Type::Counter, "holdfast_vault_pod_deletions_total", &["result"], "Stuck pods that were deleted");
const WRITES: Row = Row::new(Type::Counter, "holdfast_vault_status_writes_total", &["result"], "Writes of statuses");
const EVENTS_DROPPED: Row =
    Row::new(Type::Counter, "holdfast_vault_events_dropped_total", &[], "Events that could not be told");

/// Every metric of the process, in the order in which they are documented.
#[must_use]
pub fn table() -> [Row; 16] {
    [
        BUILD_INFO,
        WOULD_START,
        COLD_START,
        EXPIRY,
        REACHABLE,
        SEALED,
        DIAGNOSIS,
        INIT_PHASE,
        BREAKER,
        LEADER,
        RENEWALS,
        MINTS,
        DELETIONS,
        WRITES,
        EVENTS_DROPPED,
        requests::METRIC,
    ]
}

/// How an act ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Well,
    Badly,
    /// It may have been done: the answer was lost.
    Unknown,
}

impl Ended {
    const ALL: [[&'static str; 1]; 3] = [["success"], ["failure"], ["uncertain"]];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Well => "success",
            Self::Badly => "failure",
            Self::Unknown => "uncertain",
        }
    }
}

/// What is known of one resource when somebody looks.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Gauges {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) would_start: Option<bool>,
    pub(crate) cold_start: Option<bool>,
    pub(crate) expiry: Option<i64>,
    pub(crate) reachable: bool,
    pub(crate) cause: Option<&'static str>,
    pub(crate) init_phase: Option<&'static str>,
    /// Each pod, and whether its server isn't unsealed.
    pub(crate) pods: Vec<(String, bool)>,
}

/// What is shown at a scrape.
#[derive(Clone, Debug, Default)]
pub(crate) struct Snapshot {
    pub(crate) resources: Vec<Gauges>,
    pub(crate) breakers: Vec<String>,
    pub(crate) leader: bool,
}

type Source = Box<dyn Fn() -> Snapshot + Send + Sync>;

/// All metrics of the process.
#[derive(Clone)]
pub(crate) struct Metrics(Arc<Inner>);

struct Inner {
    registry: Registry,
    source: Arc<OnceLock<Source>>,
    renewals: Counters<1>,
    mints: Counters<1>,
    deletions: Counters<1>,
    writes: Counters<1>,
    events_dropped: Counter,
    requests: Requests,
}

impl Metrics {
    pub(crate) fn new(version: &'static str, loopback_allowed: bool) -> Self {
        let mut registry = Registry::default();
        let allowed = if loopback_allowed { "true" } else { "false" };
        BUILD_INFO.register(&mut registry, Info::new(BUILD_INFO.labels([version, allowed])));
        let source: Arc<OnceLock<Source>> = Arc::default();
        registry.register_collector(Box::new(Board(Arc::clone(&source))));
        Self(Arc::new(Inner {
            renewals: RENEWALS.counters(&mut registry, Ended::ALL),
            mints: MINTS.counters(&mut registry, Ended::ALL),
            deletions: DELETIONS.counters(&mut registry, Ended::ALL),
            writes: WRITES.counters(&mut registry, Ended::ALL),
            events_dropped: EVENTS_DROPPED.counter(&mut registry),
            requests: Requests::register(&mut registry),
            source,
            registry,
        }))
    }

    /// From where the gauges are read. Only the first is taken.
    pub(crate) fn read_from(&self, source: impl Fn() -> Snapshot + Send + Sync + 'static) {
        // A second source would be a mistake in the wiring, and the first one goes on.
        let _ = self.0.source.set(Box::new(source));
    }

    pub(crate) fn requests(&self) -> &Requests {
        &self.0.requests
    }

    pub(crate) fn events_dropped(&self) -> Counter {
        self.0.events_dropped.clone()
    }

    pub(crate) fn renewed(&self, ended: Ended) {
        inc(&self.0.renewals, &RENEWALS.labels([ended.as_str()]));
    }

    pub(crate) fn minted(&self, ended: Ended) {
        inc(&self.0.mints, &MINTS.labels([ended.as_str()]));
    }

    pub(crate) fn deleted(&self, ended: Ended) {
        inc(&self.0.deletions, &DELETIONS.labels([ended.as_str()]));
    }

    pub(crate) fn written(&self, ended: Ended) {
        inc(&self.0.writes, &WRITES.labels([ended.as_str()]));
    }

    pub(crate) fn text(&self) -> String {
        encode(&self.0.registry)
    }
}

/// Reads the gauges at each scrape.
struct Board(Arc<OnceLock<Source>>);

impl std::fmt::Debug for Board {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Board")
    }
}

/// The label values and the value of one series.
type Series = (Vec<String>, i64);

impl Collector for Board {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let Some(source) = self.0.get() else { return Ok(()) };
        let snapshot = source();
        for (row, series) in rows(&snapshot) {
            let mut metric = encoder.encode_descriptor(
                row.family(),
                row.help,
                None,
                prometheus_client::metrics::MetricType::Gauge,
            )?;
            if row.labels.is_empty() {
                // As a family it would have braces around nothing.
                if let Some((_, value)) = series.first() {
                    ConstGauge::new(*value).encode(metric)?;
                }
                continue;
            }
            for (values, value) in series {
                let labels: Vec<(&str, &str)> =
                    row.labels.iter().copied().zip(values.iter().map(String::as_str)).collect();
                ConstGauge::new(value).encode(metric.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}

fn rows(snapshot: &Snapshot) -> Vec<(Row, Vec<Series>)> {
    let tristate = |known: Option<bool>| known.map_or(-1, i64::from);
    let each = |value: &dyn Fn(&Gauges) -> Option<i64>| -> Vec<Series> {
        let series = snapshot.resources.iter();
        series.filter_map(|one| Some((vec![one.namespace.clone(), one.name.clone()], value(one)?))).collect()
    };
    let with = |one: &Gauges, last: &str| vec![one.namespace.clone(), one.name.clone(), last.to_owned()];
    let sealed = snapshot
        .resources
        .iter()
        .flat_map(|one| one.pods.iter().map(move |(pod, sealed)| (with(one, pod), i64::from(*sealed))));
    let phases = snapshot.resources.iter().filter_map(|one| Some((with(one, one.init_phase?), 1)));
    let causes = snapshot.resources.iter().filter_map(|one| Some((with(one, one.cause?), 1)));
    vec![
        (WOULD_START, each(&|one| Some(tristate(one.would_start)))),
        (COLD_START, each(&|one| Some(tristate(one.cold_start)))),
        (EXPIRY, each(&|one| one.expiry)),
        (REACHABLE, each(&|one| Some(i64::from(one.reachable)))),
        (SEALED, sealed.collect()),
        (DIAGNOSIS, causes.collect()),
        (INIT_PHASE, phases.collect()),
        (BREAKER, snapshot.breakers.iter().map(|server| (vec![server.clone()], 1)).collect()),
        (LEADER, vec![(Vec::new(), i64::from(snapshot.leader))]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gauges_are_there_as_long_as_their_resource() {
        let metrics = Metrics::new("0.0.0", true);
        let one = Gauges {
            namespace: "vault".to_owned(),
            name: "b".to_owned(),
            would_start: Some(false),
            cause: Some("TokenDead"),
            init_phase: Some("Stored"),
            pods: vec![("vault-0".to_owned(), true)],
            ..Gauges::default()
        };
        metrics.read_from(move || Snapshot { resources: vec![one.clone()], breakers: Vec::new(), leader: true });
        let text = metrics.text();
        for line in [
            "holdfast_vault_would_start{namespace=\"vault\",name=\"b\"} 0",
            "holdfast_vault_cold_start{namespace=\"vault\",name=\"b\"} -1",
            "holdfast_vault_sealed{namespace=\"vault\",name=\"b\",pod=\"vault-0\"} 1",
            "holdfast_vault_diagnosis{namespace=\"vault\",name=\"b\",cause=\"TokenDead\"} 1",
            "holdfast_vault_init_phase{namespace=\"vault\",name=\"b\",phase=\"Stored\"} 1",
            "holdfast_vault_leader 1",
            "holdfast_build_info{version=\"0.0.0\",loopback_allowed=\"true\"} 1",
            "holdfast_vault_renewals_total{result=\"success\"} 0",
        ] {
            assert!(text.lines().any(|shown| shown == line), "{line}\n{text}");
        }
        assert!(!text.contains("expiry_timestamp_seconds{"), "{text}");
    }
}
