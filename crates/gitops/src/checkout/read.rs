//! From bytes to documents, in parallel; the text is dropped at once.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use super::walk::Walked;
use super::{Broken, MOST_BYTES};
use crate::yaml::{self, ErrorKind, Limits, ParseError};
use crate::{FileId, Mapping, Node, Origin, SourceFile, Value};

/// What became of a file.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) file: Option<SourceFile>,
    pub(super) template: bool,
    pub(super) bytes: u64,
    pub(super) broken: Option<Broken>,
}

pub(super) fn read_all(walked: &Walked) -> Vec<Outcome> {
    let charts = chart_templates(&walked.paths);
    let numbered = walked.paths.par_iter().enumerate();
    let outcomes = numbered.filter_map(|(number, path)| {
        if is_template_file(path, &charts) {
            return Some(Outcome { template: true, ..Outcome::default() });
        }
        let id = FileId::new(number).filter(|_| is_yaml(path))?;
        Some(read(id, path, &walked.root))
    });
    outcomes.collect()
}

/// The folders with the templates of charts that stand in the checkout.
fn chart_templates(paths: &[Arc<str>]) -> BTreeSet<String> {
    let charts = paths.iter().filter_map(|path| path.strip_suffix("/Chart.yaml"));
    charts.map(|folder| format!("{folder}/templates/")).collect()
}

/// What becomes YAML only when somebody renders it.
fn is_template_file(path: &str, charts: &BTreeSet<String>) -> bool {
    let named = [".yaml.j2", ".yml.j2", ".yaml.tmpl", ".yml.tmpl", ".yaml.gotmpl", ".yml.gotmpl"];
    named.iter().any(|end| path.ends_with(end))
        || (is_yaml(path) && charts.iter().any(|folder| path.starts_with(folder.as_str())))
}

fn is_yaml(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.ends_with(".yaml") || name.ends_with(".yml") || name == "Kustomization"
}

fn read(id: FileId, path: &Arc<str>, root: &Path) -> Outcome {
    let broken = |at, why| Outcome { broken: Some(Broken { path: Arc::clone(path), at, why }), ..Outcome::default() };
    let bytes = match bytes_of(&root.join(&**path)) {
        Ok(bytes) => bytes,
        Err(why) => return broken(None, why),
    };
    let parsed = yaml::parse(id, &bytes, &Limits::default());
    let outcome = Outcome { bytes: bytes.len() as u64, ..Outcome::default() };
    match parsed.error {
        Some(error) if error.kind == ErrorKind::Template => Outcome { template: true, ..outcome },
        error => {
            let file = SourceFile { id, path: Arc::clone(path), documents: parsed.documents };
            Outcome { file: Some(file), broken: error.map(|error| told(path, &error)), ..outcome }
        }
    }
}

fn told(path: &Arc<str>, error: &ParseError) -> Broken {
    Broken { path: Arc::clone(path), at: Some((error.at.line(), error.at.column())), why: error.message.clone() }
}

fn bytes_of(path: &Path) -> Result<Vec<u8>, String> {
    let size = std::fs::metadata(path).map_err(|error| error.to_string().to_lowercase())?.len();
    if MOST_BYTES < size {
        return Err(format!("it has {size} bytes, and no YAML file with more than {MOST_BYTES} is read"));
    }
    std::fs::read(path).map_err(|error| error.to_string().to_lowercase())
}

/// YAML inside of a string: the value of a ConfigMap, a patch. Its places are those of the file as well as that can be
/// known: of a whole file exactly, of a block in another file by lines.
pub(crate) fn embedded(text: &str, at: Origin) -> Result<Vec<Node>, ParseError> {
    let parsed = yaml::parse(at.file(), text.as_bytes(), &Limits::default());
    match parsed.error {
        Some(error) => Err(error),
        None => Ok(parsed.documents.into_iter().map(|document| moved(&document, at, is_block(text))).collect()),
    }
}

/// A text of several lines stands in a block, whose first line is the one after its indicator.
fn is_block(text: &str) -> bool {
    text.contains('\n')
}

fn moved(node: &Node, base: Origin, block: bool) -> Node {
    if !base.is_somewhere() {
        return node.clone();
    }
    // A file that was taken in whole.
    if (base.line(), base.column()) == (1, 1) {
        return node.clone();
    }
    let shift = |origin: Origin| {
        let line = base.line() as usize + origin.line() as usize - usize::from(!block);
        Origin::new(base.file(), line, origin.column() as usize)
    };
    shifted(node, &shift)
}

fn shifted(node: &Node, shift: &impl Fn(Origin) -> Origin) -> Node {
    let value = match &node.value {
        Value::Sequence(items) => Value::Sequence(items.iter().map(|item| shifted(item, shift)).collect()),
        Value::Mapping(mapping) => Value::Mapping(shifted_entries(mapping, shift)),
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::String(_) => node.value.clone(),
    };
    Node::new(value, shift(node.origin))
}

fn shifted_entries(mapping: &Mapping, shift: &impl Fn(Origin) -> Origin) -> Mapping {
    let entries = mapping.iter().map(|entry| crate::node::Entry {
        key: entry.key.clone(),
        at: shift(entry.at),
        value: shifted(&entry.value, shift),
    });
    entries.collect()
}
