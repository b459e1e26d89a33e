//! Pods.

use serde_json::{Value, json};

use super::{Manifest, merge, object, push};
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

    /// Is ready since then.
    #[must_use]
    pub fn ready_since(mut self, time: &str) -> Self {
        self.0["status"]["conditions"] = json!([{ "type": "Ready", "status": "True", "lastTransitionTime": time }]);
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

    /// Mounts a claim.
    #[must_use]
    pub fn mounting(mut self, claim: &str) -> Self {
        push(&mut self.0["spec"]["volumes"], json!({ "name": claim, "persistentVolumeClaim": { "claimName": claim } }));
        self
    }

    /// Keeps data in a volume that goes with it.
    #[must_use]
    pub fn with_empty_dir(mut self) -> Self {
        push(&mut self.0["spec"]["volumes"], json!({ "name": "data", "emptyDir": {} }));
        self
    }

    /// Asks for this much: `asking("500m", "1Gi")`.
    #[must_use]
    pub fn asking(mut self, cpu: &str, memory: &str) -> Self {
        let requests = json!({ "cpu": cpu, "memory": memory });
        push(&mut self.0["spec"]["containers"], json!({ "name": "main", "resources": { "requests": requests } }));
        self
    }

    /// Wants a node with this label.
    #[must_use]
    pub fn on_nodes_with(mut self, key: &str, value: &str) -> Self {
        merge(&mut self.0["spec"]["nodeSelector"], [(key, value)]);
        self
    }

    /// Bears a taint, whatever its value and effect.
    #[must_use]
    pub fn tolerating(mut self, key: &str) -> Self {
        push(&mut self.0["spec"]["tolerations"], json!({ "key": key, "operator": "Exists" }));
        self
    }

    /// Must not run on nodes with the same value of this label as a pod with that label.
    #[must_use]
    pub fn apart_from(mut self, key: &str, value: &str, topology: &str) -> Self {
        let term = json!({ "labelSelector": { "matchLabels": { key: value } }, "topologyKey": topology });
        let terms = "requiredDuringSchedulingIgnoredDuringExecution";
        push(&mut self.0["spec"]["affinity"]["podAntiAffinity"][terms], term);
        self
    }

    /// Must be spread, with one more pod of that label at most, over nodes with different values of the topology's label.
    #[must_use]
    pub fn spread_over(mut self, topology: &str, key: &str, value: &str) -> Self {
        let constraint = json!({
            "maxSkew": 1, "topologyKey": topology, "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": { "matchLabels": { key: value } },
        });
        push(&mut self.0["spec"]["topologySpreadConstraints"], constraint);
        self
    }
}
