//! How a metric is declared, registered, counted and shown.
//!
//! Each controller lists its metrics in one table of [`Row`]s, from which names, help and labels are registered and
//! documented. The series of counters are there at 0 from the start, and nothing adds one later.

use prometheus_client::encoding::text;
use prometheus_client::metrics::{counter::Counter, family::Family};
use prometheus_client::registry::{Metric, Registry};

/// The content type of what [`encode`] returns.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Names and values of the labels of one series.
pub type Labels<const N: usize> = [(&'static str, &'static str); N];
/// A counter for each series.
pub type Counters<const N: usize> = Family<Labels<N>, Counter>;

/// What kind of number a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// A distribution.
    Histogram,
    /// Always 1; its labels say something.
    Info,
}

impl Type {
    /// As in the exposition format.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Info => "info",
        }
    }
}

/// One metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// As it is queried.
    pub name: &'static str,
    /// Its type.
    pub kind: Type,
    /// What it says, as a sentence without a full stop.
    pub help: &'static str,
    /// Its labels, in order.
    pub labels: &'static [&'static str],
}

impl Row {
    /// A metric of this type and name, with these labels.
    pub const fn new(kind: Type, name: &'static str, labels: &'static [&'static str], help: &'static str) -> Self {
        Self { name, kind, help, labels }
    }

    /// The labels with these values, one for each label in the order of the declaration.
    pub fn labels<const N: usize>(&self, values: [&'static str; N]) -> Labels<N> {
        debug_assert_eq!(self.labels.len(), N, "{}", self.name);
        let mut names = self.labels.iter();
        values.map(|value| (names.next().copied().unwrap_or_default(), value))
    }

    /// Makes `registry` show `metric` under this name and help.
    pub fn register(&self, registry: &mut Registry, metric: impl Metric) {
        registry.register(self.family(), self.help, metric);
    }

    /// A counter without labels, registered.
    pub fn counter(&self, registry: &mut Registry) -> Counter {
        let counter = Counter::default();
        self.register(registry, counter.clone());
        counter
    }

    /// A counter for each of these label values, registered and at 0.
    pub fn counters<const N: usize>(
        &self,
        registry: &mut Registry,
        series: impl IntoIterator<Item = [&'static str; N]>,
    ) -> Counters<N> {
        let family = Counters::<N>::default();
        for values in series {
            drop(family.get_or_create(&self.labels(values)));
        }
        self.register(registry, family.clone());
        family
    }

    /// The name without the suffix that the format adds to counters and infos.
    pub fn family(&self) -> &'static str {
        let suffix = match self.kind {
            Type::Counter => "_total",
            Type::Info => "_info",
            Type::Gauge | Type::Histogram => "",
        };
        self.name.strip_suffix(suffix).unwrap_or(self.name)
    }
}

/// Adds one to a series that was there from the start; with any other labels it does nothing, so nothing grows with the
/// cluster.
pub fn inc<const N: usize>(counters: &Counters<N>, labels: &Labels<N>) {
    if let Some(counter) = counters.get(labels) {
        counter.inc();
    }
}

/// OpenMetrics text of everything that is registered. What can't be encoded is logged, and the text is empty then.
pub fn encode(registry: &Registry) -> String {
    let mut text = String::new();
    match text::encode(&mut text, registry) {
        Ok(()) => text,
        Err(error) => {
            tracing::error!(%error, "metrics can't be encoded");
            "# EOF\n".to_owned()
        }
    }
}
