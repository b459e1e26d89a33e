//! What was read, for people who want to check that nothing was overlooked.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{Position, Text};

/// What was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inventory {
    /// How many files were read.
    pub files: usize,
    /// How many are templates of another tool, which become YAML only when that renders them, and were passed over.
    pub templates: usize,
    /// The effective namespaces, in order.
    pub namespaces: Vec<Text>,
    /// Files with Kubernetes objects that no Flux root reaches, in order.
    pub unreachable: Vec<Arc<str>>,
    /// Which of them a kustomization leaves out on purpose, as far as its text shows it.
    pub left_out: BTreeMap<Arc<str>, LeftOut>,
    /// Files that a Flux root reaches, in order; none where there is no Flux.
    pub reached: Vec<Arc<str>>,
    /// HelmReleases.
    pub helm_releases: Listing,
    /// Flux Kustomizations.
    pub kustomizations: Listing,
    /// What makes pods, declared, rendered or inferred.
    pub workloads: Listing,
    /// Disruption budgets.
    pub budgets: Listing,
}

/// A line that would reach a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Where it is.
    pub position: Position,
    /// Why it doesn't count.
    pub why: Absence,
}

/// Why a line doesn't count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absence {
    /// It is commented out.
    Commented,
    /// It is in the template of the kustomization, and didn't come of it.
    Conditional,
}

/// The objects of one kind.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listing {
    /// In order of file and line.
    pub items: Vec<Item>,
}

/// One object.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Its kind.
    pub kind: Text,
    /// Its effective namespace.
    pub namespace: Text,
    /// Its name.
    pub name: Text,
    /// Where it is written.
    pub position: Position,
    /// Whether a Flux root reaches it.
    pub reachable: bool,
    /// Whether it is suspended.
    pub suspended: bool,
    /// The chart of a HelmRelease, as `name@version`.
    pub chart: Option<Text>,
    /// The replicas of a workload.
    pub replicas: Option<u32>,
}

impl Listing {
    /// How many a Flux root reaches.
    #[must_use]
    pub fn reachable(&self) -> usize {
        self.items.iter().filter(|item| item.reachable).count()
    }

    /// How many are suspended.
    #[must_use]
    pub fn suspended(&self) -> usize {
        self.items.iter().filter(|item| item.suspended).count()
    }
}
