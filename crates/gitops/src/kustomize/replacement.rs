//! `replacements`: a value of one object, or a fixed one, put into fields of others.

use ecow::EcoString;

use super::accumulate::Builder;
use super::collection::Collection;
use super::file::scalar;
use super::id::Id;
use super::patch::text_of;
use super::problem::{Problem, ProblemKind};
use super::resource::Resource;
use super::selector::Selector;
use super::size;
use super::target_path::{self, Made, PathError};
use crate::{Node, Origin, Value};

/// Does all of them, in order.
pub(super) fn apply_all(builder: &mut Builder<'_>, folder: &str, replacements: &[Node], all: &mut Collection) {
    for replacement in replacements {
        for one in load(builder, folder, replacement) {
            if let Err(problem) = apply(&one, all) {
                builder.problems.push(problem);
            }
        }
    }
}

/// A replacement stands in the kustomization file, or in a file of its own, alone or in a list.
fn load(builder: &mut Builder<'_>, folder: &str, replacement: &Node) -> Vec<Node> {
    let Some(written) = replacement.get("path").and_then(scalar) else { return vec![replacement.clone()] };
    let Some(file) = builder.file(folder, &written) else { return Vec::new() };
    let documents = builder.documents(&file, written.at).unwrap_or_default();
    documents
        .into_iter()
        .flat_map(|document| match &document.value {
            Value::Sequence(items) => items.to_vec(),
            Value::Null
            | Value::Bool(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::String(_)
            | Value::Mapping(_) => {
                vec![document]
            }
        })
        .collect()
}

fn apply(replacement: &Node, all: &mut Collection) -> Result<(), Problem> {
    let targets = replacement.get("targets").map(Node::items).unwrap_or_default();
    let value = source(replacement, all)?;
    if targets.is_empty() {
        return Err(Problem::new(ProblemKind::Invalid, replacement.origin, "a replacement needs targets"));
    }
    targets.iter().try_for_each(|target| apply_to(target, &value, all))
}

fn source(replacement: &Node, all: &Collection) -> Result<Node, Problem> {
    let invalid = |message: &str| Problem::new(ProblemKind::Invalid, replacement.origin, message);
    match (replacement.get("source"), replacement.get("sourceValue")) {
        (Some(_), Some(_)) => Err(invalid("a replacement has either a source or a sourceValue, not both")),
        (None, Some(value)) => {
            Ok(Node::new(value.text().map_or(Value::Null, |text| crate::yaml::plain(&text)), value.origin))
        }
        (None, None) => Err(invalid("a replacement needs a source")),
        (Some(source), None) => source_value(source, all),
    }
}

fn source_value(source: &Node, all: &Collection) -> Result<Node, Problem> {
    let fails = |kind, message| Problem::new(kind, source.origin, message);
    let found: Vec<&Resource> =
        all.list.iter().filter(|resource| resource.is_any(|id| is_selected(id, source))).collect();
    let told = || format!("{} {}", text_of(source, "kind"), text_of(source, "name"));
    let resource = match found.as_slice() {
        [one] => *one,
        [] => {
            return Err(fails(
                ProblemKind::TargetMissing,
                format!("the source {} of a replacement isn't there", told()),
            ));
        }
        [_, _, ..] => {
            return Err(fails(ProblemKind::Clash, format!("the source {} could mean several objects", told())));
        }
    };
    let path = path_or_name(source.get("fieldPath"));
    let value = target_path::lookup(&resource.root, &target_path::split(&path)).filter(|value| !is_nothing(value));
    let Some(value) = value else {
        let message = format!("the source {} of a replacement has no {path}", told());
        return Err(fails(ProblemKind::TargetMissing, message));
    };
    let Some(delimiter) = delimiter(source) else { return Ok(value.clone()) };
    let index = source.at(&["options", "index"]).and_then(Node::as_integer).unwrap_or(0);
    let text = value.text().unwrap_or_default();
    let piece = usize::try_from(index).ok().and_then(|index| text.split(delimiter.as_str()).nth(index));
    let Some(piece) = piece else {
        return Err(fails(ProblemKind::PatchFails, format!("{text} has no part {index}")));
    };
    let refined = if value.as_str().is_some() { Value::from(piece) } else { crate::yaml::plain(piece) };
    Ok(Node::new(refined, value.origin))
}

fn is_nothing(value: &Node) -> bool {
    value.is_null()
        || value.as_mapping().is_some_and(crate::Mapping::is_empty)
        || matches!(&value.value, Value::Sequence(items) if items.is_empty())
}

fn path_or_name(path: Option<&Node>) -> EcoString {
    path.and_then(Node::text).filter(|path| !path.is_empty()).unwrap_or_else(|| "metadata.name".into())
}

fn delimiter(of: &Node) -> Option<EcoString> {
    of.at(&["options", "delimiter"]).and_then(Node::text).filter(|delimiter| !delimiter.is_empty())
}

/// A source is selected by what it says, not by patterns.
fn is_selected(id: &Id, source: &Node) -> bool {
    let text = |field: &str| text_of(source, field);
    let namespace = text("namespace");
    let wanted = Id { namespace: namespace.clone(), ..id.clone() };
    let (name, group, version, kind) = (text("name"), text("group"), text("version"), text("kind"));
    (name.is_empty() || name == id.name)
        && (namespace.is_empty() || wanted.effective_namespace() == id.effective_namespace())
        && id.gvk.is_selected(&group, &version, &kind)
}

/// What is done to a target.
struct Change<'a> {
    value: &'a Node,
    delimiter: Option<EcoString>,
    index: i64,
    create: bool,
    at: Origin,
}

fn apply_to(target: &Node, value: &Node, all: &mut Collection) -> Result<(), Problem> {
    let Some(select) = target.get("select") else {
        return Err(Problem::new(ProblemKind::Invalid, target.origin, "the target of a replacement needs a select"));
    };
    let selector = Selector::read(select)?;
    let rejected = target.get("reject").map(Node::items).unwrap_or_default();
    let rejected: Vec<Selector> = rejected.iter().map(Selector::read).collect::<Result<_, _>>()?;
    let change = Change {
        value,
        delimiter: delimiter(target),
        index: target.at(&["options", "index"]).and_then(Node::as_integer).unwrap_or(0),
        create: target.at(&["options", "create"]).and_then(Node::as_bool).unwrap_or(false),
        at: target.origin,
    };
    let paths: Vec<&Node> = target.get("fieldPaths").map(Node::items).unwrap_or_default().iter().collect();
    for resource in &mut all.list {
        if !is_target(resource, &selector, &rejected) {
            continue;
        }
        if paths.is_empty() {
            change.apply(resource, None)?;
        }
        paths.iter().try_for_each(|path| change.apply(resource, Some(path)))?;
    }
    Ok(())
}

fn is_target(resource: &Resource, selector: &Selector, rejected: &[Selector]) -> bool {
    let by_pairs = |selector: &Selector| selector.asks_for_pairs() && selector.has_pairs(resource);
    let by_id = |selector: &Selector| !selector.is_any_id() && resource.is_any(|id| selector.is_id(id));
    selector.has_pairs(resource)
        && !rejected.iter().any(|rejected| by_pairs(rejected) || by_id(rejected))
        && resource.is_any(|id| selector.is_id(id))
}

impl Change<'_> {
    fn apply(&self, resource: &mut Resource, path: Option<&Node>) -> Result<(), Problem> {
        let at = path.map_or(self.at, |path| path.origin);
        let path = path_or_name(path);
        let made = match (self.create, &self.value.value) {
            (false, _) => Made::Nothing,
            (true, Value::Sequence(_)) => Made::Sequence,
            (true, Value::Mapping(_)) => Made::Mapping,
            (true, Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::String(_)) => {
                Made::Scalar
            }
        };
        let told = resource.id().told();
        let mut root = resource.root.clone();
        let found = target_path::visit(&mut root, &target_path::split(&path), made, &mut |node| self.set(node));
        let (kind, message) = match found {
            Ok(0) => (ProblemKind::TargetMissing, format!("{told} has no {path}, which a replacement would set")),
            Ok(_) if !size::fits(&root) => (ProblemKind::TooLarge, format!("{told} would be larger than is built")),
            Ok(_) => {
                resource.root = root;
                return Ok(());
            }
            Err(PathError::IntoText) => {
                (ProblemKind::Unsupported, format!("{path} of {told} leads into a text, which isn't changed here"))
            }
            Err(PathError::Nowhere(why)) => (ProblemKind::PatchFails, format!("{path} of {told} can't be set: {why}")),
        };
        Err(Problem::new(kind, at, message))
    }

    fn set(&self, node: &mut Node) -> Result<(), PathError> {
        let is_text = node.as_str().is_some();
        let is_scalar = is_text || node.is_null() || node.text().is_some();
        let text = self.value.text().unwrap_or_default();
        let text = match &self.delimiter {
            Some(_) if !is_scalar => return Err(PathError::Nowhere("only a scalar has parts".to_owned())),
            Some(delimiter) => self.with_part(&node.text().unwrap_or_default(), delimiter, &text),
            None => text,
        };
        let value = match (is_scalar, is_text) {
            // A string stays one, whatever it says.
            (true, true) => Value::String(text),
            (true, false) if self.value.text().is_some() => crate::yaml::plain(&text),
            (true, false) | (false, _) => self.value.value.clone(),
        };
        *node = Node::new(value, self.value.origin);
        Ok(())
    }

    /// The text with one of its parts replaced, or one more before or behind.
    fn with_part(&self, whole: &str, delimiter: &str, part: &str) -> EcoString {
        let mut parts: Vec<&str> = whole.split(delimiter).collect();
        match usize::try_from(self.index) {
            Err(_) => parts.insert(0, part),
            Ok(index) if index < parts.len() => parts[index] = part,
            Ok(_) => parts.push(part),
        }
        parts.join(delimiter).into()
    }
}
