//! Conditions of pods and nodes, of which only `Ready` is read.

use serde::Deserialize;

#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Condition {
    r#type: ConditionType,
    status: ConditionStatus,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum ConditionType {
    Ready,
    #[serde(other)]
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) enum ConditionStatus {
    True,
    #[serde(other)]
    Other,
}

/// The status of the condition `Ready`, when there is one.
pub(super) fn ready(conditions: Option<&[Condition]>) -> Option<ConditionStatus> {
    let found = conditions?.iter().find(|condition| condition.r#type == ConditionType::Ready)?;
    Some(found.status)
}
