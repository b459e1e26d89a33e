//! `namePrefix`, `nameSuffix` and `replicas`: what is done to objects by their name.

use ecow::{EcoString, eco_format};

use super::collection::Collection;
use super::field_spec::{FieldSpec, Leaf};
use super::file::{Replicas, Scalar};
use super::problem::{ProblemKind, Problems};
use super::resource::Resource;
use crate::Value;

/// Puts a text before all names.
pub(super) fn prefix(collection: &mut Collection, prefix: &Scalar) {
    for resource in collection.list.iter_mut().filter(|resource| may_be_renamed(resource)) {
        resource.prefixes.push(prefix.text.clone());
        rename(resource, eco_format!("{}{}", prefix.text, resource.name()));
    }
}

/// Puts a text behind all names.
pub(super) fn suffix(collection: &mut Collection, suffix: &Scalar) {
    for resource in collection.list.iter_mut().filter(|resource| may_be_renamed(resource)) {
        resource.suffixes.push(suffix.text.clone());
        rename(resource, eco_format!("{}{}", resource.name(), suffix.text));
    }
}

/// Gives it another name, and remembers the one it had.
pub(super) fn rename(resource: &mut Resource, name: EcoString) {
    resource.remember();
    resource.set_name(name);
}

/// Their names mean something.
fn may_be_renamed(resource: &Resource) -> bool {
    let gvk = resource.original_id().gvk;
    let means = matches!(gvk.kind.as_str(), "CustomResourceDefinition" | "Namespace")
        || (gvk.kind == "APIService" && gvk.group == "apiregistration.k8s.io");
    !means
}

/// Sets how many replicas the workloads of a name have.
pub(super) fn set_replicas(collection: &mut Collection, replicas: &Replicas, problems: &mut Problems) {
    let mut found = false;
    for spec in REPLICAS {
        for resource in &mut collection.list {
            if !resource.is_any(|id| id.name == replicas.name && spec.applies_to(&id.gvk)) {
                continue;
            }
            found = true;
            let mut set = |node: &mut crate::Node| {
                *node = crate::Node::new(Value::Integer(replicas.count), replicas.at);
                Ok(())
            };
            if spec.applies_to(&resource.gvk()) {
                // A spec that is no mapping is an object that no server takes; it is judged as it is.
                let _ = spec.visit(&mut resource.root, Leaf::Scalar, replicas.at, &mut set);
            }
        }
    }
    if !found {
        let message = format!("replicas are set for {}, but no workload is called so", replicas.name);
        problems.add(ProblemKind::TargetMissing, replicas.at, message);
    }
}

const REPLICAS: &[FieldSpec] = &[
    FieldSpec::new("", "Deployment", "spec/replicas", true),
    FieldSpec::new("", "ReplicationController", "spec/replicas", true),
    FieldSpec::new("", "ReplicaSet", "spec/replicas", true),
    FieldSpec::new("", "StatefulSet", "spec/replicas", true),
];
