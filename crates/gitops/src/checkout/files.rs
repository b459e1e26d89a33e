//! The files of a checkout as Kustomize asks for them.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::Tree;
use crate::kustomize::{Entry, Files, Unreadable};
use crate::yaml::{self, Limits, Refusal};
use crate::{FileId, Node};

impl Files for Tree {
    fn entry(&self, path: &str) -> Entry {
        if self.id(path).is_some() {
            return Entry::File;
        }
        if path.is_empty() || self.has_folder(path) {
            return Entry::Folder;
        }
        let outside =
            self.broken.iter().any(|broken| *broken.path == *path && broken.why.contains("out of the checkout"));
        if outside { Entry::Outside } else { Entry::Missing }
    }

    fn list(&self, folder: &str) -> Vec<String> {
        let skipped = if folder.is_empty() { 0 } else { folder.len() + 1 };
        let names = self.below(folder).iter().filter_map(|path| path[skipped..].split('/').next());
        let names: BTreeSet<&str> = names.collect();
        names.into_iter().map(str::to_owned).collect()
    }

    fn documents(&self, path: &str) -> Result<Cow<'_, [Node]>, Unreadable> {
        if let Some(broken) = self.broken.iter().find(|broken| *broken.path == *path) {
            return Err(Unreadable(broken.why.clone()));
        }
        if let Some(file) = self.file(path) {
            return Ok(Cow::Borrowed(&file.documents));
        }
        let id = self.id(path).ok_or_else(|| Unreadable("it isn't in the checkout".to_owned()))?;
        let parsed = yaml::parse(id, &Files::bytes(self, path)?, &Limits::default());
        match parsed.error {
            Some(error) => Err(Unreadable(error.message)),
            None => Ok(Cow::Owned(parsed.documents)),
        }
    }

    fn refusal(&self, path: &str) -> Option<Refusal> {
        self.file(path).and_then(|file| file.refused.clone())
    }

    fn bytes(&self, path: &str) -> Result<Cow<'_, [u8]>, Unreadable> {
        // Only what was listed is read, so that no path leads out of the checkout.
        self.id(path).ok_or_else(|| Unreadable("it isn't in the checkout".to_owned()))?;
        super::read::bytes_of(&self.root.join(path)).map(Cow::Owned).map_err(Unreadable)
    }

    fn id(&self, path: &str) -> Option<FileId> {
        Self::id(self, path)
    }
}
