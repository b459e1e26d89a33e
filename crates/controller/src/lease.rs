//! Which Lease this controller holds, as whom, and what has to work for its heartbeat.

use holdfast_runtime::lease::{Candidacy, Heartbeat};

use crate::access::LEASE;

const FIELD_MANAGER: &str = "holdfast/lease";

/// `identity` as a candidate for our Lease.
pub(crate) fn candidacy(namespace: &str, identity: String) -> Candidacy {
    Candidacy { namespace: namespace.to_owned(), name: LEASE.to_owned(), identity, field_manager: FIELD_MANAGER }
}

/// The heartbeats of all that evaluates: the leader is well when each of them beats.
#[derive(Debug, Clone)]
pub(crate) struct Pulse {
    /// Of the engine, which plans.
    pub(crate) decide: Heartbeat,
    /// Of the drain forecast, by which upgrades begin.
    pub(crate) forecast: Heartbeat,
}

impl Pulse {
    pub(crate) fn hearts(&self) -> [Heartbeat; 2] {
        [self.decide.clone(), self.forecast.clone()]
    }
}

impl Default for Pulse {
    fn default() -> Self {
        Self { decide: Heartbeat::new("decide"), forecast: Heartbeat::new("forecast") }
    }
}
