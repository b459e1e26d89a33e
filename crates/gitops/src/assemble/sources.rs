//! The files behind positions: their paths, and a line of their text when somebody wants to see it.
//!
//! Texts are read again when they are asked for, and the last one is kept: findings come file by file.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use holdfast_model::{Locate, Located, Position, Subject};

use crate::checkout::{MOST_BYTES, Tree};
use crate::facts::Paths;
use crate::{FileId, Origin};

/// What the name of a Jinja template ends with.
const JINJA: &str = ".j2";

/// The files of a checkout, and what was given beside them.
#[derive(Debug, Default)]
pub struct Sources {
    root: PathBuf,
    paths: Vec<Arc<str>>,
    /// Those of Jinja templates.
    templates: Vec<Arc<str>>,
    /// Streams, which can't be read twice.
    streams: Vec<(Arc<str>, String)>,
    last: Mutex<Option<(String, Vec<String>)>>,
}

impl Sources {
    pub(crate) fn new(tree: &Tree, streams: Vec<(Arc<str>, String)>) -> Self {
        let paths = tree.paths().to_vec();
        let templates = paths.iter().filter(|path| path.ends_with(JINJA)).cloned().collect();
        Self { root: tree.root().to_owned(), paths, templates, streams, last: Mutex::default() }
    }

    /// The path or name behind a number.
    fn path(&self, file: FileId) -> Option<&Arc<str>> {
        let stream = || self.streams.get(file.index().checked_sub(self.paths.len())?).map(|(name, _)| name);
        self.paths.get(file.index()).or_else(stream)
    }

    /// Whether it is one of the checkout's files.
    pub(crate) fn has(&self, file: &str) -> bool {
        self.paths.binary_search_by(|path| (**path).cmp(file)).is_ok()
    }

    /// The text of a file, read again.
    pub(crate) fn text(&self, file: &str) -> Option<String> {
        if let Some((_, text)) = self.streams.iter().find(|(name, _)| **name == *file) {
            return Some(text.clone());
        }
        // Only what was listed is read, so that no path leads out of the checkout.
        self.paths.iter().find(|path| ***path == *file)?;
        let path = self.root.join(file);
        let size = std::fs::metadata(&path).ok()?.len();
        (size <= MOST_BYTES)
            .then(|| std::fs::read(path).ok())
            .flatten()
            .map(|text| String::from_utf8_lossy(&text).into())
    }
}

impl Paths for Sources {
    fn position(&self, origin: Origin) -> Option<Position> {
        let file = origin.is_somewhere().then(|| self.path(origin.file())).flatten()?;
        Some(Position { file: Arc::clone(file), line: origin.line(), column: origin.column() })
    }
}

/// For findings about the checkout as a whole: nothing is an object there, but lines can be shown.
impl Locate for Sources {
    fn template_of(&self, file: &str) -> Option<Arc<str>> {
        // A name alone says nothing: every folder has a kustomization.yaml.
        file.contains('/').then_some(())?;
        let is_made_of = |template: &&Arc<str>| {
            let folder = template.strip_suffix(JINJA).and_then(|path| path.strip_suffix(file));
            folder.is_some_and(|folder| folder.ends_with('/'))
        };
        self.templates.iter().find(is_made_of).cloned()
    }

    fn locate(&self, _: &Subject, _: &str) -> Option<Located> {
        None
    }

    fn line(&self, file: &str, line: u32) -> Option<String> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref().is_none_or(|(name, _)| name != file) {
            let lines = self.text(file)?.lines().map(str::to_owned).collect();
            *last = Some((file.to_owned(), lines));
        }
        let (_, lines) = last.as_ref()?;
        lines.get((line as usize).checked_sub(1)?).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(paths: &[&str], file: &str, template: Option<&str>) {
        let templates = paths.iter().map(|path| Arc::from(*path)).collect();
        let sources = Sources { templates, ..Sources::default() };
        assert_eq!(sources.template_of(file).as_deref(), template);
    }

    #[test]
    fn a_template_has_the_path_of_its_file_below_another_folder() {
        let paths =
            ["templates/config/talos/env.yaml.j2", "talos/other.yaml.j2", "env.yaml.j2", "x/mytalos/env.yaml.j2"];
        check(&paths, "talos/env.yaml", Some(paths[0]));
        check(&paths[1..], "talos/env.yaml", None);
    }

    #[test]
    fn a_name_alone_says_nothing() {
        check(&["templates/kustomization.yaml.j2"], "kustomization.yaml", None);
    }
}
