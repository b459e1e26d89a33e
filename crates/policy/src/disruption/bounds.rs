//! Between how many replicas a workload may have.

use holdfast_model::NamespaceView;
use holdfast_model::facts::{ScalerSource, Workload};

/// The least and most replicas of a workload, and those asked for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The least replicas.
    pub floor: u32,
    /// The most replicas.
    pub ceiling: u32,
    /// `spec.replicas`; absent, 1 or the autoscaler's floor.
    pub asked: u32,
    /// What may change the replicas.
    pub scaler: Option<ScalerSource>,
}

impl Bounds {
    /// Reads them from the workload and its autoscaler.
    ///
    /// `spec.replicas` that a file leaves out is the autoscaler's to say: no less than its floor, once it has looked.
    ///
    /// `spec.replicas: 0` comes first, since it switches an autoscaler off
    /// (`kubernetes/pkg/controller/podautoscaler/horizontal.go`: "scaling disabled"); then KEDA, whose own
    /// HorizontalPodAutoscaler is not counted beside it, but tells the bounds where the ScaledObject isn't known.
    #[must_use]
    pub fn of(workload: &Workload, view: NamespaceView<'_>) -> Self {
        let scaler = view.scaler_of(&workload.id);
        let asked = workload.replicas.unwrap_or_else(|| scaler.map_or(1, |scaler| scaler.floor.max(1)));
        let fixed = |replicas| Self { floor: replicas, ceiling: replicas, asked, scaler: None };
        match scaler {
            Some(scaler) if 0 < asked => {
                let ceiling = scaler.ceiling.max(scaler.floor);
                Self { floor: scaler.floor, ceiling, asked, scaler: Some(scaler.source) }
            }
            _ => fixed(asked),
        }
    }
}
