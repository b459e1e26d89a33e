//! Whole builds over folders that only these tests have.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::*;
use crate::yaml::{self, Limits};
use crate::{FileId, Node};

/// A checkout in memory.
#[derive(Default)]
pub(super) struct Checkout {
    files: BTreeMap<String, Vec<u8>>,
}

impl Checkout {
    /// Files, each behind a line `== path`.
    pub(super) fn of(text: &str) -> Self {
        let mut files = BTreeMap::new();
        for part in text.split("== ").skip(1) {
            let (path, content) = part.split_once('\n').unwrap();
            files.insert(path.trim().to_owned(), content.as_bytes().to_vec());
        }
        Self { files }
    }
}

impl Files for Checkout {
    fn entry(&self, path: &str) -> Entry {
        match self.files.contains_key(path) {
            true if path.ends_with("outside.yaml") => Entry::Outside,
            true => Entry::File,
            false if path.is_empty() || self.files.keys().any(|file| file.starts_with(&format!("{path}/"))) => {
                Entry::Folder
            }
            false => Entry::Missing,
        }
    }

    fn list(&self, folder: &str) -> Vec<String> {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let below = self.files.keys().filter_map(|file| file.strip_prefix(&prefix));
        let mut names: Vec<String> = below.map(|rest| rest.split('/').next().unwrap().to_owned()).collect();
        names.dedup();
        names
    }

    fn documents(&self, path: &str) -> Result<Cow<'_, [Node]>, Unreadable> {
        let content = self.files.get(path).ok_or_else(|| Unreadable("it isn't there".to_owned()))?;
        let parsed = yaml::parse(self.id(path).unwrap(), content, &Limits::default());
        match parsed.error {
            Some(error) => Err(Unreadable(error.to_string())),
            None => Ok(Cow::Owned(parsed.documents)),
        }
    }

    fn bytes(&self, path: &str) -> Result<Cow<'_, [u8]>, Unreadable> {
        self.files
            .get(path)
            .map(|content| Cow::Borrowed(content.as_slice()))
            .ok_or_else(|| Unreadable("it isn't there".to_owned()))
    }

    fn id(&self, path: &str) -> Option<FileId> {
        self.files.keys().position(|file| file == path).and_then(FileId::new)
    }
}
