//! The pod template of a controller of app-template.

use super::{App, container, enabled, persistence};
use crate::helm::fields::{Fields, list};
use crate::helm::values::{is_empty, merge};
use crate::node::Entry;
use crate::{Node, Origin, Value};

/// Options that go into the pod as they are, when they are given.
const OPTIONS: [&str; 20] = [
    "priorityClassName",
    "runtimeClassName",
    "schedulerName",
    "securityContext",
    "hostname",
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "hostUsers",
    "shareProcessNamespace",
    "dnsPolicy",
    "dnsConfig",
    "hostAliases",
    "imagePullSecrets",
    "terminationGracePeriodSeconds",
    "resources",
    "nodeSelector",
    "tolerations",
    "affinity",
    "topologySpreadConstraints",
];

/// The template; `restart` is what a job's pods do unless told otherwise.
pub(super) fn template(app: &App<'_>, controller: &Entry, restart: Option<&str>) -> Node {
    let metadata = Fields::at(app.at())
        .with("labels", labels(app, controller))
        .with_some("annotations", option(app, controller, "annotations"));
    let mut spec = Fields::at(controller.at)
        .with_some("initContainers", containers(app, controller, "initContainers"))
        .with_some("containers", containers(app, controller, "containers"))
        .with_some("volumes", persistence::volumes(app, controller));
    for name in OPTIONS {
        if let Some(value) = option(app, controller, name).map(|value| expanded(app, &value)) {
            let at = key_of(app, controller, name).unwrap_or(value.origin);
            spec = spec.with_entry(Entry { key: name.into(), at, value });
        }
    }
    spec = flag(spec, app, controller, "automountServiceAccountToken", true);
    spec = flag(spec, app, controller, "enableServiceLinks", false);
    spec = match (option(app, controller, "restartPolicy"), restart) {
        (Some(given), _) => spec.with("restartPolicy", given),
        (None, Some(restart)) => spec.text("restartPolicy", restart),
        (None, None) => spec,
    };
    Fields::at(controller.at).with("metadata", metadata.node()).with("spec", spec.node()).node()
}

fn flag(spec: Fields, app: &App<'_>, controller: &Entry, name: &str, default: bool) -> Fields {
    match option(app, controller, name) {
        Some(given) => spec.with(name, given),
        None => spec.truth(name, default),
    }
}

/// Where the key of an option is written: the controller's own, else that of all.
fn key_of(app: &App<'_>, controller: &Entry, name: &str) -> Option<Origin> {
    let key = |options: Option<&Node>| Some(options?.as_mapping()?.entry(name)?.at);
    key(controller.value.get("pod")).or_else(|| key(app.release.value(&["defaultPodOptions"])))
}

/// An option of the pod: the controller's own over that of all, merged where the values ask for it.
fn option(app: &App<'_>, controller: &Entry, name: &str) -> Option<Node> {
    let given = |node: Option<&Node>| node.filter(|node| node.as_bool().is_some() || !is_empty(node)).cloned();
    let default = given(app.release.value(&["defaultPodOptions", name]));
    let own = given(controller.value.at(&["pod", name]));
    let merges = app.release.text(&["defaultPodOptionsStrategy"]).as_deref() == Some("merge");
    match (own, default) {
        (Some(own), Some(default)) if merges => Some(merge(&default, &own)),
        (Some(own), _) => Some(own),
        (None, default) => default,
    }
}

fn labels(app: &App<'_>, controller: &Entry) -> Node {
    let selector = app.selector(controller);
    let mut fields = Fields::at(app.at());
    let sources = [app.release.value(&["defaultPodOptions", "labels"]), controller.value.at(&["pod", "labels"])];
    for entry in sources.into_iter().flatten().flat_map(Node::entries) {
        fields = fields.with(&entry.key, app.resolved(&entry.value));
    }
    selector.into_iter().fold(fields, |fields, (key, text)| fields.text(&key, text)).node()
}

fn containers(app: &App<'_>, controller: &Entry, field: &str) -> Option<Node> {
    let entries = in_order(enabled(controller.value.get(field)));
    let made: Vec<Node> = entries.iter().map(|entry| container::container(app, controller, entry, field)).collect();
    (!made.is_empty()).then(|| list(controller.at, made))
}

/// Each after what its `dependsOn` names, else as they come (`_kahn.tpl` of `common`). The chart refuses a cycle; what is in one
/// comes last.
fn in_order(mut left: Vec<&Entry>) -> Vec<&Entry> {
    let waits = |entry: &Entry, other: &Entry| {
        let named = entry.value.get("dependsOn");
        let items = named.into_iter().flat_map(|named| std::iter::once(named).chain(named.items()));
        items.filter_map(Node::as_str).any(|name| *name == *other.key)
    };
    let mut ordered = Vec::with_capacity(left.len());
    while let Some(next) = left.iter().position(|entry| !left.iter().any(|other| waits(entry, other))) {
        ordered.push(left.remove(next));
    }
    ordered.extend(left);
    ordered
}

/// A value in which the chart resolves names of the release, such as the labels of an affinity.
fn expanded(app: &App<'_>, node: &Node) -> Node {
    let value = match &node.value {
        Value::Sequence(items) => Value::Sequence(items.iter().map(|item| expanded(app, item)).collect()),
        Value::Mapping(mapping) => {
            let entries = mapping.iter().map(|entry| Entry { value: expanded(app, &entry.value), ..entry.clone() });
            Value::Mapping(entries.collect())
        }
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::String(_) => {
            return app.resolved(node);
        }
    };
    Node::new(value, node.origin)
}
