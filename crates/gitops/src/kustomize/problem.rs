//! What a build couldn't do, and where it was asked for.

use std::fmt;

use crate::Origin;

/// Something that a build couldn't do, or did in another way than Kustomize would.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What kind of problem.
    pub kind: ProblemKind,
    /// Where it was asked for.
    pub at: Origin,
    /// What is wrong: a clause in lower case, without a full stop.
    pub message: String,
}

/// Kinds of problems. But for the last three, Kustomize itself refuses to build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProblemKind {
    /// A file or folder that isn't there.
    Missing,
    /// A path that leads out of the checkout.
    OutOfCheckout,
    /// A kustomization that includes itself.
    Cycle,
    /// A file that can't be read, or isn't what it should be.
    Unreadable,
    /// A field of a kustomization file that says nothing that could be done.
    Invalid,
    /// Something that names an object which isn't there.
    TargetMissing,
    /// A patch that can't be applied to what it matches.
    PatchFails,
    /// Two objects of the same kind, namespace and name.
    Clash,
    /// More than is built.
    TooLarge,
    /// A patch whose selector selects nothing, so that it does nothing.
    MatchesNothing,
    /// Something of Kustomize that isn't done here.
    Unsupported,
    /// Something that isn't in the checkout but on a server.
    Remote,
}

impl ProblemKind {
    /// Whether Kustomize would refuse to build, so that Flux applies nothing.
    #[must_use]
    pub const fn refuses(self) -> bool {
        match self {
            Self::Missing
            | Self::OutOfCheckout
            | Self::Cycle
            | Self::Unreadable
            | Self::Invalid
            | Self::TargetMissing
            | Self::PatchFails
            | Self::Clash
            | Self::TooLarge => true,
            Self::MatchesNothing | Self::Unsupported | Self::Remote => false,
        }
    }
}

impl Problem {
    pub(super) fn new(kind: ProblemKind, at: Origin, message: impl Into<String>) -> Self {
        Self { kind, at, message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// More than anybody reads; a patch may fail on each of many objects.
const MOST: usize = 1000;

/// The problems of a build, as they are found.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    pub(super) fn add(&mut self, kind: ProblemKind, at: Origin, message: impl Into<String>) {
        self.push(Problem::new(kind, at, message));
    }

    /// Takes a problem in; the first thousand.
    pub(super) fn push(&mut self, problem: Problem) {
        if self.0.len() < MOST {
            self.0.push(problem);
        }
    }

    pub(super) fn into_list(self) -> Vec<Problem> {
        self.0
    }
}
