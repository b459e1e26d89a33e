//! Configuration in templates, as far as it is the same however they are filled in: documents without a placeholder.
//!
//! Whether such a document is rendered at all isn't known, nor what stands beside it. So only what makes findings fewer is taken
//! from it.

use std::sync::Arc;

use holdfast_model::Position;
use holdfast_model::repository::Talos;

use super::scheduler;
use crate::FileId;
use crate::checkout::is_named_template;
use crate::yaml::{self, Limits};

/// Where it has the encryption of a system disk.
fn encryption(path: &Arc<str>, text: &str) -> Option<Position> {
    let (line, column) = (1..).zip(text.lines()).find_map(|(line, content)| {
        let before = content.find("systemDiskEncryption:")?;
        content[..before].trim().is_empty().then_some((line, 1 + u32::try_from(before).ok()?))
    })?;
    Some(Position { file: Arc::clone(path), line, column })
}

/// Whether the text of this file is wanted: a template in a folder of Talos.
pub(in crate::facts) fn is_wanted(path: &str) -> bool {
    let folders = path.rsplit_once('/').map_or("", |(folders, _)| folders);
    is_named_template(path) && folders.split('/').any(|folder| folder == "talos")
}

/// Adds what a template says.
pub(in crate::facts) fn read(path: &Arc<str>, text: &str, talos: &mut Talos) {
    if talos.encryption_in_template.is_none() {
        talos.encryption_in_template = encryption(path, text);
    }
    for document in text.split("\n---").filter(|document| !yaml::is_template(document)) {
        let parsed = yaml::parse(FileId::NONE, document.as_bytes(), &Limits::default());
        parsed.documents.iter().for_each(|document| scheduler::read(document, talos));
    }
}
