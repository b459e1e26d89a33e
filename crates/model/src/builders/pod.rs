//! Pods.

use serde_json::{Value, json};

use super::{Manifest, object};
use crate::Kind;

/// A pod. Unless told otherwise it runs, is Ready and belongs to nobody.
#[derive(Clone, Debug)]
pub struct PodBuilder(Value);

impl Manifest for PodBuilder {
    fn json(&mut self) -> &mut Value {
        &mut self.0
    }
}

/// A pod.
#[must_use]
pub fn pod(path: &str) -> PodBuilder {
    PodBuilder(object(Kind::Pod, path)).phase("Running").ready(true)
}

impl PodBuilder {
    /// Belongs to a Deployment, through the ReplicaSet `<name>-1` (see [`super::replica_set`]).
    #[must_use]
    pub fn of_deployment(self, name: &str) -> Self {
        self.of_replica_set(&format!("{name}-1"))
    }

    /// Belongs to a ReplicaSet.
    #[must_use]
    pub fn of_replica_set(self, name: &str) -> Self {
        self.owned_by("apps/v1", "ReplicaSet", name)
    }

    /// Belongs to a StatefulSet.
    #[must_use]
    pub fn of_stateful_set(self, name: &str) -> Self {
        self.owned_by("apps/v1", "StatefulSet", name)
    }

    /// Belongs to a DaemonSet.
    #[must_use]
    pub fn of_daemon_set(self, name: &str) -> Self {
        self.owned_by("apps/v1", "DaemonSet", name)
    }

    /// Belongs to a Job.
    #[must_use]
    pub fn of_job(self, name: &str) -> Self {
        self.owned_by("batch/v1", "Job", name)
    }

    /// Is the mirror of a static pod.
    #[must_use]
    pub fn of_node(self, name: &str) -> Self {
        self.owned_by("v1", "Node", name)
    }

    /// Belongs to nobody.
    #[must_use]
    pub fn bare(mut self) -> Self {
        self.0["metadata"]["ownerReferences"] = Value::Null;
        self
    }

    /// Whether its condition `Ready` is true.
    #[must_use]
    pub fn ready(mut self, ready: bool) -> Self {
        let status = if ready { "True" } else { "False" };
        self.0["status"]["conditions"] = json!([{ "type": "Ready", "status": status }]);
        self
    }

    /// Has ended well.
    #[must_use]
    pub fn finished(self) -> Self {
        self.phase("Succeeded").ready(false)
    }

    /// Sets its phase.
    #[must_use]
    pub fn phase(mut self, phase: &str) -> Self {
        self.0["status"]["phase"] = phase.into();
        self
    }

    /// Runs on this node.
    #[must_use]
    pub fn on_node(mut self, node: &str) -> Self {
        self.0["spec"]["nodeName"] = node.into();
        self
    }
}
