//! The files of a checkout: one walk, and one pass over the bytes of each file.
//!
//! Every file has a number and a path; those that are YAML are parsed at once and their text is dropped. What a file
//! says by itself is gathered in the same pass. What can't be
//! read becomes a problem and stops nothing. Links are never followed out of the checkout, and what Git ignores isn't
//! read. Absent: any idea of what the documents mean.

mod files;
mod read;
mod walk;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use foldhash::HashMap;
use thiserror::Error;

use crate::facts::FileFacts;
use crate::{FileId, SourceFile};

pub(crate) use read::{embedded, is_named_template};

/// No YAML file is larger: a dashboard has a few hundred kilobytes, a bundle of CRDs a few megabytes.
pub(crate) const MOST_BYTES: u64 = 16 << 20;

/// More files than any checkout that is applied to a cluster.
const MOST_FILES: usize = 500_000;

/// The files of a checkout.
#[derive(Debug, Default)]
pub struct Tree {
    root: PathBuf,
    paths: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u32>,
    files: Vec<SourceFile>,
    /// By the number of the file, the place in `files`.
    places: Vec<Option<u32>>,
    templates: usize,
    bytes: u64,
    broken: Vec<Broken>,
    facts: FileFacts,
}

/// A file or folder that can't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Its path, relative to the checkout.
    pub path: Arc<str>,
    /// Line and column, when the text itself is broken.
    pub at: Option<(u32, u32)>,
    /// Why: a clause in lower case.
    pub why: String,
    /// Whether it is a link that isn't followed: nothing is wrong with it, but what is behind it isn't read.
    pub link: bool,
}

/// Why nothing can be read at all.
#[derive(Debug, Error)]
pub enum ReadError {
    /// There is nothing at the path.
    #[error("there is nothing at {}", path.display())]
    Missing {
        /// The path.
        path: PathBuf,
    },
    /// The path can't be read.
    #[error("{} can't be read", path.display())]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// There are more files than are read.
    #[error("{} has more than {MOST_FILES} files: name the folder of one cluster", path.display())]
    TooManyFiles {
        /// The path.
        path: PathBuf,
    },
}

impl Tree {
    /// Reads a folder with all below it, or a single file.
    ///
    /// # Errors
    /// When there is nothing to read; a file or folder below that can't be read is kept in [`Tree::broken`].
    pub fn read(root: &Path) -> Result<Self, ReadError> {
        let walked = walk::walk(root)?;
        let read = read::read_all(&walked);
        let numbers = (0..).zip(&walked.paths).map(|(number, path)| (Arc::clone(path), number)).collect();
        let mut tree = Self {
            root: walked.root,
            places: vec![None; walked.paths.len()],
            paths: walked.paths,
            numbers,
            files: read.files,
            templates: read.templates,
            bytes: read.bytes,
            broken: walked.broken,
            facts: read.facts,
        };
        tree.broken.extend(read.broken);
        tree.number_files();
        Ok(tree)
    }

    fn number_files(&mut self) {
        for (place, file) in (0..).zip(&self.files) {
            self.places[file.id.index()] = Some(place);
        }
        self.broken.sort_by(|a, b| a.path.cmp(&b.path));
    }

    /// The folder that was read; of a single file the one it stands in.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The paths of all files, in order; the place is the number of the file.
    #[must_use]
    pub fn paths(&self) -> &[Arc<str>] {
        &self.paths
    }

    /// The path of a file.
    #[must_use]
    pub fn path(&self, id: FileId) -> Option<&Arc<str>> {
        self.paths.get(id.index())
    }

    /// The number of a file.
    #[must_use]
    pub fn id(&self, path: &str) -> Option<FileId> {
        FileId::new(*self.numbers.get(path)? as usize)
    }

    /// The files that were read as YAML, in order of their paths.
    #[must_use]
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }

    /// A file that was read as YAML.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&SourceFile> {
        self.file_of(self.id(path)?)
    }

    /// A file that was read as YAML, by its number.
    #[must_use]
    pub fn file_of(&self, id: FileId) -> Option<&SourceFile> {
        let place = (*self.places.get(id.index())?)?;
        self.files.get(place as usize)
    }

    /// The paths of all files below a folder; the empty path is the checkout.
    #[must_use]
    pub fn below(&self, folder: &str) -> &[Arc<str>] {
        if folder.is_empty() {
            return &self.paths;
        }
        let prefix = format!("{folder}/");
        let from = self.paths.partition_point(|path| **path < *prefix);
        let many = self.paths[from..].partition_point(|path| path.starts_with(&prefix));
        &self.paths[from..from + many]
    }

    /// Whether there is a folder with files at this path.
    #[must_use]
    pub fn has_folder(&self, folder: &str) -> bool {
        !self.below(folder).is_empty()
    }

    /// How many files are templates of another tool, and were passed over.
    #[must_use]
    pub fn templates(&self) -> usize {
        self.templates
    }

    /// How many bytes of YAML were read.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What can't be read, in order of the paths.
    #[must_use]
    pub fn broken(&self) -> &[Broken] {
        &self.broken
    }

    /// What its files say by themselves, which was gathered while they were read.
    pub(crate) fn take_facts(&mut self) -> FileFacts {
        std::mem::take(&mut self.facts)
    }

    /// Takes the documents out, when all that was of interest in them is known. Whoever asks for one later reads it anew.
    pub(crate) fn take_documents(&mut self) -> Vec<SourceFile> {
        self.places.fill(None);
        std::mem::take(&mut self.files)
    }
}

#[cfg(test)]
mod tests;
