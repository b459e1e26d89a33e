//! A container: what it may do, and how the node's network comes into it.

use serde::Deserialize;

use super::SecurityContext;
use super::nulls;

/// A container of any of the three lists.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Container {
    /// Its name, by which violations call it.
    #[serde(deserialize_with = "nulls::plain")]
    pub name: Box<str>,
    /// What it may do.
    pub security_context: Option<Box<SecurityContext>>,
    /// In the order of the manifest.
    #[serde(deserialize_with = "nulls::list")]
    pub ports: Vec<Port>,
    /// A probe.
    pub liveness_probe: Option<Handler>,
    /// A probe.
    pub readiness_probe: Option<Handler>,
    /// A probe.
    pub startup_probe: Option<Handler>,
    /// What is done at its start and end.
    pub lifecycle: Option<Box<Lifecycle>>,
}

/// A port of a container.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Port {
    /// In the container.
    #[serde(deserialize_with = "nulls::plain")]
    pub container_port: i32,
    /// On the node; 0 is none.
    #[serde(deserialize_with = "nulls::plain")]
    pub host_port: i32,
}

/// What is done at the start and the end of a container.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Lifecycle {
    /// Behind the start.
    pub post_start: Option<Handler>,
    /// Before the end.
    pub pre_stop: Option<Handler>,
}

/// A probe or a hook.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Handler {
    /// A request.
    pub http_get: Option<Action>,
    /// A connection.
    pub tcp_socket: Option<Action>,
}

/// A request or a connection.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Action {
    /// Where to; empty is the pod itself.
    #[serde(deserialize_with = "nulls::plain")]
    pub host: Box<str>,
}
