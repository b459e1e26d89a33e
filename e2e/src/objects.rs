//! Objects that read as sentences, for the scenarios.

use serde_json::{Value, json};

/// A namespace with the label that its policy selects by.
pub fn namespace(name: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name, "labels": { "e2e": name } } })
}

/// A Deployment whose pods have the label `app`.
pub fn deployment(namespace: &str, name: &str, replicas: u32) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "namespace": namespace, "name": name },
        "spec": {
            "replicas": replicas,
            "selector": { "matchLabels": { "app": name } },
            "template": {
                "metadata": { "labels": { "app": name } },
                "spec": { "terminationGracePeriodSeconds": 0, "containers": [{ "name": "main", "image": "example.com/app:1" }] },
            },
        },
    })
}

/// A policy that enforces in the one namespace, under its name.
pub fn enforce(namespace: &str) -> Value {
    json!({
        "apiVersion": "holdfast.dev/v1alpha1", "kind": "DisruptionPolicy",
        "metadata": { "name": namespace },
        "spec": { "mode": "Enforce", "namespaceSelector": { "matchLabels": { "e2e": namespace } } },
    })
}

/// The object with this value at a JSON pointer; maps on the way are made where they are missing.
///
/// # Panics
/// When the pointer leads through something that has no fields.
pub fn set(mut object: Value, pointer: &str, value: Value) -> Value {
    let mut at = &mut object;
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        at = match (at, step.parse::<usize>()) {
            (Value::Array(list), Ok(index)) => &mut list[index],
            (at, _) => &mut at[step],
        };
    }
    *at = value;
    object
}
