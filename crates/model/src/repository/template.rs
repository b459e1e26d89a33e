//! Pod templates, as far as rules about files ask: containers, spreading, priority.
//!
//! Only templates that are known whole are here. What was inferred from values without its containers says nothing about
//! its pods, and is left out by whoever reads.

use super::Identity;
use crate::{Text, WorkloadKind};

/// A workload's pod template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The workload.
    pub identity: Identity,
    /// Its kind.
    pub kind: WorkloadKind,
    /// `spec.replicas`, of what has it; absent means 1.
    pub replicas: Option<u32>,
    /// Where its pod spec is, as a field path: `spec.template.spec`.
    pub at: &'static str,
    /// Whether it asks for an anti-affinity or a topology spread of any kind.
    pub spread: bool,
    /// `priorityClassName`.
    pub priority: Option<Text>,
    /// Its containers, those that only initialize last.
    pub containers: Vec<Container>,
}

/// A container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// Its name.
    pub name: Text,
    /// Its field path.
    pub at: Text,
    /// The image as it is written; none when nothing says it.
    pub image: Option<Text>,
    /// Whether it ends before the others start. A sidecar among the init containers doesn't.
    pub initializes: bool,
    /// What it asks for, of the pod as a whole too.
    pub requests: Amounts,
    /// What it may use, of the pod as a whole too.
    pub limits: Amounts,
}

/// Which amounts are given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    /// An amount of processor time.
    pub cpu: bool,
    /// An amount of memory.
    pub memory: bool,
}

impl Amounts {
    /// What either gives.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self { cpu: self.cpu || other.cpu, memory: self.memory || other.memory }
    }
}
