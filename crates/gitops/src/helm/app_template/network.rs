//! What app-template opens to others: services, ingresses, routes; and what it closes.

use super::{App, enabled, naming};
use crate::helm::fields::{Fields, list, object};
use crate::helm::values::is_empty;
use crate::node::Entry;
use crate::{Node, Value};

/// The controller behind an item: the one it names, else the only one.
fn controller<'a>(app: &App<'a>, entry: &Entry) -> Option<&'a Entry> {
    match (entry.value.get("controller").and_then(Node::as_str), app.controllers.as_slice()) {
        (Some(id), all) => all.iter().find(|controller| controller.key == id).copied(),
        (None, [only]) => Some(only),
        (None, _) => None,
    }
}

pub(super) fn services(app: &App<'_>) -> Vec<Node> {
    let items = app.items("service");
    let made = items.iter().map(|entry| {
        let name = naming::resource(app, &entry.key, &entry.value, items.len());
        let behind = controller(app, entry);
        let selector = behind.map(|behind| app.selector_labels(behind));
        let ports = enabled(entry.value.get("ports")).into_iter().map(port);
        let spec = Fields::at(entry.at)
            .with_some("type", entry.value.get("type").filter(|kind| !is_empty(kind)).cloned())
            .with_some("externalTrafficPolicy", entry.value.get("externalTrafficPolicy").cloned())
            .with("ports", list(entry.at, ports))
            .with_some("selector", selector);
        object(entry.at, "v1", "Service", app.metadata(name, &entry.value, behind)).with("spec", spec.node()).node()
    });
    made.collect()
}

fn port(entry: &Entry) -> Node {
    let given = |name: &str| entry.value.get(name).filter(|value| !is_empty(value)).cloned();
    let protocol = match entry.value.get("protocol").and_then(Node::as_str) {
        Some("UDP") => "UDP",
        Some("SCTP") => "SCTP",
        Some(_) | None => "TCP",
    };
    Fields::at(entry.at)
        .text("name", entry.key.clone())
        .with_some("port", given("port"))
        .with_some("targetPort", given("targetPort").or_else(|| given("port")))
        .text("protocol", protocol)
        .node()
}

/// The port that a probe without one goes to, and its protocol.
pub(super) fn primary_port(app: &App<'_>, behind: &Entry) -> Option<(Node, String)> {
    let services = app.items("service");
    let mut own: Vec<&Entry> =
        services.into_iter().filter(|it| controller(app, it).is_some_and(|c| c.key == behind.key)).collect();
    own.sort_by(|a, b| is_primary(b).cmp(&is_primary(a)).then_with(|| a.key.cmp(&b.key)));
    let mut ports = enabled(own.first()?.value.get("ports"));
    ports.sort_by(|a, b| is_primary(b).cmp(&is_primary(a)).then_with(|| a.key.cmp(&b.key)));
    let first = ports.first()?;
    let number = first.value.get("targetPort").filter(|port| !is_empty(port)).or_else(|| first.value.get("port"))?;
    let protocol = first.value.get("protocol").and_then(Node::as_str).unwrap_or("HTTP").to_owned();
    Some((number.clone(), protocol))
}

fn is_primary(entry: &Entry) -> bool {
    entry.value.get("primary").and_then(Node::as_bool) == Some(true)
}

pub(super) fn ingresses(app: &App<'_>) -> Vec<Node> {
    let items = app.items("ingress");
    let made = items.iter().map(|entry| {
        let name = naming::resource(app, &entry.key, &entry.value, items.len());
        let rules = entry.value.get("hosts").map(Node::items).unwrap_or_default().iter().map(|given| {
            Fields::at(given.origin).with_some("host", given.get("host").map(|host| app.resolved(host))).node()
        });
        let tls = entry.value.get("tls").filter(|tls| !is_empty(tls)).map(|tls| expanded_list(app, tls));
        let spec = Fields::at(entry.at)
            .with_some("ingressClassName", entry.value.get("className").filter(|it| !is_empty(it)).cloned())
            .with("rules", list(entry.at, rules))
            .with_some("tls", tls);
        let metadata = app.metadata(name, &entry.value, None);
        object(entry.at, "networking.k8s.io/v1", "Ingress", metadata).with("spec", spec.node()).node()
    });
    made.collect()
}

pub(super) fn routes(app: &App<'_>) -> Vec<Node> {
    let items = app.items("route");
    let made = items.iter().map(|entry| {
        let name = naming::resource(app, &entry.key, &entry.value, items.len());
        let kind =
            entry.value.get("kind").and_then(Node::as_str).filter(|kind| !kind.is_empty()).unwrap_or("HTTPRoute");
        let version = if matches!(kind, "HTTPRoute" | "GRPCRoute") { "v1" } else { "v1alpha2" };
        let spec = Fields::at(entry.at)
            .with_some("parentRefs", entry.value.get("parentRefs").cloned())
            .with_some("hostnames", entry.value.get("hostnames").map(|names| expanded_list(app, names)))
            .with_some("rules", entry.value.get("rules").cloned());
        let metadata = app.metadata(name, &entry.value, None);
        let api_version = format!("gateway.networking.k8s.io/{version}");
        object(entry.at, &api_version, kind, metadata).with("spec", spec.node()).node()
    });
    made.collect()
}

pub(super) fn policies(app: &App<'_>) -> Vec<Node> {
    let items = app.items("networkpolicies");
    let made = items.iter().map(|entry| {
        let name = naming::resource(app, &entry.key, &entry.value, items.len());
        let pods = match (entry.value.get("podSelector"), controller(app, entry)) {
            (Some(given), _) => given.clone(),
            (None, Some(behind)) => Fields::at(app.at()).with("matchLabels", app.selector_labels(behind)).node(),
            (None, None) => Node::new(Value::Mapping(crate::Mapping::default()), entry.at),
        };
        let spec = Fields::at(entry.at)
            .with("podSelector", pods)
            .with_some("policyTypes", entry.value.get("policyTypes").cloned())
            .with_some("ingress", entry.value.at(&["rules", "ingress"]).cloned())
            .with_some("egress", entry.value.at(&["rules", "egress"]).cloned());
        let metadata = app.metadata(name, &entry.value, None);
        object(entry.at, "networking.k8s.io/v1", "NetworkPolicy", metadata).with("spec", spec.node()).node()
    });
    made.collect()
}

/// The texts of a list, or of lists in it, with the names of the release resolved.
fn expanded_list(app: &App<'_>, node: &Node) -> Node {
    let value = match &node.value {
        Value::Sequence(items) => Value::Sequence(items.iter().map(|item| expanded_list(app, item)).collect()),
        Value::Mapping(mapping) => {
            let entries = mapping.iter().map(|it| Entry { value: expanded_list(app, &it.value), ..it.clone() });
            Value::Mapping(entries.collect())
        }
        Value::String(text) => Value::String(app.release.expanded(text)),
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) => node.value.clone(),
    };
    Node::new(value, node.origin)
}
