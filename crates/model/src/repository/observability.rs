//! What watches a cluster: alerts, objectives, traces, logs.

use super::Identity;
use crate::Text;

/// The facts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observability {
    /// Objects with alerts.
    pub alerts: Vec<Alerts>,
    /// What collects metrics or sends alerts.
    pub monitors: Vec<Monitor>,
    /// How many objects say how much may fail: of Sloth, of Pyrra, rules about burn rates.
    pub objectives: usize,
    /// Whether kube-prometheus-stack brings that of the API server.
    pub api_server_objective: bool,
    /// How many objects tell an Alertmanager of receivers.
    pub receivers: usize,
    /// What sends traces.
    pub tracers: Vec<Tracer>,
    /// What keeps logs.
    pub log_stores: Vec<LogStore>,
}

/// An object with alerts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alerts {
    /// The object.
    pub identity: Identity,
    /// How many alerts it has.
    pub total: usize,
    /// Names and fields of those without a severity, in order.
    pub without_severity: Vec<(Text, Text)>,
}

/// What collects metrics or sends alerts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Monitor {
    /// The object.
    pub identity: Identity,
    /// What it is: `Prometheus` or `Alertmanager`.
    pub what: &'static str,
    /// The field of its replicas, or the nearest above it.
    pub field: Text,
    /// How many replicas it has; one where nothing is said.
    pub replicas: u32,
    /// Whether others write to it, so that two know different things.
    pub receives: bool,
    /// Whether it is an Alertmanager none of whose receivers sends anything.
    pub mute: bool,
}

/// What sends traces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tracer {
    /// The object.
    pub identity: Identity,
    /// The field of its tracing.
    pub field: Text,
    /// Whether it says which part of the requests is traced.
    pub sampled: bool,
}

/// What keeps logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogStore {
    /// The object.
    pub identity: Identity,
    /// The field of its retention, or the nearest above it.
    pub field: Text,
    /// How long logs are kept.
    pub retention: Retention,
}

/// How long logs are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retention {
    /// Until they are too old.
    Limited,
    /// A period is given that nothing enforces.
    NotEnforced,
    /// For ever.
    Unlimited,
}
