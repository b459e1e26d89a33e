//! Probes: whom they ask, and how early they can say yes. What isn't a number, which only a file can hold, counts as not said.

use holdfast_pod_security::shape;
use serde::Deserialize;

use super::placement::Quantity;

/// How often a probe asks that doesn't say it, in seconds.
const PERIOD: u32 = 10;

/// A probe: whom it asks, which Pod Security reads, and how early it can say yes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Probe {
    http_get: Option<shape::Action>,
    tcp_socket: Option<shape::Action>,
    initial_delay_seconds: Quantity,
    period_seconds: Quantity,
    success_threshold: Quantity,
}

impl Probe {
    /// Whom it asks.
    pub(super) fn handler(self) -> shape::Handler {
        shape::Handler { http_get: self.http_get, tcp_socket: self.tcp_socket }
    }

    /// Seconds before it asks for the first time.
    pub(super) fn delay(&self) -> u32 {
        self.initial_delay_seconds.whole().unwrap_or(0)
    }

    /// Seconds until it has asked so often as it must hear yes.
    pub(super) fn again(&self) -> u32 {
        let times = self.success_threshold.whole().unwrap_or(1).saturating_sub(1);
        times.saturating_mul(self.period_seconds.whole().unwrap_or(PERIOD))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use crate::builders::{Manifest as _, deployment};

    #[rstest]
    #[case::no_probe(json!([{ "name": "a" }]), 0)]
    #[case::a_delay(json!([{ "name": "a", "readinessProbe": { "initialDelaySeconds": 30 } }]), 30)]
    #[case::the_later_of_two_containers(
        json!([{ "name": "a", "readinessProbe": { "initialDelaySeconds": 30 } }, { "name": "b", "startupProbe": { "initialDelaySeconds": 40 } }]),
        40
    )]
    #[case::both_probes_wait_from_the_start(
        json!([{ "name": "a", "startupProbe": { "initialDelaySeconds": 40 }, "readinessProbe": { "initialDelaySeconds": 30 } }]),
        40
    )]
    #[case::more_than_one_yes(
        json!([{ "name": "a", "readinessProbe": { "initialDelaySeconds": 30, "successThreshold": 3, "periodSeconds": 5 } }]),
        40
    )]
    #[case::every_ten_seconds_unless_told(json!([{ "name": "a", "readinessProbe": { "successThreshold": 2 } }]), 10)]
    #[case::liveness_says_nothing(json!([{ "name": "a", "livenessProbe": { "initialDelaySeconds": 90 } }]), 0)]
    #[case::no_number(json!([{ "name": "a", "readinessProbe": { "initialDelaySeconds": "${DELAY}" } }]), 0)]
    #[case::below_zero(json!([{ "name": "a", "readinessProbe": { "initialDelaySeconds": -5 } }]), 0)]
    fn how_soon_a_pod_is_ready_at_the_earliest(#[case] containers: serde_json::Value, #[case] seconds: u32) {
        let cluster =
            crate::Cluster::default().with(deployment("shop/web").with("/spec/template/spec/containers", containers));
        let view = cluster.namespace(&"shop".into()).unwrap();
        assert_eq!(view.workloads().next().unwrap().placement.ready_after, seconds);
    }
}
