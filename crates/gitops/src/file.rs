//! A file of the checkout, as it was read.

use std::sync::Arc;

use crate::yaml::Refusal;
use crate::{FileId, Node};

/// A file that was read as YAML.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Its number.
    pub id: FileId,
    /// Its path, relative to the checkout, with `/` between the parts.
    pub path: Arc<str>,
    /// Its documents, in order. Of a file that can't be read to its end those before the error.
    pub documents: Vec<Node>,
    /// Why Kustomize refuses it as a file of objects.
    pub refused: Option<Refusal>,
}
