//! What is done once, when everything is together: hashes, names in other objects, order, and what is only for tools.

use super::collection::Collection;
use super::hash;
use super::label;
use super::name;
use super::name_reference;
use super::problem::Problems;
use super::resource::Resource;
use super::sort;
use crate::node::{Entry, Mapping};
use crate::{Node, Origin, Value};

/// Marks what is there for tools and never applied.
const LOCAL: &str = "config.kubernetes.io/local-config";
const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// The version whose results these are.
const KUSTOMIZE: &str = "kustomize-v5.8.0";

/// The objects as they would be applied.
pub(super) fn finish(
    mut all: Collection,
    order: Option<&Node>,
    managed_by: bool,
    problems: &mut Problems,
) -> Vec<Node> {
    for resource in all.list.iter_mut().filter(|resource| resource.hashed) {
        let hashed = ecow::eco_format!("{}-{}", resource.name(), hash::hash(&resource.root));
        name::rename(resource, hashed);
    }
    name_reference::follow(&mut all, problems);
    all.list.retain(|resource| !is_local(resource));
    sort::sort(&mut all, order, problems);
    if managed_by {
        let value = Node::made(KUSTOMIZE.into());
        let pair = Entry { key: MANAGED_BY.into(), at: Origin::NONE, value };
        label::add_to_metadata(&mut all, "metadata/labels", &[pair], problems);
    }
    all.list.iter_mut().for_each(tidy_annotations);
    all.into_objects()
}

fn is_local(resource: &Resource) -> bool {
    resource.pairs("annotations").any(|(key, value)| *key == LOCAL && value != "false")
}

/// Kustomize writes annotations anew: as strings, and not at all when there is none.
fn tidy_annotations(resource: &mut Resource) {
    let Some(annotations) = resource.root.at(&["metadata", "annotations"]) else { return };
    let is_fine = |entry: &Entry| entry.value.as_str().is_some();
    if annotations.as_mapping().is_some_and(|all| !all.is_empty() && all.iter().all(is_fine)) {
        return;
    }
    let tidy: Mapping = annotations
        .entries()
        .map(|entry| Entry {
            value: Node::new(Value::String(entry.value.text().unwrap_or_default()), entry.value.origin),
            ..entry.clone()
        })
        .collect();
    let origin = annotations.origin;
    let metadata = resource.root.as_mapping_mut().and_then(|root| root.get_mut("metadata"));
    let Some(metadata) = metadata.and_then(Node::as_mapping_mut) else { return };
    if tidy.is_empty() {
        metadata.remove("annotations");
    } else if let Some(annotations) = metadata.get_mut("annotations") {
        *annotations = Node::new(Value::Mapping(tidy), origin);
    }
}
