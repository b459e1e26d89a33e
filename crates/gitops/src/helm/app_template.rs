//! bjw-s app-template, inferred from its values.
//!
//! Read from its library chart `common` 4.1.1, and from what the templates of 5.x that could be read say differently
//! (`extraSelectorLabels`, budgets). Values of the time before `controllers` are not inferred. Absent: what no rule
//! reads, such as ConfigMaps, service accounts and RBAC.

mod container;
mod controller;
mod naming;
mod network;
mod persistence;
mod pod;

use ecow::EcoString;

use super::Release;
use super::fields::{Fields, object};
use super::values::is_empty;
use crate::node::Entry;
use crate::{Node, Origin};

/// The name of the chart.
pub(super) const CHART: &str = "app-template";

/// Everything that the values make.
pub(super) fn infer(release: &Release<'_>) -> Vec<Node> {
    let app = App::new(release);
    let mut objects: Vec<Node> = app.controllers.iter().filter_map(|entry| controller::object(&app, entry)).collect();
    objects.extend(controller::budgets(&app));
    objects.extend(persistence::claims(&app));
    objects.extend(network::services(&app));
    objects.extend(network::ingresses(&app));
    objects.extend(network::routes(&app));
    objects.extend(network::policies(&app));
    objects.extend(raw(&app));
    objects
}

/// A release with what all of its objects share.
struct App<'a> {
    release: &'a Release<'a>,
    /// `app.kubernetes.io/name`
    name: EcoString,
    fullname: EcoString,
    /// Those that are enabled.
    controllers: Vec<&'a Entry>,
}

impl<'a> App<'a> {
    fn new(release: &'a Release<'a>) -> Self {
        Self {
            name: naming::name(release),
            fullname: naming::fullname(release),
            controllers: enabled(release.value(&["controllers"])),
            release,
        }
    }

    fn at(&self) -> Origin {
        self.release.at
    }

    /// The enabled items under a key.
    fn items(&self, key: &str) -> Vec<&'a Entry> {
        enabled(self.release.value(&[key]))
    }

    /// The labels by which the pods of a controller are found.
    fn selector(&self, controller: &Entry) -> Vec<(EcoString, EcoString)> {
        let mut labels = vec![
            (EcoString::from("app.kubernetes.io/name"), self.name.clone()),
            ("app.kubernetes.io/instance".into(), self.release.name.clone()),
            ("app.kubernetes.io/controller".into(), controller.key.clone()),
        ];
        for entry in controller.value.get("extraSelectorLabels").into_iter().flat_map(Node::entries) {
            if let Some(text) = entry.value.as_str() {
                labels.retain(|(key, _)| *key != entry.key);
                labels.push((entry.key.clone(), self.release.expanded(text)));
            }
        }
        labels
    }

    /// The same, as a mapping.
    fn selector_labels(&self, controller: &Entry) -> Node {
        let labels = self.selector(controller);
        labels.into_iter().fold(Fields::at(self.at()), |fields, (key, text)| fields.text(&key, text)).node()
    }

    /// An object of a controller: labels of the app and of the controller, its own on top.
    fn metadata(&self, name: EcoString, values: &Node, controller: Option<&Entry>) -> Fields {
        let mut labels = Fields::at(self.at())
            .text("app.kubernetes.io/name", self.name.clone())
            .text("app.kubernetes.io/instance", self.release.name.clone())
            .text("app.kubernetes.io/managed-by", "Helm");
        if let Some(controller) = controller {
            labels = labels.text("app.kubernetes.io/controller", controller.key.clone());
        }
        for own in [self.release.value(&["global", "labels"]), values.get("labels")].into_iter().flatten() {
            labels = own.entries().fold(labels, |labels, entry| labels.with(&entry.key, entry.value.clone()));
        }
        let annotations = values.get("annotations").filter(|it| !is_empty(it)).cloned();
        Fields::at(self.at()).text("name", name).with("labels", labels.node()).with_some("annotations", annotations)
    }

    /// A text of the values in which the chart resolves names of the release.
    fn resolved(&self, node: &Node) -> Node {
        match node.as_str() {
            Some(text) if text.contains("{{") => Node::new(self.release.expanded(text).as_str().into(), node.origin),
            Some(_) | None => node.clone(),
        }
    }
}

/// The items of a mapping that aren't switched off, as a template goes through them: by key.
fn enabled(mapping: Option<&Node>) -> Vec<&Entry> {
    let on = |entry: &&Entry| {
        entry.value.as_mapping().is_some() && entry.value.get("enabled").and_then(Node::as_bool) != Some(false)
    };
    let mut items: Vec<&Entry> = mapping.into_iter().flat_map(Node::entries).filter(on).collect();
    items.sort_by(|a, b| a.key.cmp(&b.key));
    items
}

/// Objects that are written into the values as they are.
fn raw(app: &App<'_>) -> Vec<Node> {
    let items = app.items("rawResources");
    let made = items.iter().filter_map(|entry| {
        let body = entry.value.get("manifest").unwrap_or(&entry.value);
        let text = |field: &str| body.get(field).or_else(|| entry.value.get(field)).and_then(Node::as_str);
        let name = naming::resource(app, &entry.key, &entry.value, items.len());
        let fields = object(entry.at, text("apiVersion")?, text("kind")?, app.metadata(name, &entry.value, None));
        let own = ["apiVersion", "kind", "metadata", "enabled", "labels", "annotations", "manifest"];
        let rest = body.entries().filter(|field| !own.contains(&&*field.key));
        Some(rest.fold(fields, |fields, field| fields.with(&field.key, field.value.clone())).node())
    });
    made.collect()
}
