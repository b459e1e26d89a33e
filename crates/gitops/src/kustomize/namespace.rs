//! `namespace`: puts all objects into one.

use foldhash::HashSet;

use super::collection::{self, Collection};
use super::field_spec::{FieldSpec, Leaf};
use super::file::Scalar;
use super::problem::{ProblemKind, Problems};
use super::resource::{Resource, put};
use crate::{Node, Value};

/// Puts every object that may have one into the namespace.
pub(super) fn set(collection: &mut Collection, namespace: &Scalar, problems: &mut Problems) {
    let mut known = HashSet::default();
    for resource in &mut collection.list {
        set_one(resource, namespace);
        let id = resource.id();
        if !known.insert(collection::key(&id)) {
            let message = format!("the namespace {} gives {} twice", namespace.text, id.told());
            problems.add(ProblemKind::Clash, namespace.at, message);
        }
    }
}

fn set_one(resource: &mut Resource, namespace: &Scalar) {
    resource.remember();
    let gvk = resource.gvk();
    if !gvk.is_cluster_scoped() {
        resource.set_namespace(&namespace.text, namespace.at);
    }
    if matches!(gvk.kind.as_str(), "RoleBinding" | "ClusterRoleBinding") {
        set_default_subjects(resource, namespace);
    }
    for spec in FIELDS.iter().filter(|spec| spec.applies_to(&gvk)) {
        let mut set = |node: &mut Node| {
            *node = Node::new(Value::String(namespace.text.clone()), namespace.at);
            Ok(())
        };
        // A path through something else is an object that no server takes; it is judged as it is.
        let _ = spec.visit(&mut resource.root, Leaf::Scalar, namespace.at, &mut set);
    }
    if gvk.kind == "Namespace" && gvk.group.is_empty() && gvk.version == "v1" {
        resource.set_name(namespace.text.clone());
    }
}

/// Only a subject with this name is taken to be in the same namespace.
fn set_default_subjects(resource: &mut Resource, namespace: &Scalar) {
    let Some(subjects) = resource.root.as_mapping_mut().and_then(|root| root.get_mut("subjects")) else { return };
    for subject in subjects.items_mut() {
        if subject.get("name").and_then(Node::as_str) == Some("default")
            && let Some(subject) = subject.as_mapping_mut()
        {
            put(subject, "namespace", Value::String(namespace.text.clone()), namespace.at);
        }
    }
}

const FIELDS: &[FieldSpec] = &[
    FieldSpec::new("apiregistration.k8s.io", "APIService", "spec/service/namespace", true),
    FieldSpec::new(
        "apiextensions.k8s.io",
        "CustomResourceDefinition",
        "spec/conversion/webhook/clientConfig/service/namespace",
        false,
    ),
];
