//! What gives containers requests and limits beside their templates.

use super::Amounts;
use crate::Text;

/// The facts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    /// The defaults of LimitRanges.
    pub defaults: Vec<Defaults>,
    /// What a VerticalPodAutoscaler sets the requests of.
    pub autoscaled: Vec<Autoscaled>,
}

/// What the LimitRange of a namespace gives a container that says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defaults {
    /// The namespace.
    pub namespace: Text,
    /// `defaultRequest`.
    pub requests: Amounts,
    /// `default`.
    pub limits: Amounts,
}

/// A workload whose requests a VerticalPodAutoscaler sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Autoscaled {
    /// The namespace.
    pub namespace: Text,
    /// The kind, as its reference spells it.
    pub kind: Text,
    /// The name.
    pub name: Text,
}
