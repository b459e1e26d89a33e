//! Nodes, volumes and claims.

use serde_json::{Value, json};

use super::{Manifest, object, push};
use crate::Kind;

/// A node. Unless told otherwise it is ready and has room for anything.
#[derive(Clone, Debug)]
pub struct NodeBuilder(Value);

impl Manifest for NodeBuilder {
    fn json(&mut self) -> &mut Value {
        &mut self.0
    }
}

/// A node, with the label that every node has.
#[must_use]
pub fn node(name: &str) -> NodeBuilder {
    let built = NodeBuilder(object(Kind::Node, name)).labels([("kubernetes.io/hostname", name)]);
    built.ready(true).with("/status/allocatable", json!({ "cpu": "64", "memory": "512Gi", "pods": "10000" }))
}

impl NodeBuilder {
    /// Whether its condition `Ready` is true.
    #[must_use]
    pub fn ready(mut self, ready: bool) -> Self {
        let status = if ready { "True" } else { "False" };
        self.0["status"]["conditions"] = json!([{ "type": "Ready", "status": status }]);
        self
    }

    /// No new pod comes.
    #[must_use]
    pub fn cordoned(self) -> Self {
        self.with("/spec/unschedulable", true).tainted("node.kubernetes.io/unschedulable", "NoSchedule")
    }

    /// Has a taint without a value.
    #[must_use]
    pub fn tainted(mut self, key: &str, effect: &str) -> Self {
        push(&mut self.0["spec"]["taints"], json!({ "key": key, "effect": effect }));
        self
    }

    /// Has room for so much: `room("2", "4Gi", 110)`.
    #[must_use]
    pub fn room(self, cpu: &str, memory: &str, pods: u32) -> Self {
        self.with("/status/allocatable", json!({ "cpu": cpu, "memory": memory, "pods": pods.to_string() }))
    }

    /// Its kubelet has never said anything.
    #[must_use]
    pub fn without_status(self) -> Self {
        self.with("/status", json!({}))
    }
}

/// A PersistentVolume or the claim for one.
#[derive(Clone, Debug)]
pub struct VolumeBuilder(Value);

impl Manifest for VolumeBuilder {
    fn json(&mut self) -> &mut Value {
        &mut self.0
    }
}

/// A volume that can be reached from anywhere.
#[must_use]
pub fn volume(name: &str) -> VolumeBuilder {
    VolumeBuilder(object(Kind::PersistentVolume, name))
}

/// A claim that isn't bound yet.
#[must_use]
pub fn claim(path: &str) -> VolumeBuilder {
    VolumeBuilder(object(Kind::PersistentVolumeClaim, path))
}

impl VolumeBuilder {
    /// A volume that can be reached from nodes with this label only.
    #[must_use]
    pub fn near(self, key: &str, value: &str) -> Self {
        let expression = json!({ "key": key, "operator": "In", "values": [value] });
        let terms = json!([{ "matchExpressions": [expression] }]);
        self.with("/spec/nodeAffinity/required/nodeSelectorTerms", terms)
    }

    /// A claim that is bound to this volume.
    #[must_use]
    pub fn bound_to(self, volume: &str) -> Self {
        self.with("/spec/volumeName", volume)
    }

    /// A volume that is bound to this claim, given as `namespace/name`.
    #[must_use]
    pub fn claimed_by(self, claim: &str) -> Self {
        let (namespace, name) = claim.split_once('/').unwrap_or(("", claim));
        self.with("/spec/claimRef", json!({ "namespace": namespace, "name": name }))
    }
}
