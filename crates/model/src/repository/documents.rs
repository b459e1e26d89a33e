//! What a person can read: which kinds of documents the checkout has.

use std::collections::BTreeSet;
use std::sync::Arc;

/// The facts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Documents {
    /// Whether what was read looks like the root of a repository, and not like a folder of one.
    pub is_root: bool,
    /// Whether others are invited to take part: forms for issues or changes, rules of conduct.
    pub invites: bool,
    /// Whether something is released from it, so that there are versions to tell of.
    pub releases: bool,
    /// Which documents, or sections of documents, there are.
    pub topics: BTreeSet<Topic>,
    /// The first README, when there is one.
    pub readme: Option<Arc<str>>,
}

/// What a document is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// What changed, by version or date.
    Changes,
    /// How to take part.
    Contributing,
    /// How to upgrade.
    Upgrade,
    /// What to do when the cluster is no longer as Git says.
    Drift,
    /// How to get everything back.
    Recovery,
}
