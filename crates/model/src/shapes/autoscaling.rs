//! HorizontalPodAutoscalers and KEDA's ScaledObjects.

use k8s_openapi::api::autoscaling::v2 as api;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube_derive::Resource;
use serde::Deserialize;

use super::{Shape, annotation, count, custom_resource, meta, owner};
use crate::facts::{Fact, Scaler, ScalerSource};
use crate::{Kind, OwnerRef, Text};

/// KEDA's own default of `maxReplicaCount` (`keda/pkg/scaling`: 100).
const KEDA_MAX: u32 = 100;
const PAUSED_REPLICAS: &str = "autoscaling.keda.sh/paused-replicas";

/// A HorizontalPodAutoscaler.
#[derive(Clone, Debug, Deserialize, Resource)]
#[resource(inherit = "api::HorizontalPodAutoscaler", crates(kube_core = "::kube_core"))]
pub struct HorizontalPodAutoscaler {
    #[serde(deserialize_with = "meta::slim")]
    metadata: ObjectMeta,
    #[serde(default)]
    spec: HpaSpec,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct HpaSpec {
    scale_target_ref: Target,
    min_replicas: Option<i32>,
    max_replicas: i32,
}

/// A KEDA ScaledObject.
#[derive(Clone, Debug, Deserialize)]
pub struct ScaledObject {
    #[serde(deserialize_with = "meta::slim")]
    metadata: ObjectMeta,
    #[serde(default)]
    spec: ScaledObjectSpec,
}

custom_resource!(ScaledObject, Kind::ScaledObject, "scaledobjects");

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ScaledObjectSpec {
    scale_target_ref: Target,
    min_replica_count: Option<i32>,
    idle_replica_count: Option<i32>,
    max_replica_count: Option<i32>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Target {
    api_version: Option<String>,
    kind: Option<Text>,
    name: Text,
}

impl Target {
    /// The target; KEDA's default is a Deployment.
    fn owner_ref(self) -> OwnerRef {
        let version = self.api_version.as_deref().unwrap_or("apps/v1");
        let group = version.split_once('/').map_or("", |(group, _)| group);
        OwnerRef { group: group.into(), kind: self.kind.unwrap_or_else(|| "Deployment".into()), name: self.name }
    }
}

impl Shape for HorizontalPodAutoscaler {
    const KIND: Kind = Kind::HorizontalPodAutoscaler;

    fn fact(self) -> Fact {
        let of_keda = owner(&self.metadata).is_some_and(|owner| owner.is(Kind::ScaledObject));
        Fact::Scaler(Scaler {
            source: if of_keda { ScalerSource::KedaAutoscaler } else { ScalerSource::Autoscaler },
            target: self.spec.scale_target_ref.owner_ref(),
            floor: count(self.spec.min_replicas.unwrap_or(1)),
            ceiling: count(self.spec.max_replicas),
        })
    }
}

impl Shape for ScaledObject {
    const KIND: Kind = Kind::ScaledObject;

    fn fact(self) -> Fact {
        let paused = annotation(&self.metadata, PAUSED_REPLICAS).and_then(|text| text.parse().ok());
        let least = [self.spec.min_replica_count.unwrap_or(0)].into_iter().chain(self.spec.idle_replica_count).min();
        let (floor, ceiling) = match paused {
            Some(replicas) => (replicas, replicas),
            None => (count(least.unwrap_or(0)), self.spec.max_replica_count.map_or(KEDA_MAX, count)),
        };
        let target = self.spec.scale_target_ref.owner_ref();
        Fact::Scaler(Scaler { source: ScalerSource::ScaledObject, target, floor, ceiling })
    }
}

#[cfg(test)]
mod tests {
    //! What autoscalers say of the replicas.

    use rstest::rstest;
    use serde_json::{Value, json};

    use super::{HorizontalPodAutoscaler, ScaledObject};
    use crate::builders::{Manifest, hpa, scaled_object};
    use crate::facts::{Fact, Scaler, ScalerSource};
    use crate::shapes::Shape;

    fn read<S: Shape>(object: impl Manifest) -> Scaler {
        let shape: S = serde_json::from_value(object.build()).unwrap();
        let Fact::Scaler(scaler) = shape.fact() else { panic!("an autoscaler becomes an autoscaler") };
        scaler
    }

    #[rstest]
    #[case::both(hpa("shop/web").least(2).most(5), 2, 5)]
    #[case::the_least_is_one_unless_told(hpa("shop/web").most(5), 1, 5)]
    #[case::to_zero(hpa("shop/web").least(0).most(5), 0, 5)]
    #[case::negative_counts_mean_none(hpa("shop/web").least(-3).most(-1), 0, 0)]
    fn a_horizontal_pod_autoscaler(#[case] object: impl Manifest, #[case] floor: u32, #[case] ceiling: u32) {
        let scaler = read::<HorizontalPodAutoscaler>(object);
        assert_eq!((scaler.floor, scaler.ceiling, scaler.source), (floor, ceiling, ScalerSource::Autoscaler));
    }

    #[rstest]
    #[case::both(scaled_object("shop/web").least(2).most(5), 2, 5)]
    #[case::the_least_is_none_unless_told(scaled_object("shop/web").most(5), 0, 5)]
    #[case::the_most_is_a_hundred_unless_told(scaled_object("shop/web").least(2), 2, 100)]
    #[case::idle_is_less_than_least(scaled_object("shop/web").least(2).idle(0).most(5), 0, 5)]
    #[case::paused_fixes_both(scaled_object("shop/web").least(2).most(5).paused_at("3"), 3, 3)]
    #[case::paused_at_none(scaled_object("shop/web").least(2).most(5).paused_at("0"), 0, 0)]
    #[case::paused_at_no_number_is_not_paused(scaled_object("shop/web").least(2).most(5).paused_at("yes"), 2, 5)]
    fn a_scaled_object(#[case] object: impl Manifest, #[case] floor: u32, #[case] ceiling: u32) {
        let scaler = read::<ScaledObject>(object);
        assert_eq!((scaler.floor, scaler.ceiling, scaler.source), (floor, ceiling, ScalerSource::ScaledObject));
    }

    #[test]
    fn the_autoscaler_that_keda_makes_is_known_as_such() {
        let scaler = read::<HorizontalPodAutoscaler>(hpa("shop/keda-hpa-web").most(5).of_scaled_object("web"));
        assert_eq!(scaler.source, ScalerSource::KedaAutoscaler);
    }

    #[rstest]
    #[case::a_deployment_unless_told(json!({ "name": "web" }), Some("Deployment web"))]
    #[case::as_told(json!({ "apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db" }), Some("StatefulSet db"))]
    #[case::another_group(json!({ "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "web" }), None)]
    #[case::the_same_kind_of_another_group(
        json!({ "apiVersion": "apps.kruise.io/v1", "kind": "StatefulSet", "name": "db" }), None
    )]
    fn what_is_scaled(#[case] target: Value, #[case] expected: Option<&str>) {
        let scaler = read::<ScaledObject>(scaled_object("shop/web").with("/spec/scaleTargetRef", target));
        assert_eq!(scaler.target.workload().map(|id| id.to_string()).as_deref(), expected);
    }
}
