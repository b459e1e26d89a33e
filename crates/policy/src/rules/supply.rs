//! Secrets in Git, and the pipelines that build and publish.

pub(super) mod action_unpinned;
pub(super) mod image_attestation_missing;
pub(super) mod image_sbom_missing;
pub(super) mod image_scan_missing;
pub(super) mod image_signature_missing;
pub(super) mod secret_in_plain_text;
pub(super) mod sops_file_not_encrypted;
pub(super) mod sops_rule_missing;

use holdfast_model::repository::{Guard, Supply};

use super::{Answers, Problem};

/// Answers once for a checkout that publishes images: whether its pipelines do something to them.
fn judge_images(supply: &Supply, answers: &mut Answers, guard: Guard, problem: Problem) {
    let Some(first) = supply.builds.first() else { return };
    match supply.guards.contains(&guard) {
        true => answers.holds(),
        false => answers.fails_at(&first.workflow, first.at.clone(), problem),
    }
}
