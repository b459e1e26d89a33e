//! What could not be read or followed: files, overlays, variables, charts.
//!
//! Whoever reads files says what is wrong; these rules say how much it matters and what to do.

pub(super) mod chart_render_failed;
pub(super) mod file_unreadable;
pub(super) mod flux_path_missing;
pub(super) mod kustomize_build_failed;
pub(super) mod kustomize_unsupported;
pub(super) mod patch_unmatched;
pub(super) mod substitution_failed;
pub(super) mod variable_undefined;

use holdfast_model::Repository;
use holdfast_model::repository::Identity;
use holdfast_model::repository::problems::ProblemKind;

use super::{Answers, Problem};

/// Answers for everything that was asked for this kind of problem.
fn answer(repository: &Repository, kind: ProblemKind, remedy: &'static str, answers: &mut Answers) {
    (0..repository.problems.count_fine(kind)).for_each(|_| answers.holds());
    for found in repository.problems.of(kind) {
        let problem = Problem::at("", found.message.clone(), remedy);
        match &found.position {
            Some(position) => answers.fails_at(&found.subject, position.clone(), problem),
            None => answers.fails(&Identity::of(found.subject.clone()), problem),
        }
    }
}
