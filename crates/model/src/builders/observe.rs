//! Any object into the cluster, by what its `kind` says: what watches do kind by kind.

use serde_json::Value;

use crate::shapes::{
    CronJob, DaemonSet, Deployment, HelmRelease, HorizontalPodAutoscaler, Job, Kustomization, Namespace, Pod,
    PodDisruptionBudget, ReplicaSet, ScaledObject, Shape, StatefulSet,
};
use crate::{Cluster, Kind, ObjectKey, Touched};

/// Takes an object in; one that doesn't decode is noted as unreadable, as a watch would.
///
/// # Panics
/// When the object is of a kind that isn't observed.
pub fn observe(cluster: &mut Cluster, object: &Value) -> Touched {
    let written = object["kind"].as_str().unwrap_or_default();
    let kind = Kind::ALL.into_iter().find(|kind| kind.as_str() == written);
    let Some(kind) = kind else { panic!("{written:?} is not a kind that is observed") };
    match kind {
        Kind::Namespace => decode::<Namespace>(cluster, object),
        Kind::Deployment => decode::<Deployment>(cluster, object),
        Kind::StatefulSet => decode::<StatefulSet>(cluster, object),
        Kind::DaemonSet => decode::<DaemonSet>(cluster, object),
        Kind::ReplicaSet => decode::<ReplicaSet>(cluster, object),
        Kind::Job => decode::<Job>(cluster, object),
        Kind::CronJob => decode::<CronJob>(cluster, object),
        Kind::Pod => decode::<Pod>(cluster, object),
        Kind::PodDisruptionBudget => decode::<PodDisruptionBudget>(cluster, object),
        Kind::HorizontalPodAutoscaler => decode::<HorizontalPodAutoscaler>(cluster, object),
        Kind::ScaledObject => decode::<ScaledObject>(cluster, object),
        Kind::HelmRelease => decode::<HelmRelease>(cluster, object),
        Kind::Kustomization => decode::<Kustomization>(cluster, object),
    }
}

/// The cluster that holds all of these objects.
///
/// # Panics
/// When one of them is of a kind that isn't observed.
pub fn observe_all<'a>(objects: impl IntoIterator<Item = &'a Value>) -> Cluster {
    let mut cluster = Cluster::default();
    for object in objects {
        observe(&mut cluster, object);
    }
    cluster
}

fn decode<S: Shape>(cluster: &mut Cluster, object: &Value) -> Touched {
    match S::deserialize(object) {
        Ok(shape) => cluster.apply(shape),
        Err(error) => {
            let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
            let key = ObjectKey::new(text("namespace"), text("name"));
            cluster.apply_unreadable(S::KIND, &key, &error.to_string())
        }
    }
}
