//! The conditions in a policy's status, for probes that wait for them.

use anyhow::{Context as _, Result, ensure};
use holdfast_api::{ConditionType, DisruptionPolicyStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

/// The condition, if it has this status and reason.
pub fn has_condition(
    status: &DisruptionPolicyStatus,
    wanted: ConditionType,
    (value, reason): (&str, &str),
) -> Result<Condition> {
    let found = find(status, wanted).with_context(|| format!("no {} in {:?}", wanted.as_str(), status.conditions))?;
    ensure!(found.status == value && found.reason == reason, "{found:?}");
    Ok(found.clone())
}

/// Fails if the condition is there.
pub fn lacks_condition(status: &DisruptionPolicyStatus, unwanted: ConditionType) -> Result<()> {
    let found = find(status, unwanted);
    ensure!(found.is_none(), "{found:?}");
    Ok(())
}

fn find(status: &DisruptionPolicyStatus, wanted: ConditionType) -> Option<&Condition> {
    status.conditions.iter().find(|condition| condition.type_ == wanted.as_str())
}
