//! Who may talk to whom, and how it is encrypted.

pub(super) mod network_policy_missing;
pub(super) mod route_without_tls;
pub(super) mod tls_minimum_version;
