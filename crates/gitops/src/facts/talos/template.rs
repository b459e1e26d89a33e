//! Configuration in templates, as far as it is the same however they are filled in: documents without a placeholder.
//!
//! Whether such a document is rendered at all isn't known, nor what stands beside it. So only what makes findings fewer is taken
//! from it.

use holdfast_model::repository::Talos;

use super::scheduler;
use crate::FileId;
use crate::checkout::is_named_template;
use crate::yaml::{self, Limits};

/// Whether the text of this file is wanted: a template in a folder of Talos.
pub(in crate::facts) fn is_wanted(path: &str) -> bool {
    let folders = path.rsplit_once('/').map_or("", |(folders, _)| folders);
    is_named_template(path) && folders.split('/').any(|folder| folder == "talos")
}

/// Adds what a template says.
pub(in crate::facts) fn read(text: &str, talos: &mut Talos) {
    for document in text.split("\n---").filter(|document| !yaml::is_template(document)) {
        let parsed = yaml::parse(FileId::NONE, document.as_bytes(), &Limits::default());
        parsed.documents.iter().for_each(|document| scheduler::read(document, talos));
    }
}
