//! What a drain meets that the disruption rules don't see in a `Cluster`: budgets that an operator will make, and
//! autoscalers by what they scale.

use super::Identity;
use crate::{Text, WorkloadKind};

/// The facts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disruption {
    /// CloudNativePG clusters.
    pub databases: Vec<Database>,
    /// The floors of autoscalers.
    pub floors: Vec<Floor>,
}

/// A `Cluster` of `postgresql.cnpg.io`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    /// The cluster.
    pub identity: Identity,
    /// `spec.instances`; absent means 1.
    pub instances: u32,
    /// `spec.enablePDB`; absent means true.
    pub budget: bool,
    /// Whether it is hibernated, and so has no pods.
    pub hibernated: bool,
    /// Whether `spec.nodeMaintenanceWindow.inProgress` takes its budget away.
    pub maintained: bool,
}

/// The least replicas that an autoscaler leaves a workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Floor {
    /// The namespace.
    pub namespace: Text,
    /// The kind of what it scales.
    pub kind: WorkloadKind,
    /// The name of what it scales.
    pub name: Text,
    /// At least so many.
    pub least: u32,
}
