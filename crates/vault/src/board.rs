//! What the metrics show of a resource, from its last look.

use holdfast_api::VaultTransitUnsealStatus;

use crate::cause::Cause;
use crate::metrics::Gauges;
use crate::rehearsal::Outcome;
use crate::settings::Settings;
use crate::view::{Lookup, View};

/// What the metrics show.
pub(crate) fn gauges(
    settings: &Settings,
    view: &View,
    status: Option<&VaultTransitUnsealStatus>,
    cause: Option<Cause>,
) -> Gauges {
    Gauges {
        namespace: settings.namespace.clone(),
        name: settings.name.clone(),
        would_start: match &view.rehearsal {
            Outcome::Passed => Some(true),
            Outcome::Failed(..) => Some(false),
            Outcome::Unknown(_) => None,
        },
        cold_start: status.and_then(|status| verdict(status, "ColdStart")),
        expiry: match &view.token.lookup {
            Lookup::Alive { ends, .. } => ends.map(|ends| ends.as_second()),
            Lookup::Dead | Lookup::Blind | Lookup::Unseen => None,
        },
        reachable: view.transit.reach.cause().is_none(),
        cause: cause.map(Cause::as_str),
        init_phase: view.birth.claim.as_ref().map(crate::claim::Phase::as_str),
        pods: view.target.pods.iter().map(|pod| (pod.name.clone(), !pod.is_unsealed())).collect(),
    }
}

fn verdict(status: &VaultTransitUnsealStatus, kind: &str) -> Option<bool> {
    let condition = status.conditions.iter().find(|condition| condition.type_ == kind)?;
    match condition.status.as_str() {
        "True" => Some(true),
        "False" => Some(false),
        _ => None,
    }
}
