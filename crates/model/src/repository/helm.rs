//! What charts say: their custom resource definitions, and what their schema thinks of a release's values.

use std::collections::BTreeSet;

use super::Identity;
use crate::Text;

/// The facts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Helm {
    /// HelmReleases whose chart lies in the checkout with a schema for its values.
    pub checked: Vec<Checked>,
    /// The names of charts in the checkout that have a folder `crds`.
    pub with_crds: BTreeSet<Text>,
}

/// A release whose values were held against the schema of its chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The HelmRelease.
    pub identity: Identity,
    /// What the schema rejects, in the order of the schema; at most a handful.
    pub rejected: Vec<Rejected>,
}

/// A value that a schema rejects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Its field path in the HelmRelease.
    pub field: Text,
    /// What the schema wants.
    pub message: Text,
}
