//! From bytes to documents, in parallel; the text is dropped at once.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use super::walk::Walked;
use super::{Broken, MOST_BYTES};
use crate::yaml::{self, ErrorKind, Limits, ParseError};
use crate::{FileId, Node, SourceFile};

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
    let broken = |at, why| Outcome {
        broken: Some(Broken { path: Arc::clone(path), at, why, link: false }),
        ..Outcome::default()
    };
    let bytes = match bytes_of(&root.join(&**path)) {
        Ok(bytes) => bytes,
        Err(why) => return broken(None, why),
    };
    let parsed = yaml::parse(id, &bytes, &Limits::default());
    let refused = parsed.refusal();
    let outcome = Outcome { bytes: bytes.len() as u64, ..Outcome::default() };
    match parsed.error {
        Some(error) if error.kind == ErrorKind::Template => Outcome { template: true, ..outcome },
        error => {
            let file = SourceFile { id, path: Arc::clone(path), refused, documents: parsed.documents };
            Outcome { file: Some(file), broken: error.map(|error| told(path, &error)), ..outcome }
        }
    }
}

fn told(path: &Arc<str>, error: &ParseError) -> Broken {
    let at = Some((error.at.line(), error.at.column()));
    Broken { path: Arc::clone(path), at, why: error.message.clone(), link: false }
}

pub(super) fn bytes_of(path: &Path) -> Result<Vec<u8>, String> {
    let size = std::fs::metadata(path).map_err(|error| error.to_string().to_lowercase())?.len();
    if MOST_BYTES < size {
        return Err(format!("it has {size} bytes, and no YAML file with more than {MOST_BYTES} is read"));
    }
    std::fs::read(path).map_err(|error| error.to_string().to_lowercase())
}

/// The documents in a string: the value of a ConfigMap, what became of a template.
pub(crate) fn embedded(text: &Node) -> Result<Vec<Node>, ParseError> {
    let parsed = yaml::parse_embedded(text, &Limits::default());
    parsed.error.map_or(Ok(parsed.documents), Err)
}
