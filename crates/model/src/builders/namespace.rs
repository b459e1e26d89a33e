//! Namespaces, and pods that Pod Security refused in them.

use serde_json::{Value, json};

use super::{Manifest, object, push};
use crate::Kind;
use crate::shapes::SECURITY_MANAGER;

/// A Namespace.
#[derive(Clone, Debug)]
pub struct NamespaceBuilder(Value);

impl Manifest for NamespaceBuilder {
    fn json(&mut self) -> &mut Value {
        &mut self.0
    }
}

/// A Namespace.
#[must_use]
pub fn namespace(name: &str) -> NamespaceBuilder {
    NamespaceBuilder(object(Kind::Namespace, name))
}

impl NamespaceBuilder {
    /// Sets labels.
    #[must_use]
    pub fn labelled<'a>(self, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        self.labels(pairs)
    }

    /// Sets a Pod Security label, `secured("enforce", "baseline")`, of which nobody knows who wrote it.
    #[must_use]
    pub fn secured(self, name: &str, value: &str) -> Self {
        self.labels([(format!("pod-security.kubernetes.io/{name}").as_str(), value)])
    }

    /// Sets a Pod Security label that we wrote.
    #[must_use]
    pub fn secured_by_us(self, name: &str, value: &str) -> Self {
        self.secured_by(SECURITY_MANAGER, name, value)
    }

    /// Sets a Pod Security label that this manager applied.
    #[must_use]
    pub fn secured_by(mut self, manager: &str, name: &str, value: &str) -> Self {
        let field = format!("f:pod-security.kubernetes.io/{name}");
        let fields = json!({ "f:metadata": { "f:labels": { field: {} } } });
        let entry = json!({ "manager": manager, "operation": "Apply", "apiVersion": "v1", "fieldsV1": fields });
        push(&mut self.0["metadata"]["managedFields"], entry);
        self.secured(name, value)
    }
}

/// An Event that says that the pods of a ReplicaSet can't be made, and why.
#[must_use]
pub fn failed_create(path: &str, replica_set: &str, why: &str) -> Value {
    object(Kind::Event, path)
        .with("/reason", "FailedCreate")
        .with("/involvedObject/kind", "ReplicaSet")
        .with("/involvedObject/name", replica_set)
        .with("/message", format!("Error creating: pods \"{replica_set}-x2x\" is forbidden: {why}"))
}
