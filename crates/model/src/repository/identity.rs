//! Who a fact is about: the object, whose it is, and what decides whether a finding on it counts.

use crate::facts::{FluxOwner, OptOut};
use crate::{Confidence, Labels, Subject};

/// An object that facts of files are about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The object.
    pub subject: Subject,
    /// Its labels, which exceptions select by.
    pub labels: Labels,
    /// What its own annotations exempt it from.
    pub opt_out: OptOut,
    /// In which HelmRelease or Kustomization a person changes it.
    pub owner: Option<FluxOwner>,
    /// On what it stands.
    pub confidence: Confidence,
}

impl Identity {
    /// Something that is no object of the API, or of which nothing more is known.
    #[must_use]
    pub fn of(subject: Subject) -> Self {
        let labels = Labels::default();
        Self { subject, labels, opt_out: OptOut::default(), owner: None, confidence: Confidence::Declared }
    }
}
