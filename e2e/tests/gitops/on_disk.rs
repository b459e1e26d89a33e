//! A folder of this machine as a checkout.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fs;
use std::path::PathBuf;

use holdfast_gitops::kustomize::{Entry, Files, Unreadable};
use holdfast_gitops::yaml::{self, Limits, Refusal};
use holdfast_gitops::{FileId, Node};

/// The folder; files get their numbers as they are asked for.
#[derive(Debug)]
pub(crate) struct OnDisk {
    root: PathBuf,
    known: RefCell<Vec<String>>,
}

impl OnDisk {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root, known: RefCell::default() }
    }
}

impl Files for OnDisk {
    fn entry(&self, path: &str) -> Entry {
        match fs::metadata(self.root.join(path)) {
            Ok(it) if it.is_dir() => Entry::Folder,
            Ok(_) => Entry::File,
            Err(_) => Entry::Missing,
        }
    }

    fn list(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.root.join(folder)).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    fn documents(&self, path: &str) -> Result<Cow<'_, [Node]>, Unreadable> {
        let bytes = self.bytes(path)?;
        let id = self.id(path).ok_or_else(|| Unreadable("there are too many files".to_owned()))?;
        let parsed = yaml::parse(id, &bytes, &Limits::default());
        match parsed.error {
            Some(error) => Err(Unreadable(error.to_string())),
            None => Ok(Cow::Owned(parsed.documents)),
        }
    }

    fn refusal(&self, path: &str) -> Option<Refusal> {
        yaml::parse(self.id(path)?, &self.bytes(path).ok()?, &Limits::default()).refusal()
    }

    fn bytes(&self, path: &str) -> Result<Cow<'_, [u8]>, Unreadable> {
        fs::read(self.root.join(path)).map(Cow::Owned).map_err(|error| Unreadable(error.to_string()))
    }

    fn id(&self, path: &str) -> Option<FileId> {
        let mut known = self.known.borrow_mut();
        let place = known.iter().position(|other| other == path).unwrap_or_else(|| {
            known.push(path.to_owned());
            known.len() - 1
        });
        FileId::new(place)
    }
}
