//! What the schema of a chart thinks of a release's values.

use super::Identity;
use crate::Text;

/// The facts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Helm {
    /// HelmReleases whose values were held against the schema of their chart.
    pub checked: Vec<Checked>,
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
