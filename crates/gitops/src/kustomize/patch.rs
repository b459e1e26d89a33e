//! `patches`, `patchesStrategicMerge` and `patchesJson6902`: which objects a patch changes, and what it does to them.

use ecow::EcoString;

use super::accumulate::Builder;
use super::collection::Collection;
use super::file::{PatchSource, Scalar};
use super::id::{Gvk, Id};
use super::problem::{Problem, ProblemKind, Problems};
use super::resource::Resource;
use super::selector::Selector;
use super::{json_patch, merge};
use crate::yaml::{self, Limits};
use crate::{Mapping, Node, Origin, Value};

/// Applies `patchesStrategicMerge`: texts, or paths of files.
pub(super) fn apply_strategic(builder: &mut Builder<'_>, folder: &str, patches: &[Node], all: &mut Collection) {
    for patch in patches {
        let Some(text) = patch.as_str() else { continue };
        let written = Scalar { text: text.into(), at: patch.origin };
        let inline = yaml::parse_embedded(patch, &Limits::default());
        let is_text = inline.error.is_none() && inline.documents.iter().any(|document| document.as_mapping().is_some());
        let documents = if is_text {
            inline.documents
        } else {
            let Some(file) = builder.file(folder, &written) else { continue };
            let Some(documents) = builder.documents(&file, written.at) else { continue };
            documents
        };
        let source = PatchSource {
            path: None,
            inline: None,
            target: None,
            allow_name_change: false,
            allow_kind_change: false,
            at: patch.origin,
        };
        let documents: Vec<Node> = documents.iter().map(with_text_pairs).collect();
        apply(all, &source, &documents, &mut builder.problems);
    }
}

/// Applies `patches` or `patchesJson6902`.
pub(super) fn apply_all(builder: &mut Builder<'_>, folder: &str, patches: &[PatchSource], all: &mut Collection) {
    for source in patches {
        match (&source.inline, &source.path) {
            (Some(inline), None) => apply_inline(all, source, inline, &mut builder.problems),
            (None, Some(written)) => {
                let Some(file) = builder.file(folder, written) else { continue };
                let Some(documents) = builder.documents(&file, written.at) else { continue };
                apply(all, source, &documents, &mut builder.problems);
            }
            (Some(_), Some(written)) => {
                let message = "a patch has either a patch or a path, not both";
                builder.problems.add(ProblemKind::Invalid, written.at, message);
            }
            (None, None) => without_content(source, &mut builder.problems),
        }
        all.drop_empty();
    }
}

pub(super) fn without_content(source: &PatchSource, problems: &mut Problems) {
    problems.add(ProblemKind::Invalid, source.at, "a patch needs a patch or a path");
}

/// Applies a patch that is given as text.
pub(super) fn apply_inline(all: &mut Collection, source: &PatchSource, inline: &Node, problems: &mut Problems) {
    let parsed = yaml::parse_embedded(inline, &Limits::default());
    match parsed.error {
        Some(error) => {
            problems.add(ProblemKind::Unreadable, error.at, format!("the patch can't be read: {}", error.message))
        }
        None => apply(all, source, &parsed.documents, problems),
    }
}

fn apply(all: &mut Collection, source: &PatchSource, documents: &[Node], problems: &mut Problems) {
    let is_json = |document: &Node| matches!(document.value, Value::Sequence(_));
    match documents.first() {
        None => problems.add(ProblemKind::Invalid, source.at, "the patch is empty"),
        Some(operations) if is_json(operations) => apply_json(all, source, operations, problems),
        Some(_) => apply_merges(all, source, documents, problems),
    }
}

fn apply_json(all: &mut Collection, source: &PatchSource, operations: &Node, problems: &mut Problems) {
    let Some(target) = &source.target else {
        problems.add(ProblemKind::Invalid, source.at, "a JSON patch needs a target");
        return;
    };
    for index in select(all, target, problems) {
        let resource = &mut all.list[index];
        match json_patch::apply(&resource.root, operations.items()) {
            Ok(root) => {
                resource.remember();
                resource.root = root;
            }
            Err(problem) => problems.push(of_object(problem, resource)),
        }
    }
}

/// Says of which object the problem is.
fn of_object(problem: Problem, resource: &Resource) -> Problem {
    let message = format!("{}: {}", resource.id().told(), problem.message);
    Problem { message, ..problem }
}

fn apply_merges(all: &mut Collection, source: &PatchSource, documents: &[Node], problems: &mut Problems) {
    let Some(target) = &source.target else {
        let rewritten = source.allow_name_change || source.allow_kind_change;
        for patch in documents {
            let patch = if rewritten { &with_text_pairs(patch) } else { patch };
            merge_into_named(all, source, patch, problems);
        }
        return;
    };
    let [patch] = documents else {
        let message = "a patch with a target is one document: with several, Kustomize can't tell which is meant";
        problems.add(ProblemKind::Invalid, source.at, message);
        return;
    };
    if !is_object(patch, problems) {
        return;
    }
    let patch = with_text_pairs(patch);
    for index in select(all, target, problems) {
        merge_into(&mut all.list[index], source, &patch, problems);
    }
}

/// Where there is a target, and in `patchesStrategicMerge`, Kustomize writes the labels and annotations of the patch anew,
/// as strings: null, which would take one away, becomes the word.
fn with_text_pairs(patch: &Node) -> Node {
    let mut patch = patch.clone();
    let Some(metadata) = patch.as_mapping_mut().and_then(|patch| patch.get_mut("metadata")) else { return patch };
    let Some(metadata) = metadata.as_mapping_mut() else { return patch };
    for field in ["labels", "annotations"] {
        match metadata.get_mut(field).map(|pairs| (pairs.as_mapping().is_none_or(Mapping::is_empty), pairs)) {
            Some((true, _)) => drop(metadata.remove(field)),
            Some((false, pairs)) => {
                for entry in pairs.as_mapping_mut().into_iter().flat_map(Mapping::entries_mut) {
                    let absent = if entry.at == entry.value.origin { "" } else { "null" };
                    entry.value.value = Value::String(entry.value.text().unwrap_or_else(|| absent.into()));
                }
            }
            None => {}
        }
    }
    patch
}

/// Without a target a patch names the one object that it changes.
fn merge_into_named(all: &mut Collection, source: &PatchSource, patch: &Node, problems: &mut Problems) {
    if !is_object(patch, problems) {
        return;
    }
    let text = |path: &[&str]| patch.at(path).and_then(Node::text).unwrap_or_default();
    let id = Id {
        gvk: Gvk::new(&text(&["apiVersion"]), &text(&["kind"])),
        name: text(&["metadata", "name"]),
        namespace: text(&["metadata", "namespace"]),
    };
    let found: Vec<usize> = all.with_any_id(&id).collect();
    match found.as_slice() {
        [index] => merge_into(&mut all.list[*index], source, patch, problems),
        [] => {
            let message = format!("the patch is for {}, which isn't there", id.told());
            problems.add(ProblemKind::TargetMissing, patch.origin, message);
        }
        [_, _, ..] => {
            let message = format!("the patch is for {}, which several objects are called", id.told());
            problems.add(ProblemKind::Clash, patch.origin, message);
        }
    }
}

/// Kustomize takes nothing for a patch that has neither kind nor name, even when a target says what is meant.
fn is_object(patch: &Node, problems: &mut Problems) -> bool {
    let has = |path: &[&str]| patch.at(path).and_then(Node::text).is_some_and(|text| !text.is_empty());
    if has(&["kind"]) && has(&["metadata", "name"]) {
        return true;
    }
    let message = "a patch needs a kind and a metadata.name, though a target says which objects are meant";
    problems.add(ProblemKind::Invalid, patch.origin, message);
    false
}

fn merge_into(resource: &mut Resource, source: &PatchSource, patch: &Node, problems: &mut Problems) {
    let (name, kind) = (name_node(resource), resource.root.get("kind").cloned());
    let namespace = resource.root.at(&["metadata", "namespace"]).cloned();
    // With a target the patch is of whatever kind it meets.
    let patch = with_version(patch, resource);
    let merged = match merge::merge(&resource.root, &patch) {
        Ok(merged) => merged.unwrap_or_else(|| Node::made(Value::Null)),
        Err(problem) => return problems.push(of_object(problem, resource)),
    };
    if source.allow_name_change || source.allow_kind_change {
        resource.remember();
    }
    resource.root = merged;
    if resource.is_empty() {
        return;
    }
    if let (false, Some(kind), Some(root)) = (source.allow_kind_change, kind, resource.root.as_mapping_mut()) {
        root.insert("kind", kind.origin, kind);
    }
    if !source.allow_name_change {
        put_back(resource, "name", name);
    }
    put_back(resource, "namespace", namespace);
}

fn with_version(patch: &Node, resource: &Resource) -> Node {
    let mut patch = patch.clone();
    if let (Some(mapping), Some(version)) = (patch.as_mapping_mut(), resource.root.get("apiVersion")) {
        mapping.insert("apiVersion", version.origin, version.clone());
    }
    patch
}

fn name_node(resource: &Resource) -> Option<Node> {
    resource.root.at(&["metadata", "name"]).cloned()
}

fn put_back(resource: &mut Resource, field: &str, value: Option<Node>) {
    let known = resource.root.at(&["metadata", field]);
    if known.is_some() == value.is_some() && known.map(|known| known.origin) == value.as_ref().map(|value| value.origin)
    {
        return;
    }
    match value.as_ref().and_then(Node::text) {
        Some(text) if field == "name" => resource.set_name(text),
        Some(text) => resource.set_namespace(&text, value.map_or(Origin::NONE, |value| value.origin)),
        None if field == "namespace" => resource.set_namespace("", Origin::NONE),
        None => {}
    }
}

/// The objects that a target selects.
fn select(all: &Collection, target: &Node, problems: &mut Problems) -> Vec<usize> {
    let selector = match Selector::read(target) {
        Ok(selector) => selector,
        Err(problem) => {
            problems.push(problem);
            return Vec::new();
        }
    };
    let numbered = all.list.iter().enumerate();
    let found: Vec<usize> =
        numbered.filter(|(_, resource)| selector.selects(resource)).map(|(index, _)| index).collect();
    if found.is_empty() {
        let message = format!("the patch matches nothing: there is no {}", selector.told());
        problems.add(ProblemKind::MatchesNothing, target.origin, message);
    }
    found
}

/// The text of a field of a patch's target.
pub(super) fn text_of(target: &Node, field: &str) -> EcoString {
    target.get(field).and_then(Node::text).unwrap_or_default()
}
