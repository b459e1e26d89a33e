//! Builds a Kustomization as kustomize-controller does: Kustomize first, then variables.
//!
//! Absent: the labels by which Flux knows its own, which `Object` adds, and decryption: what is encrypted stays so, and
//! still counts as there.

use std::collections::HashSet;

use holdfast_model::repository::problems::ProblemKind;

use super::kustomization::Kustomization;
use super::substitute::{Report, substitute};
use super::variables::Variables;
use crate::checkout::Tree;
use crate::kustomize::{self, Build, Overlay, is_kustomization_file};
use crate::trouble::Trouble;
use crate::{FileId, Node, Origin};

/// More variables that are missing are not told one by one.
const MOST_UNDEFINED: usize = 20;

/// What was built.
#[derive(Debug, Default)]
pub(super) struct Built {
    pub(super) objects: Vec<Node>,
    pub(super) files: Vec<FileId>,
    pub(super) troubles: Vec<Trouble>,
}

/// Builds an overlay that nobody but Kustomize looks at.
pub(super) fn overlay(tree: &Tree, folder: &str) -> Built {
    let build = kustomize::build(folder, tree, &Overlay::none());
    Built::of(tree, build, Trouble::in_file)
}

/// Builds a Kustomization.
pub(super) fn kustomization(tree: &Tree, it: &Kustomization, variables: &Variables) -> Built {
    let folder = it.path.as_deref().unwrap_or_default();
    let build = kustomize::build(folder, tree, &Overlay::of_kustomization(&it.spec));
    let mut built = Built::of(tree, build, |kind, at, message| Trouble::of(kind, it, at, message));
    if it.substitutes() && !variables.is_empty() {
        let mut report = Report::default();
        built.objects.iter_mut().for_each(|object| substitute(object, variables, &mut report));
        built.tell(report, it);
    }
    built
}

impl Built {
    fn of(tree: &Tree, build: Build, trouble: impl Fn(ProblemKind, Origin, String) -> Trouble) -> Self {
        let told = build.problems.into_iter().filter_map(|problem| {
            let kind = match problem.kind {
                kustomize::ProblemKind::MatchesNothing if !is_in_overlay(tree, problem.at) => return None,
                kustomize::ProblemKind::MatchesNothing => ProblemKind::PatchUnmatched,
                kustomize::ProblemKind::Unsupported | kustomize::ProblemKind::Remote => ProblemKind::Unsupported,
                kustomize::ProblemKind::Missing
                | kustomize::ProblemKind::OutOfCheckout
                | kustomize::ProblemKind::Cycle
                | kustomize::ProblemKind::Unreadable
                | kustomize::ProblemKind::Invalid
                | kustomize::ProblemKind::TargetMissing
                | kustomize::ProblemKind::PatchFails
                | kustomize::ProblemKind::Clash
                | kustomize::ProblemKind::TooLarge => ProblemKind::BuildFailed,
            };
            Some(trouble(kind, problem.at, problem.message))
        });
        Self {
            troubles: told.collect(),
            objects: build.objects,
            files: build.read.iter().filter_map(|path| tree.id(path)).collect(),
        }
    }

    fn tell(&mut self, report: Report, it: &Kustomization) {
        let mut told = HashSet::new();
        // One thing is done about all of a file.
        let mut files: Vec<(Origin, Vec<String>)> = Vec::new();
        for (name, at) in report.undefined {
            if told.len() < MOST_UNDEFINED && told.insert((at.file(), name.clone())) {
                let variable = format!("`${{{name}}}`");
                match files.iter_mut().find(|(first, _)| first.file() == at.file()) {
                    Some((_, names)) => names.push(variable),
                    None => files.push((at, vec![variable])),
                }
            }
        }
        for (at, names) in files {
            let message = match names.as_slice() {
                [only] => format!("{only} has neither a value nor a default"),
                names => format!("{} have neither a value nor a default", names.join(", ")),
            };
            self.troubles.push(Trouble::of(ProblemKind::VariableUndefined, it, at, message));
        }
        for (message, at) in report.failed {
            self.troubles.push(Trouble::of(ProblemKind::SubstitutionFailed, it, at, message));
        }
    }
}

/// Patches that a Kustomization hands to all of its children are meant to match nothing in some of them; one in the
/// overlay itself is meant to match.
fn is_in_overlay(tree: &Tree, at: Origin) -> bool {
    tree.path(at.file()).is_some_and(|path| is_kustomization_file(path))
}
