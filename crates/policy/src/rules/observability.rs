//! Alerts, objectives, traces and logs.

pub(super) mod alert_severity_missing;
pub(super) mod log_retention_unset;
pub(super) mod monitoring_single_replica;
pub(super) mod slo_missing;
pub(super) mod trace_sampling_unset;
