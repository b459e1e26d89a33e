//! What a renderer printed, joined to the files: the renderer knows what is, the files know where it was written.
//!
//! An object is joined by kind, namespace and name. One that has no counterpart belongs to the HelmRelease that its labels
//! or annotations name; of such a release what was inferred and not printed is dropped. What belongs to nothing stands in
//! the stream itself.

use std::collections::{HashMap, HashSet};

use ecow::EcoString;
use holdfast_model::Confidence;
use holdfast_model::Text;
use holdfast_model::facts::FluxKind;

use crate::flux::{self, HELM};
use crate::helm::owner;
use crate::object::{label, named_at};
use crate::places_of::{all_at, with_places_of};
use crate::{Node, Object};

type Key = (EcoString, EcoString, EcoString);

/// Joins what was printed to the objects of a cluster; gives back what doesn't belong to it.
pub(crate) fn join(objects: &mut Vec<Object>, printed: Vec<Node>) -> Vec<Object> {
    let known: HashMap<Key, usize> = objects.iter().enumerate().map(|(place, object)| (key(object), place)).collect();
    let releases = Releases::of(objects);
    let mut rendered = HashSet::new();
    let mut new = Vec::new();
    let mut left = Vec::new();
    let mut seen = HashSet::new();
    for object in printed.into_iter().filter_map(|root| flux::object(root, None)) {
        let object = Object { confidence: Confidence::Rendered, ..object };
        let release = releases.find(&object);
        rendered.extend(release);
        match (known.get(&key(&object)), release) {
            (Some(place), _) => {
                let written = &mut objects[*place];
                let whole = written.whole().into_owned();
                written.root = with_places_of(&with_labels_of(&object.root, &whole), &whole);
                written.labelled = None;
                written.confidence = Confidence::Rendered;
                seen.insert(*place);
            }
            (None, Some(release)) => new.push(of_release(object, &objects[release])),
            (None, None) => left.push(object),
        }
    }
    drop_inferred(objects, &rendered, &seen);
    objects.extend(new);
    left
}

fn key(object: &Object) -> Key {
    (object.kind.clone(), object.namespace.clone(), object.name.clone())
}

/// What Flux labels, a renderer often doesn't.
fn with_labels_of(rendered: &Node, written: &Node) -> Node {
    let mut node = rendered.clone();
    let labels = written.at(&["metadata", "labels"]).into_iter().flat_map(Node::entries);
    let of_flux: Vec<_> = labels.filter(|entry| entry.key.contains(".toolkit.fluxcd.io/")).cloned().collect();
    if let Some(metadata) = node.as_mapping_mut().and_then(|mapping| mapping.get_mut("metadata")) {
        let at = of_flux.first().map_or(rendered.origin, |entry| entry.at);
        label(metadata, &of_flux, at);
    }
    node
}

fn of_release(object: Object, release: &Object) -> Object {
    let at = named_at(&release.root);
    Object { root: all_at(&object.root, at), owner: Some(owner(release)), labelled: Some(at), ..object }
}

fn drop_inferred(objects: &mut Vec<Object>, rendered: &HashSet<usize>, seen: &HashSet<usize>) {
    let of_rendered: HashSet<(Text, Text)> = rendered
        .iter()
        .map(|place| (objects[*place].namespace.as_str().into(), objects[*place].name.as_str().into()))
        .collect();
    let mut place = 0;
    objects.retain(|object| {
        let here = place;
        place += 1;
        let owner = object.owner.as_ref().filter(|owner| owner.kind == FluxKind::HelmRelease);
        let replaced =
            owner.is_some_and(|owner| of_rendered.contains(&(owner.key.namespace.clone(), owner.key.name.clone())));
        object.confidence != Confidence::Inferred || !replaced || seen.contains(&here)
    });
}

/// The HelmReleases of a cluster, by their own name and by that of what Helm installs.
struct Releases {
    by_key: HashMap<(EcoString, EcoString), usize>,
    by_release: HashMap<(EcoString, EcoString), usize>,
}

impl Releases {
    fn of(objects: &[Object]) -> Self {
        let mut releases = Self { by_key: HashMap::new(), by_release: HashMap::new() };
        let known = crate::helm::Known::default();
        for (place, object) in objects.iter().enumerate().filter(|(_, object)| object.is(HELM, "HelmRelease")) {
            let release = crate::helm::Release::read(object, &known);
            releases.by_key.insert((object.namespace.clone(), object.name.clone()), place);
            releases.by_release.insert((release.namespace.clone(), release.name.clone()), place);
        }
        releases
    }

    fn find(&self, object: &Object) -> Option<usize> {
        let text = |place: &str, key: &str| {
            object.root.at(&["metadata", place, key]).and_then(Node::as_str).map(EcoString::from)
        };
        let labelled = || {
            let namespace = text("labels", "helm.toolkit.fluxcd.io/namespace")?;
            self.by_key.get(&(namespace, text("labels", "helm.toolkit.fluxcd.io/name")?)).copied()
        };
        let annotated = || {
            let namespace = text("annotations", "meta.helm.sh/release-namespace")?;
            self.by_release.get(&(namespace, text("annotations", "meta.helm.sh/release-name")?)).copied()
        };
        let by_instance = || {
            let managed = text("labels", "app.kubernetes.io/managed-by")? == "Helm";
            let instance = text("labels", "app.kubernetes.io/instance").filter(|_| managed)?;
            self.by_release.get(&(object.namespace.clone(), instance)).copied()
        };
        labelled().or_else(annotated).or_else(by_instance)
    }
}

#[cfg(test)]
mod tests;
