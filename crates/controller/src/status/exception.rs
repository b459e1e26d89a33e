//! The status of a PolicyException, and whether it has to be written.

use holdfast_api::{ConditionType, Lifecycle, PolicyException, PolicyExceptionStatus, Wanted, merge_conditions};
use holdfast_policy::Exception;
use serde_json::{Value, json};

use super::writer::Circumstances;
use crate::view::{KnownException, requested_at};

/// The apply that makes the status what it should be; none when it is that already.
pub(super) fn due(known: &KnownException, excepted: u32, circumstances: &Circumstances) -> Option<Value> {
    let KnownException::Decoded { raw, exception } = known else { return None };
    if circumstances.stale.is_some() {
        return None;
    }
    let observed = raw.status.clone().unwrap_or_default();
    let generation = raw.metadata.generation;
    let wanted = conditions(raw, exception, excepted, circumstances);
    let (conditions, _) = merge_conditions(&observed.conditions, &wanted, generation, circumstances.now);
    let wanted = PolicyExceptionStatus {
        observed_generation: generation,
        last_handled_reconcile_at: requested_at(&raw.metadata)
            .cloned()
            .or_else(|| observed.last_handled_reconcile_at.clone()),
        conditions,
        excepted,
    };
    (wanted != observed).then(|| apply(raw, &wanted))
}

fn conditions(
    raw: &PolicyException,
    exception: &Result<Exception, String>,
    excepted: u32,
    circumstances: &Circumstances,
) -> Vec<Wanted> {
    let exception = match exception {
        Ok(exception) => exception,
        Err(error) => {
            return vec![
                (ConditionType::Ready, false, Lifecycle::InvalidSpec, error.clone()),
                (ConditionType::Stalled, true, Lifecycle::InvalidSpec, "waits for a change of the spec".to_owned()),
            ];
        }
    };
    if exception.is_expired(circumstances.now) {
        return vec![(
            ConditionType::Ready,
            true,
            Lifecycle::Expired,
            "has ended and exempts nothing any more".to_owned(),
        )];
    }
    let mut message = match excepted {
        0 => "covers no finding at present".to_owned(),
        1 => "covers 1 finding".to_owned(),
        many => format!("covers {many} findings"),
    };
    let unknown = Exception::unknown_rules(&raw.spec.rules);
    if !unknown.is_empty() {
        message = format!("{message}; no such rule: {}", unknown.join(", "));
    }
    vec![(ConditionType::Ready, true, Lifecycle::Succeeded, message)]
}

fn apply(raw: &PolicyException, status: &PolicyExceptionStatus) -> Value {
    json!({
        "apiVersion": format!("{}/v1alpha1", holdfast_api::GROUP),
        "kind": "PolicyException",
        "metadata": { "name": raw.metadata.name, "namespace": raw.metadata.namespace },
        "status": status,
    })
}
