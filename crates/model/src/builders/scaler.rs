//! Autoscalers.

use serde_json::{Value, json};

use super::{Manifest, object};
use crate::Kind;

/// An autoscaler.
#[derive(Clone, Debug)]
pub struct ScalerBuilder(Value, Kind);

impl Manifest for ScalerBuilder {
    fn json(&mut self) -> &mut Value {
        &mut self.0
    }
}

/// A HorizontalPodAutoscaler.
#[must_use]
pub fn hpa(path: &str) -> ScalerBuilder {
    ScalerBuilder(object(Kind::HorizontalPodAutoscaler, path), Kind::HorizontalPodAutoscaler)
}

/// A KEDA ScaledObject.
#[must_use]
pub fn scaled_object(path: &str) -> ScalerBuilder {
    ScalerBuilder(object(Kind::ScaledObject, path), Kind::ScaledObject)
}

impl ScalerBuilder {
    /// Scales a workload of the group `apps`.
    #[must_use]
    pub fn of(mut self, kind: &str, name: &str) -> Self {
        self.0["spec"]["scaleTargetRef"] = json!({ "apiVersion": "apps/v1", "kind": kind, "name": name });
        self
    }

    /// Sets the least replicas.
    #[must_use]
    pub fn least(mut self, replicas: i64) -> Self {
        let field = if self.1 == Kind::ScaledObject { "minReplicaCount" } else { "minReplicas" };
        self.0["spec"][field] = replicas.into();
        self
    }

    /// Sets the most replicas.
    #[must_use]
    pub fn most(mut self, replicas: i64) -> Self {
        let field = if self.1 == Kind::ScaledObject { "maxReplicaCount" } else { "maxReplicas" };
        self.0["spec"][field] = replicas.into();
        self
    }

    /// Sets the replicas of a ScaledObject without work.
    #[must_use]
    pub fn idle(mut self, replicas: i64) -> Self {
        self.0["spec"]["idleReplicaCount"] = replicas.into();
        self
    }

    /// Fixes the replicas of a ScaledObject.
    #[must_use]
    pub fn paused_at(self, replicas: &str) -> Self {
        self.annotated("autoscaling.keda.sh/paused-replicas", replicas)
    }

    /// Is the HorizontalPodAutoscaler that KEDA makes for a ScaledObject.
    #[must_use]
    pub fn of_scaled_object(self, name: &str) -> Self {
        self.owned_by("keda.sh/v1alpha1", "ScaledObject", name)
    }
}
