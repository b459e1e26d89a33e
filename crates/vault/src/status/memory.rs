//! What a status keeps for the process that comes next.

use std::collections::BTreeSet;

use holdfast_api::vault_transit_unseal::{PodState, VaultTransitUnsealStatus};

use super::Deletions;
use crate::rehearsal::{Canary, ContainerId, Ledger};

/// The canaries and their evidence.
#[must_use]
pub fn ledger(status: &VaultTransitUnsealStatus) -> Ledger {
    let Some(rehearsal) = &status.rehearsal else { return Ledger::default() };
    let canary = |kept: &holdfast_api::vault_transit_unseal::CanaryStatus| Canary {
        version: kept.version,
        ciphertext: kept.ciphertext.clone(),
        running: kept.running.iter().map(|run| ContainerId { uid: run.uid.clone(), restarts: run.restarts }).collect(),
    };
    Ledger {
        canaries: rehearsal.canaries.iter().map(canary).collect(),
        proven: rehearsal.proven_version,
        since: rehearsal.evidence_since.as_ref().map(|time| time.0),
    }
}

/// The containers that were seen unsealed.
#[must_use]
pub fn unsealed(status: &VaultTransitUnsealStatus) -> BTreeSet<ContainerId> {
    let serves = |state: PodState| match state {
        PodState::Active | PodState::Standby => true,
        PodState::Sealed
        | PodState::Uninitialised
        | PodState::Unreachable
        | PodState::CrashLooping
        | PodState::Starting
        | PodState::MigratedStandby
        | PodState::Unknown => false,
    };
    let pods = status.pods.iter().filter(|pod| serves(pod.state));
    pods.map(|pod| ContainerId { uid: pod.uid.clone(), restarts: pod.restarts }).collect()
}

/// When pods were deleted by us.
#[must_use]
pub fn deleted(status: &VaultTransitUnsealStatus) -> Deletions {
    let pods = status.pods.iter().filter_map(|pod| Some((pod.name.clone(), pod.last_deleted.as_ref()?.0)));
    pods.collect()
}
