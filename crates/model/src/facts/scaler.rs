//! Autoscalers: what may change a workload's replicas, and between which bounds.

use crate::OwnerRef;

/// An autoscaler of a workload in its namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scaler {
    /// Which kind of autoscaler.
    pub source: ScalerSource,
    /// What it scales.
    pub target: OwnerRef,
    /// The least replicas it may set.
    pub floor: u32,
    /// The most replicas it may set.
    pub ceiling: u32,
}

/// Which kind of autoscaler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScalerSource {
    /// A KEDA ScaledObject.
    ScaledObject,
    /// A HorizontalPodAutoscaler of its own.
    Autoscaler,
    /// The HorizontalPodAutoscaler that KEDA makes for a ScaledObject; not counted beside it.
    KedaAutoscaler,
}
