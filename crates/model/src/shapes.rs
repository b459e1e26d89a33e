//! Slim serde shapes: just the fields that are read, for files and watches alike.
//!
//! A shape is decoded, turned into facts ([`Shape::fact`]) and dropped. Unknown fields are ignored and absent ones
//! tolerated, since what is watched may come from a newer server; a field of the wrong type fails the one object.

mod autoscaling;
mod budget;
mod condition;
mod event;
mod flux;
mod job;
mod managers;
mod meta;
mod namespace;
mod node;
mod placement;
mod pod;
mod probe;
mod security;
mod template;
mod unseal;
mod upgrade;
mod volume;
mod workload;

pub use autoscaling::{HorizontalPodAutoscaler, ScaledObject};
pub use budget::{FIELD_MANAGER, MANAGED_BY, POLICY, PodDisruptionBudget, WORKLOAD};
pub use event::Event;
pub use flux::{HelmRelease, Kustomization};
pub use job::{CronJob, Job};
pub use namespace::{Namespace, SECURITY_MANAGER};
pub use node::Node;
pub use pod::Pod;
pub use unseal::VaultTransitUnseal;
pub use upgrade::{KubernetesUpgrade, Plan, TalosControlPlane, TalosUpgrade};
pub use volume::{PersistentVolume, PersistentVolumeClaim};
pub use workload::{
    BUDGET_VALUE, DaemonSet, Deployment, GUESSED, REPLICAS_FIXED, REPLICAS_REPEAT, REPLICAS_VALUE, ReplicaSet,
    StatefulSet,
};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube_core::Resource;
use serde::de::DeserializeOwned;

use crate::facts::Fact;
use crate::{Kind, ObjectKey, OwnerRef, Text};

/// A kind that can be read into facts.
pub trait Shape: DeserializeOwned + Resource<DynamicType = ()> + Send + 'static {
    /// Which kind it is.
    const KIND: Kind;

    /// Namespace and name.
    fn key(&self) -> ObjectKey {
        let meta = self.meta();
        ObjectKey::new(meta.namespace.as_deref().unwrap_or_default(), meta.name.as_deref().unwrap_or_default())
    }

    /// What is kept of the object.
    fn fact(self) -> Fact;
}

/// Something that can be done with the shape of any kind.
pub trait OfShape {
    /// What comes of it.
    type Output;

    /// Does it with this shape.
    fn of<S: Shape>(self) -> Self::Output;
}

impl Kind {
    /// Does something with the shape of this kind: the one place that says which shape a kind has.
    pub fn with_shape<T: OfShape>(self, todo: T) -> T::Output {
        match self {
            Self::Namespace => todo.of::<Namespace>(),
            Self::Node => todo.of::<Node>(),
            Self::PersistentVolume => todo.of::<PersistentVolume>(),
            Self::PersistentVolumeClaim => todo.of::<PersistentVolumeClaim>(),
            Self::Deployment => todo.of::<Deployment>(),
            Self::StatefulSet => todo.of::<StatefulSet>(),
            Self::DaemonSet => todo.of::<DaemonSet>(),
            Self::ReplicaSet => todo.of::<ReplicaSet>(),
            Self::Job => todo.of::<Job>(),
            Self::CronJob => todo.of::<CronJob>(),
            Self::Pod => todo.of::<Pod>(),
            Self::PodDisruptionBudget => todo.of::<PodDisruptionBudget>(),
            Self::Event => todo.of::<Event>(),
            Self::HorizontalPodAutoscaler => todo.of::<HorizontalPodAutoscaler>(),
            Self::ScaledObject => todo.of::<ScaledObject>(),
            Self::HelmRelease => todo.of::<HelmRelease>(),
            Self::Kustomization => todo.of::<Kustomization>(),
            Self::TalosUpgrade => todo.of::<TalosUpgrade>(),
            Self::KubernetesUpgrade => todo.of::<KubernetesUpgrade>(),
            Self::Plan => todo.of::<Plan>(),
            Self::TalosControlPlane => todo.of::<TalosControlPlane>(),
            Self::VaultTransitUnseal => todo.of::<VaultTransitUnseal>(),
        }
    }
}

/// The controller of an object, else its first owner: some operators set no `controller`, and what belongs to somebody
/// should not be taken for nobody's.
fn owner(meta: &ObjectMeta) -> Option<OwnerRef> {
    let references = meta.owner_references.as_deref()?;
    let controller = references.iter().find(|reference| reference.controller == Some(true));
    controller.or(references.first()).map(reference)
}

fn reference(reference: &OwnerReference) -> OwnerRef {
    let group = reference.api_version.split_once('/').map_or("", |(group, _)| group);
    OwnerRef { group: group.into(), kind: Text::from(&reference.kind), name: Text::from(&reference.name) }
}

fn uid(meta: &ObjectMeta) -> Box<str> {
    meta.uid.as_deref().unwrap_or_default().into()
}

fn name(meta: &ObjectMeta) -> Text {
    meta.name.as_deref().unwrap_or_default().into()
}

fn annotation<'a>(meta: &'a ObjectMeta, key: &str) -> Option<&'a str> {
    meta.annotations.as_ref()?.get(key).map(String::as_str)
}

/// A count off the wire: negative ones, which only a file can hold, mean none.
fn count(raw: i32) -> u32 {
    u32::try_from(raw).unwrap_or(0)
}

/// The `Resource` of a custom resource, whose type the Kubernetes bindings don't have.
macro_rules! custom_resource {
    ($shape:ty, $kind:expr, $plural:literal) => {
        custom_resource!($shape, $kind, $plural, k8s_openapi::NamespaceResourceScope);
    };
    ($shape:ty, $kind:expr, $plural:literal, $scope:ty) => {
        impl kube_core::Resource for $shape {
            type DynamicType = ();
            type Scope = $scope;

            fn kind((): &()) -> std::borrow::Cow<'_, str> {
                $kind.as_str().into()
            }

            fn group((): &()) -> std::borrow::Cow<'_, str> {
                $kind.group().into()
            }

            fn version((): &()) -> std::borrow::Cow<'_, str> {
                $kind.api_version().rsplit('/').next().unwrap_or_default().into()
            }

            fn plural((): &()) -> std::borrow::Cow<'_, str> {
                $plural.into()
            }

            fn meta(&self) -> &k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta {
                &self.metadata
            }

            fn meta_mut(&mut self) -> &mut k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta {
                &mut self.metadata
            }
        }
    };
}
use custom_resource;

#[cfg(test)]
mod tests {
    use super::*;

    struct Named;

    impl OfShape for Named {
        type Output = Kind;

        fn of<S: Shape>(self) -> Kind {
            S::KIND
        }
    }

    #[test]
    fn the_shape_of_a_kind_is_of_that_kind() {
        for kind in Kind::ALL {
            assert_eq!(kind.with_shape(Named), kind);
        }
    }
}
