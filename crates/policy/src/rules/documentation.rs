//! What a person needs to read at three in the morning.

pub(super) mod changelog_missing;
pub(super) mod contribution_guide_missing;
pub(super) mod drift_runbook_missing;
pub(super) mod recovery_runbook_missing;
pub(super) mod upgrade_runbook_missing;

use std::sync::Arc;

use holdfast_model::repository::{Documents, Identity, Topic};
use holdfast_model::{Position, Subject};

use super::{Answers, Problem};

/// Answers once for a checkout: whether there is a document about something. Its place is the README, when there is one.
fn judge(documents: &Documents, answers: &mut Answers, topic: Topic, problem: Problem) {
    if !documents.is_root {
        return;
    }
    if documents.topics.contains(&topic) {
        answers.holds();
        return;
    }
    let checkout = Subject { kind: "Checkout", namespace: "".into(), name: ".".into() };
    match &documents.readme {
        Some(readme) => {
            let at = Position { file: Arc::clone(readme), line: 1, column: 1 };
            answers.fails_at(&checkout, at, problem);
        }
        None => answers.fails(&Identity::of(checkout), problem),
    }
}
