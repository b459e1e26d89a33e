//! The gauges, as they are at the moment of a scrape.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, OnceLock},
};

use holdfast_runtime::metrics::{Row, Type};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _},
    metrics::{MetricType, gauge::ConstGauge},
};

use super::{CONTROLLER, Dimensions, table as rows};

/// Fills in a snapshot.
pub(super) type Source = Box<dyn Fn(&mut Snapshot) + Send + Sync>;

/// A metric's name, and the values of its labels.
type Key = (&'static str, [&'static str; 2]);

/// Every gauge at 0 until it is set.
#[derive(Debug, Clone, Default)]
pub(crate) struct Snapshot(BTreeMap<Key, u64>);

impl Snapshot {
    fn new(dimensions: &Dimensions) -> Self {
        let mut zeros = Self::default();
        for row in [
            &rows::VIEW_STALE,
            &rows::WRITE_QUEUE,
            &rows::LEADER,
            &rows::DRAINABLE,
            &rows::UPGRADE_IN_PROGRESS,
            &rows::DRAIN_STUCK,
        ] {
            zeros.declare(row, ["", ""]);
        }
        for row in [&rows::QUEUE_DEPTH, &rows::MASTER_STATUS] {
            zeros.declare(row, [CONTROLLER, ""]);
        }
        for kind in &dimensions.kinds {
            for row in [&rows::VIEW_SYNCED, &rows::VIEW_OBJECTS, &rows::VIEW_MALFORMED] {
                zeros.declare(row, [kind, ""]);
            }
        }
        for verdict in &dimensions.verdicts {
            zeros.declare(&rows::NODES, [verdict, ""]);
        }
        for level in &dimensions.levels {
            zeros.declare(&rows::NAMESPACE_LEVEL, [level, ""]);
        }
        for (rule, severity) in &dimensions.rules {
            zeros.declare(&rows::FINDINGS, [rule, severity]);
        }
        for concern in &dimensions.braking {
            zeros.declare(&rows::BRAKE_ENGAGED, [concern, ""]);
        }
        for concern in &dimensions.managing {
            zeros.declare(&rows::FREEZE_ENGAGED, [concern, ""]);
            for state in &dimensions.workload_states {
                zeros.declare(&rows::WORKLOADS, [concern, state]);
            }
        }
        zeros
    }

    /// Whether a kind is listed and its watch connected, how many objects are known, and how many can't be decoded.
    pub(crate) fn view(&mut self, kind: &'static str, synced: bool, objects: usize, malformed: usize) {
        self.set(&rows::VIEW_SYNCED, [kind, ""], u64::from(synced));
        self.set(&rows::VIEW_OBJECTS, [kind, ""], count(objects));
        self.set(&rows::VIEW_MALFORMED, [kind, ""], count(malformed));
    }

    pub(crate) fn stale(&mut self, stale: bool) {
        self.set(&rows::VIEW_STALE, ["", ""], u64::from(stale));
    }

    pub(crate) fn findings(&mut self, rule: &'static str, severity: &'static str, findings: usize) {
        self.set(&rows::FINDINGS, [rule, severity], count(findings));
    }

    pub(crate) fn workloads(&mut self, concern: &'static str, state: &'static str, workloads: usize) {
        self.set(&rows::WORKLOADS, [concern, state], count(workloads));
    }

    pub(crate) fn brake(&mut self, concern: &'static str, engaged: bool) {
        self.set(&rows::BRAKE_ENGAGED, [concern, ""], u64::from(engaged));
    }

    pub(crate) fn freeze(&mut self, concern: &'static str, engaged: bool) {
        self.set(&rows::FREEZE_ENGAGED, [concern, ""], u64::from(engaged));
    }

    /// Whether an upgrade is under way, and how many nodes' drains are stuck.
    pub(crate) fn upgrade(&mut self, in_progress: bool, stuck: usize) {
        self.set(&rows::UPGRADE_IN_PROGRESS, ["", ""], u64::from(in_progress));
        self.set(&rows::DRAIN_STUCK, ["", ""], count(stuck));
    }

    pub(crate) fn drainable(&mut self, drainable: bool) {
        self.set(&rows::DRAINABLE, ["", ""], u64::from(drainable));
    }

    pub(crate) fn nodes(&mut self, verdict: &'static str, nodes: usize) {
        self.set(&rows::NODES, [verdict, ""], count(nodes));
    }

    /// How many namespaces meet a level, as the strictest.
    pub(crate) fn level(&mut self, level: &'static str, namespaces: usize) {
        self.set(&rows::NAMESPACE_LEVEL, [level, ""], count(namespaces));
    }

    pub(crate) fn leader(&mut self, leads: bool) {
        self.set(&rows::LEADER, ["", ""], u64::from(leads));
        self.set(&rows::MASTER_STATUS, [CONTROLLER, ""], u64::from(leads));
    }

    /// Writes that wait, and namespaces that wait to be planned.
    pub(crate) fn queues(&mut self, writes: usize, namespaces: usize) {
        self.set(&rows::WRITE_QUEUE, ["", ""], count(writes));
        self.set(&rows::QUEUE_DEPTH, [CONTROLLER, ""], count(namespaces));
    }

    fn series(&self, row: &Row) -> impl Iterator<Item = ([&'static str; 2], u64)> {
        let name = row.name;
        let from = self.0.range((name, ["", ""])..);
        from.take_while(move |((other, _), _)| *other == name).map(|((_, values), value)| (*values, *value))
    }

    fn declare(&mut self, row: &Row, values: [&'static str; 2]) {
        self.0.insert((row.name, values), 0);
    }

    fn set(&mut self, row: &Row, values: [&'static str; 2], value: u64) {
        if let Some(slot) = self.0.get_mut(&(row.name, values)) {
            *slot = value;
        }
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// Reads the gauges when somebody looks.
pub(super) struct Gauges {
    zeros: Snapshot,
    source: Arc<OnceLock<Source>>,
}

impl Gauges {
    pub(super) fn new(dimensions: &Dimensions, source: Arc<OnceLock<Source>>) -> Self {
        Self { zeros: Snapshot::new(dimensions), source }
    }
}

impl fmt::Debug for Gauges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gauges").finish_non_exhaustive()
    }
}

impl Collector for Gauges {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut snapshot = self.zeros.clone();
        if let Some(source) = self.source.get() {
            source(&mut snapshot);
        }
        for row in rows::table().iter().filter(|row| row.kind == Type::Gauge) {
            // The registry adds the full stop to what is registered there.
            let help = format!("{}.", row.help);
            let mut metric = encoder.encode_descriptor(row.name, &help, None, MetricType::Gauge)?;
            for (values, value) in snapshot.series(row) {
                let gauge = ConstGauge::new(value);
                if row.labels.is_empty() {
                    gauge.encode(metric)?;
                    break;
                }
                let labels: Vec<_> = row.labels.iter().copied().zip(values).collect();
                gauge.encode(metric.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}
