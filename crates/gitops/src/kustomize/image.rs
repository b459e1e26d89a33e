//! `images`: new names, tags and digests for the images of containers.

use ecow::EcoString;
use regex_lite::Regex;

use super::collection::Collection;
use super::field_spec::{FieldSpec, Leaf, NotAContainer};
use super::file::Image;
use super::problem::{ProblemKind, Problems};
use crate::{Node, Origin, Value};

/// What an image becomes.
struct Change<'a> {
    image: &'a Image,
    /// The name of an image is a regular expression to Kustomize, though nobody means one.
    matches: Regex,
    at: Origin,
}

/// Changes an image in all objects.
pub(super) fn change(collection: &mut Collection, image: &Image, problems: &mut Problems) {
    let pattern = format!("^{}(:[a-zA-Z0-9_.{{}}-]*)?(@sha256:[a-zA-Z0-9_.{{}}-]*)?$", image.name);
    let Ok(matches) = Regex::new(&pattern) else {
        let message = format!("the image name {} is no regular expression, as which Kustomize takes it", image.name);
        problems.add(ProblemKind::Invalid, image.at, message);
        return;
    };
    let change = Change { image, matches, at: image.value_at };
    for resource in &mut collection.list {
        if resource.kind() == "CustomResourceDefinition" {
            continue;
        }
        // Both, as Kustomize: a suffix that matches again is added twice.
        if holds_image(&resource.root, &change) {
            change_below(&mut resource.root, &change);
        }
        for spec in FIELDS {
            let mut set = |node: &mut Node| change.apply(node);
            if let Err(NotAContainer(origin)) = spec.visit(&mut resource.root, Leaf::Nothing, Origin::NONE, &mut set) {
                let message = format!("{} is no list of containers", spec.path);
                problems.add(ProblemKind::PatchFails, origin, message);
            }
        }
    }
}

/// Where Kubernetes' own kinds have images.
const FIELDS: &[FieldSpec] = &[
    FieldSpec::new("", "", "spec/containers[]/image", false),
    FieldSpec::new("", "", "spec/initContainers[]/image", false),
    FieldSpec::new("", "", "spec/volumes[]/image/reference", false),
    FieldSpec::new("", "", "spec/template/spec/containers[]/image", false),
    FieldSpec::new("", "", "spec/template/spec/initContainers[]/image", false),
    FieldSpec::new("", "", "spec/template/spec/volumes[]/image/reference", false),
];

/// Where else: in each list that is called so, however deep.
const LISTS: [&str; 2] = ["containers", "initContainers"];

fn holds_image(node: &Node, change: &Change<'_>) -> bool {
    let of_list =
        |item: &Node| item.get("image").and_then(Node::text).is_some_and(|text| change.matches.is_match(&text));
    let in_entry = |key: &str, value: &Node| {
        LISTS.contains(&key) && value.items().iter().any(of_list) || holds_image(value, change)
    };
    node.items().iter().any(|item| holds_image(item, change))
        || node.entries().any(|entry| in_entry(&entry.key, &entry.value))
}

fn change_below(node: &mut Node, change: &Change<'_>) {
    match &mut node.value {
        Value::Sequence(items) => items.make_mut().iter_mut().for_each(|item| change_below(item, change)),
        Value::Mapping(mapping) => {
            for entry in mapping.entries_mut() {
                change_below(&mut entry.value, change);
                if LISTS.contains(&entry.key.as_str()) {
                    entry.value.items_mut().iter_mut().for_each(|item| change_item(item, change));
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::String(_) => {}
    }
}

fn change_item(item: &mut Node, change: &Change<'_>) {
    if let Some(image) = item.as_mapping_mut().and_then(|item| item.get_mut("image")) {
        // What is no scalar is told by the fields that are known.
        let _ = change.apply(image);
    }
}

impl Change<'_> {
    fn apply(&self, node: &mut Node) -> Result<(), NotAContainer> {
        let Some(text) = node.text() else {
            return if node.is_null() { Ok(()) } else { Err(NotAContainer(node.origin)) };
        };
        if self.matches.is_match(&text) {
            *node = Node::new(Value::String(self.changed(&text)), self.at);
        }
        Ok(())
    }

    fn changed(&self, text: &str) -> EcoString {
        let image = self.image;
        let (name, tag, digest) = split(text);
        let name = if image.new_name.is_empty() { name } else { &image.new_name };
        let (tag, digest) = match (image.new_tag.as_str(), image.digest.as_str(), image.tag_suffix.as_str()) {
            ("", "", "") => (tag.to_owned(), digest),
            ("", "", suffix) => (format!("{tag}{suffix}"), ""),
            (tag, digest, _) => (tag.to_owned(), digest),
        };
        let mut changed = EcoString::from(name);
        for (mark, part) in [(':', tag.as_str()), ('@', digest)] {
            if !part.is_empty() {
                changed.push(mark);
                changed.push_str(part);
            }
        }
        changed
    }
}

/// Name, tag and digest.
fn split(image: &str) -> (&str, &str, &str) {
    // A colon before the first slash is that of a port.
    let host = image.find('/').filter(|at| 0 < *at).unwrap_or(0);
    let at = image[host..].find('@').map(|at| host + at);
    let colon = image[host..].find(':').map(|colon| host + colon);
    match (colon, at) {
        (None, None) => (image, "", ""),
        (None, Some(at)) => (&image[..at], "", &image[at + 1..]),
        (Some(colon), Some(at)) if at < colon => (&image[..at], "", &image[at + 1..]),
        (Some(colon), Some(at)) => (&image[..colon], &image[colon + 1..at], &image[at + 1..]),
        (Some(colon), None) => (&image[..colon], &image[colon + 1..], ""),
    }
}
