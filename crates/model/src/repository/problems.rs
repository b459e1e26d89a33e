//! What could not be read or followed, as facts: a rule says how much each matters.
//!
//! Nothing here is an error of ours. A file, an overlay or a chart that is broken stops nothing; the rest is still judged,
//! and this is how a person learns what was left out.

use std::collections::BTreeMap;

use crate::{Position, Subject};

/// The kind of [`Subject`] that a file is.
pub const FILE: &str = "File";

/// What was left out or broken while reading.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Problems {
    /// All of them, in order of file and line.
    pub list: Vec<Problem>,
    fine: BTreeMap<ProblemKind, usize>,
}

/// Something that could not be read or followed.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// Of which kind it is.
    pub kind: ProblemKind,
    /// The file, the Kustomization or the HelmRelease that a person mends.
    pub subject: Subject,
    /// Where, when it can be told.
    pub position: Option<Position>,
    /// What is wrong: a clause in lower case, without a full stop.
    pub message: String,
}

/// What can go wrong while reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProblemKind {
    /// A file or folder that can't be read, or that is no YAML.
    FileUnreadable,
    /// An overlay that Kustomize itself would not build.
    BuildFailed,
    /// A patch of an overlay that matches nothing there.
    PatchUnmatched,
    /// Something of Kustomize or Flux that is passed over here, though Flux would follow it.
    Unsupported,
    /// A Kustomization whose path isn't in the checkout.
    PathMissing,
    /// A variable that has neither a value nor a default.
    VariableUndefined,
    /// An expression that can't be substituted.
    SubstitutionFailed,
    /// A chart that doesn't render with these values.
    RenderFailed,
}

impl Problems {
    /// Takes a problem in.
    pub fn add(&mut self, problem: Problem) {
        self.list.push(problem);
    }

    /// Takes note of things of which none has a problem of this kind.
    pub fn fine(&mut self, kind: ProblemKind, count: usize) {
        *self.fine.entry(kind).or_default() += count;
    }

    /// How many were asked and had none.
    #[must_use]
    pub fn count_fine(&self, kind: ProblemKind) -> usize {
        self.fine.get(&kind).copied().unwrap_or(0)
    }

    /// Those of a kind.
    pub fn of(&self, kind: ProblemKind) -> impl Iterator<Item = &Problem> {
        self.list.iter().filter(move |problem| problem.kind == kind)
    }
}
