//! Nodes, and the volumes that keep pods on some of them.

use super::NodeTerms;
use crate::quantity::Milli;
use crate::{Labels, ObjectKey, Text};

/// A Node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its labels, which pods choose by.
    pub labels: Labels,
    /// Whether it is cordoned: no new pod comes.
    pub cordoned: bool,
    /// Taints that keep pods away; those that only discourage are left out.
    pub taints: Box<[Taint]>,
    /// Whether its condition `Ready` is true; none when its kubelet has never said.
    pub ready: Option<bool>,
    /// What its pods may ask for; none when its kubelet has never said.
    pub allocatable: Option<Room>,
}

/// The taint that a cordon brings.
pub const CORDON: &str = "node.kubernetes.io/unschedulable";

/// With what the keys of taints begin that come and go with the state of a node: not ready, unreachable, short of memory,
/// cordoned, not yet known to its cloud.
const PASSING: [&str; 2] = ["node.kubernetes.io/", "node.cloudprovider.kubernetes.io/"];

impl Node {
    /// The taints that somebody gave it to keep pods away for good.
    pub fn lasting_taints(&self) -> impl Iterator<Item = &Taint> {
        self.taints.iter().filter(|taint| !taint.is_passing())
    }

    /// The taints that tell of its state, without that of a cordon.
    pub fn passing_taints(&self) -> impl Iterator<Item = &Taint> {
        self.taints.iter().filter(|taint| taint.is_passing() && taint.key != CORDON)
    }
}

impl Taint {
    fn is_passing(&self) -> bool {
        PASSING.iter().any(|prefix| self.key.starts_with(prefix))
    }
}

/// A taint of effect `NoSchedule` or `NoExecute`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taint {
    /// Its key.
    pub key: Text,
    /// Its value; often empty.
    pub value: Text,
    /// Whether it also drives pods away that run there already.
    pub evicts: bool,
}

/// Room for pods, or what pods take of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Room {
    /// Processors.
    pub cpu: Milli,
    /// Bytes of memory.
    pub memory: Milli,
    /// Pods.
    pub pods: u32,
}

impl Room {
    /// What both take.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            cpu: self.cpu.plus(other.cpu),
            memory: self.memory.plus(other.memory),
            pods: self.pods.saturating_add(other.pods),
        }
    }

    /// What is left of it without the other.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self {
            cpu: self.cpu.minus(other.cpu),
            memory: self.memory.minus(other.memory),
            pods: self.pods.saturating_sub(other.pods),
        }
    }

    /// Whether something that takes `wanted` fits. What asks for nothing fits where nothing is left
    /// (`kubernetes/pkg/scheduler/framework/plugins/noderesources/fit.go`).
    #[must_use]
    pub fn holds(self, wanted: Self) -> bool {
        let fits = |wanted: Milli, left: Milli| wanted <= Milli(0) || wanted <= left;
        fits(wanted.cpu, self.cpu) && fits(wanted.memory, self.memory) && wanted.pods <= self.pods
    }
}

/// A PersistentVolume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// The nodes from which it can be reached; no term means all.
    pub nodes: NodeTerms,
    /// The claim that it is bound to, or kept for.
    pub claim: Option<ObjectKey>,
}

/// A PersistentVolumeClaim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The volume it is bound to.
    pub volume: Option<Text>,
}
