//! From bytes to documents and to what these say by themselves, in parallel; the text is dropped at once.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use holdfast_model::Position;
use rayon::prelude::*;

use super::walk::Walked;
use super::{Broken, MOST_BYTES};
use crate::facts::{FileFacts, Paths};
use crate::yaml::{self, ErrorKind, Limits, ParseError};
use crate::{FileId, Node, Origin, SourceFile};

/// What became of files.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) files: Vec<SourceFile>,
    pub(super) templates: usize,
    pub(super) bytes: u64,
    pub(super) broken: Vec<Broken>,
    pub(super) facts: FileFacts,
}

/// Reads all files, and says of them in order.
pub(super) fn read_all(walked: &Walked) -> Read {
    let charts = chart_templates(&walked.paths);
    let numbered = walked.paths.par_iter().enumerate();
    let read = numbered.fold(Read::default, |mut read, (number, path)| {
        if is_template_file(path, &charts) {
            read.templates += 1;
        } else if let Some(id) = FileId::new(number).filter(|_| is_yaml(path)) {
            read.add(id, path, walked);
        }
        read
    });
    read.reduce(Read::default, Read::before)
}

/// The folders with the templates of charts that stand in the checkout.
fn chart_templates(paths: &[Arc<str>]) -> BTreeSet<String> {
    let charts = paths.iter().filter_map(|path| path.strip_suffix("/Chart.yaml"));
    charts.map(|folder| format!("{folder}/templates/")).collect()
}

/// What becomes YAML only when somebody renders it.
fn is_template_file(path: &str, charts: &BTreeSet<String>) -> bool {
    is_named_template(path) || (is_yaml(path) && charts.iter().any(|folder| path.starts_with(folder.as_str())))
}

/// Whether a file says by its name that it is a template of YAML.
pub(crate) fn is_named_template(path: &str) -> bool {
    let language = [".j2", ".tmpl", ".gotmpl", ".tpl"].iter().find_map(|end| path.strip_suffix(end));
    language.is_some_and(|made| made.ends_with(".yaml") || made.ends_with(".yml"))
}

fn is_yaml(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.ends_with(".yaml") || name.ends_with(".yml") || name == "Kustomization"
}

impl Read {
    fn add(&mut self, id: FileId, path: &Arc<str>, walked: &Walked) {
        let bytes = match bytes_of(&walked.root.join(&**path)) {
            Ok(bytes) => bytes,
            Err(why) => return self.broken.push(Broken { path: Arc::clone(path), at: None, why, link: false }),
        };
        let parsed = yaml::parse(id, &bytes, &Limits::default());
        self.bytes += bytes.len() as u64;
        if parsed.error.as_ref().is_some_and(|error| error.kind == ErrorKind::Template) {
            self.templates += 1;
            return;
        }
        self.broken.extend(parsed.error.as_ref().map(|error| told(path, error)));
        let refused = parsed.refusal();
        let mut documents = parsed.documents;
        // Most files have one, and there are many files.
        documents.shrink_to_fit();
        let file = SourceFile { id, path: Arc::clone(path), refused, documents };
        // While all of it is at hand.
        self.facts.read(&file, walked);
        self.files.push(file);
    }

    /// All of both; the other's files come later.
    fn before(mut self, mut other: Self) -> Self {
        self.files.append(&mut other.files);
        self.templates += other.templates;
        self.bytes += other.bytes;
        self.broken.append(&mut other.broken);
        self.facts.append(other.facts);
        self
    }
}

impl Paths for Walked {
    fn position(&self, origin: Origin) -> Option<Position> {
        let file = origin.is_somewhere().then(|| self.paths.get(origin.file().index())).flatten()?;
        Some(Position { file: Arc::clone(file), line: origin.line(), column: origin.column() })
    }
}

fn told(path: &Arc<str>, error: &ParseError) -> Broken {
    let at = Some((error.at.line(), error.at.column()));
    Broken { path: Arc::clone(path), at, why: error.message.clone(), link: false }
}

pub(super) fn bytes_of(path: &Path) -> Result<Vec<u8>, String> {
    let told = |error: std::io::Error| error.to_string().to_lowercase();
    let file = File::open(path).map_err(told)?;
    let size = file.metadata().map_err(told)?.len();
    if MOST_BYTES < size {
        return Err(format!("it has {size} bytes, and no YAML file with more than {MOST_BYTES} is read"));
    }
    let mut bytes = Vec::with_capacity(size as usize);
    file.take(MOST_BYTES).read_to_end(&mut bytes).map_err(told)?;
    Ok(bytes)
}

/// The documents in a string: the value of a ConfigMap, what became of a template.
pub(crate) fn embedded(text: &Node) -> Result<Vec<Node>, ParseError> {
    let parsed = yaml::parse_embedded(text, &Limits::default());
    parsed.error.map_or(Ok(parsed.documents), Err)
}
