//! The containers of app-template: image, environment, probes, and what goes in as it is.

use ecow::EcoString;

use super::{App, network, persistence};
use crate::helm::fields::{Fields, list};
use crate::helm::values::{is_empty, merge, printed};
use crate::node::Entry;
use crate::{Node, Value};

/// Fields that go in as they are.
const FIELDS: [&str; 10] = [
    "workingDir",
    "securityContext",
    "lifecycle",
    "terminationMessagePath",
    "terminationMessagePolicy",
    "ports",
    "resources",
    "restartPolicy",
    "stdin",
    "tty",
];

/// A container of a controller; `field` says of which kind.
pub(super) fn container(app: &App<'_>, controller: &Entry, entry: &Entry, field: &str) -> Node {
    let values = with_defaults(controller, entry, field);
    let name = values.get("nameOverride").and_then(Node::as_str).filter(|name| !name.is_empty()).unwrap_or(&entry.key);
    let mut fields = Fields::at(entry.at)
        .text("name", app.release.expanded(name))
        .with_some("image", image(app, &values))
        .with_some("imagePullPolicy", values.at(&["image", "pullPolicy"]).filter(|it| !is_empty(it)).cloned())
        .with_some("command", words(app, values.get("command")))
        .with_some("args", words(app, values.get("args")))
        .with_some("env", environment(app, values.get("env")))
        .with_some("envFrom", values.get("envFrom").filter(|it| !it.items().is_empty()).cloned());
    for name in FIELDS {
        if let Some(entry) = values.as_mapping().and_then(|values| values.entry(name)).filter(|it| !is_empty(&it.value))
        {
            fields = fields.with_entry(entry.clone());
        }
    }
    for name in ["liveness", "readiness", "startup"] {
        let probe = values.at(&["probes", name]).and_then(|given| probe(app, controller, given));
        fields = fields.with_some(&format!("{name}Probe"), probe);
    }
    fields.with_some("volumeMounts", persistence::mounts(app, controller, &entry.key)).node()
}

/// The values of a container over those of all containers of its controller.
fn with_defaults(controller: &Entry, entry: &Entry, field: &str) -> Node {
    let of_controller = |name: &str| controller.value.get(name);
    let to_init = of_controller("applyDefaultContainerOptionsToInitContainers").and_then(Node::as_bool);
    let applies = field != "initContainers" || to_init != Some(false);
    let Some(defaults) = of_controller("defaultContainerOptions").filter(|_| applies) else {
        return entry.value.clone();
    };
    if of_controller("defaultContainerOptionsStrategy").and_then(Node::as_str) == Some("merge") {
        return merge(defaults, &entry.value);
    }
    let given = entry.value.as_mapping().cloned().unwrap_or_default();
    let missing = defaults.entries().filter(|it| given.get(&it.key).is_none_or(is_empty)).cloned();
    let own = given.iter().filter(|it| !is_empty(&it.value) || defaults.get(&it.key).is_none()).cloned();
    Node::new(Value::Mapping(own.chain(missing).collect()), entry.value.origin)
}

/// `repository:tag`, where the tag is: that is what a person changes.
fn image(app: &App<'_>, values: &Node) -> Option<Node> {
    let given = values.get("image")?;
    if let Some(text) = given.as_str() {
        return Some(Node::new(app.release.expanded(text).as_str().into(), given.origin));
    }
    let part = |name: &str| given.get(name).filter(|part| !is_empty(part)).and_then(printed);
    let repository = app.release.expanded(&part("repository")?);
    let tag = part("tag").map(|tag| app.release.expanded(&tag));
    let digest = part("digest");
    let mut text = repository;
    if let Some(tag) = &tag {
        text = ecow::eco_format!("{text}:{tag}");
    }
    if let Some(digest) = &digest {
        text = ecow::eco_format!("{text}@{digest}");
    }
    let place = given.get("tag").or_else(|| given.get("repository")).map_or(given.origin, |part| part.origin);
    Some(Node::new(Value::String(text), place))
}

/// A command may be written as one word.
fn words(app: &App<'_>, given: Option<&Node>) -> Option<Node> {
    let given = given.filter(|given| !is_empty(given))?;
    match given.as_str() {
        Some(_) => Some(list(given.origin, [app.resolved(given)])),
        None => {
            let words = given.items().iter().map(|word| match printed(word) {
                Some(text) => Node::new(Value::String(app.release.expanded(&text)), word.origin),
                None => word.clone(),
            });
            Some(list(given.origin, words))
        }
    }
}

/// Variables as a mapping or as the list that they become.
fn environment(app: &App<'_>, given: Option<&Node>) -> Option<Node> {
    let given = given.filter(|given| !is_empty(given))?;
    if given.as_mapping().is_none() {
        return Some(given.clone());
    }
    let variables = given.entries().filter(|entry| !entry.value.is_null()).map(|entry| variable(app, entry));
    Some(list(given.origin, variables))
}

fn variable(app: &App<'_>, entry: &Entry) -> Node {
    let fields = Fields::at(entry.at).text("name", entry.key.clone());
    if let Some(text) = printed(&entry.value) {
        let value = Node::new(Value::String(app.release.expanded(&text)), entry.value.origin);
        return fields.with("value", value).node();
    }
    if let Some(value) = entry.value.get("value") {
        let text: Option<EcoString> = printed(value);
        return fields.with_some("value", text.map(|text| Node::new(Value::String(text), value.origin))).node();
    }
    let from = entry.value.get("valueFrom").cloned().unwrap_or_else(|| entry.value.clone());
    fields.with("valueFrom", from).node()
}

/// A probe that is on: as it is written, or against the port of the controller's service.
fn probe(app: &App<'_>, controller: &Entry, given: &Node) -> Option<Node> {
    given.get("enabled").and_then(Node::as_bool).filter(|on| *on)?;
    let spec = given.get("spec");
    if given.get("custom").and_then(Node::as_bool) == Some(true) {
        return spec.cloned();
    }
    let (port, protocol) = network::primary_port(app, controller)?;
    let kind = match given.get("type").and_then(Node::as_str).unwrap_or("TCP") {
        "AUTO" => protocol,
        kind => kind.to_owned(),
    };
    let port = given.get("port").filter(|port| !is_empty(port)).map_or(port, |given| app.resolved(given));
    let check = Fields::at(given.origin).with("port", port);
    let check = match &*kind {
        "HTTP" | "HTTPS" => ("httpGet", check.with_some("path", given.get("path").cloned()).text("scheme", &*kind)),
        "GRPC" => ("grpc", check.with_some("service", given.get("service").cloned())),
        _ => ("tcpSocket", check),
    };
    let mut fields = Fields::at(given.origin).with(check.0, check.1.node());
    for (name, default) in
        [("initialDelaySeconds", 0), ("failureThreshold", 3), ("timeoutSeconds", 1), ("periodSeconds", 10)]
    {
        fields = match spec.and_then(|spec| spec.get(name)).filter(|value| !value.is_null()) {
            Some(value) => fields.with(name, value.clone()),
            None => fields.number(name, default),
        };
    }
    Some(fields.node())
}
