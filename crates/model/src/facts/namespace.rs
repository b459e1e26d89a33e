//! Namespaces, and who writes their Pod Security labels.

use super::{FluxHints, OptOut};
use crate::{Labels, Text};

/// A Namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Namespace {
    /// Its UID; empty in files.
    pub uid: Box<str>,
    /// Its labels, which policies select by.
    pub labels: Labels,
    /// Whether it is being deleted: nothing new can be created in it then.
    pub terminating: bool,
    /// Whether nobody wrote it down, and it is only known for what is in it: what its labels are isn't known.
    pub assumed: bool,
    /// What its owner asked not to be judged.
    pub opt_out: OptOut,
    /// What its labels and annotations say of a Flux owner.
    pub flux: FluxHints,
    /// Who owns its Pod Security labels.
    pub writers: Writers,
    /// What only files tell of it.
    pub of_files: OfFiles,
}

/// What only files tell of a namespace. A cluster has none of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfFiles {
    /// Whether files give it labels, so that another is written beside them.
    pub has_labels: bool,
    /// Whether other namespaces are made of the same lines, as by a component.
    pub shares_its_file: bool,
    /// HelmReleases in it of which it isn't known what their pods are.
    pub unread: Box<[Text]>,
    /// The same, but that they need something of the node that level baseline forbids, by what their chart is for or their values.
    pub of_node: Box<[Text]>,
}

/// Who owns the Pod Security labels of a namespace, by its `managedFields`. Files have none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Writers {
    /// The labels that we applied.
    pub ours: Box<[Text]>,
    /// The labels that somebody else owns, each with a manager.
    pub others: Box<[(Text, Text)]>,
}

impl Writers {
    /// Whether a label is ours.
    #[must_use]
    pub fn is_ours(&self, label: &str) -> bool {
        self.ours.iter().any(|known| known == label)
    }

    /// Who else owns a label.
    #[must_use]
    pub fn other(&self, label: &str) -> Option<&Text> {
        self.others.iter().find(|(known, _)| known == label).map(|(_, manager)| manager)
    }
}
