//! What the servers, the token and the pods are like, as the status tells it.

use holdfast_api::vault_transit_unseal::{
    CANARIES, CanaryStatus, InitializationPhase, InitializationStatus, PODS, PodState, PodStatus, RehearsalResult,
    RehearsalStatus, RunningStatus, ServerStatus, TokenStatus, TransitStatus, Tristate,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::claim::Phase;
use crate::next_step::Memory;
use crate::rehearsal::{Ledger, Outcome};
use crate::view::{Answer, Container, Lookup, Pod, Serving, View};

pub(super) fn server(view: &View) -> Option<ServerStatus> {
    let facts = view.target.server()?;
    Some(ServerStatus {
        product: Some(facts.product),
        version: Some(facts.version.clone()),
        cluster_id: facts.cluster_id.clone(),
        seal_type: Some(facts.seal_type.clone()),
        t: facts.initialised.then_some(facts.threshold),
        n: facts.initialised.then_some(facts.shares),
    })
}

/// How far an initialisation by us has come; what was known stays while its claim can't be read.
pub(super) fn initialisation(view: &View, before: Option<&InitializationStatus>) -> Option<InitializationStatus> {
    let claim = view.birth.claim.as_ref()?;
    let phase = match claim {
        Phase::Unreadable { .. } => return before.cloned(),
        Phase::Claimed { .. } => InitializationPhase::Claimed,
        Phase::Stored { .. } => InitializationPhase::Stored,
        Phase::AdminProven { .. } => InitializationPhase::AdminProven,
        Phase::Complete { .. } => InitializationPhase::Complete,
    };
    Some(InitializationStatus {
        phase: Some(phase),
        attempt: claim.attempt().map(str::to_owned),
        secret_name: view.birth.keys.as_ref().map(|keys| keys.secret.clone()),
    })
}

/// What A said when it last answered.
pub(super) fn transit(view: &View, before: Option<&TransitStatus>) -> Option<TransitStatus> {
    let mut status = before.cloned().unwrap_or_default();
    if let Some(facts) = &view.transit.facts {
        status.product = Some(facts.product);
        status.cluster_id = facts.cluster_id.clone().or(status.cluster_id);
        status.seal_type = Some(facts.seal_type.clone());
    }
    if let Some(Some(key)) = &view.transit.key {
        status.key_latest = Some(key.latest);
        status.key_min_decryption = Some(key.min_decryption);
    }
    (status != TransitStatus::default()).then_some(status)
}

/// What is known of the token; what was known stays while A is silent.
pub(super) fn token(view: &View, before: Option<&TokenStatus>) -> Option<TokenStatus> {
    match &view.token.lookup {
        Lookup::Alive { ends, role, period, .. } => Some(TokenStatus {
            expire_time: ends.map(Time),
            role: role.clone(),
            periodic: match (period, &view.token.role) {
                (Some(_), _) => Tristate::True,
                (None, Some(role)) if role.period.is_some() => Tristate::True,
                (None, Some(_)) => Tristate::False,
                // A token that a role made doesn't tell, and the role may not be read.
                (None, None) => Tristate::Unknown,
            },
        }),
        Lookup::Dead | Lookup::Blind | Lookup::Unseen => before.cloned(),
    }
}

pub(super) fn rehearsal(view: &View, ledger: &Ledger) -> RehearsalStatus {
    let running = |canary: &crate::rehearsal::Canary| {
        let lives = canary.running.iter();
        lives.map(|life| RunningStatus { uid: life.uid.clone(), restarts: life.restarts }).take(PODS).collect()
    };
    let canaries: Vec<CanaryStatus> = ledger
        .canaries
        .iter()
        .take(CANARIES)
        .map(|canary| CanaryStatus {
            version: canary.version,
            ciphertext: canary.ciphertext.clone(),
            running: running(canary),
        })
        .collect();
    RehearsalStatus {
        result: match &view.rehearsal {
            Outcome::Passed => RehearsalResult::Passed,
            Outcome::Failed(..) => RehearsalResult::Failed,
            Outcome::Unknown(_) => RehearsalResult::Unknown,
        },
        canary_versions: ledger.canaries.iter().map(|canary| canary.version).collect(),
        canaries,
        proven_version: ledger.proven,
        evidence_since: ledger.since.map(Time),
    }
}

pub(super) fn pods(view: &View, memory: &Memory) -> Vec<PodStatus> {
    let last_deleted = |name: &str| memory.deleted.get(name).copied().map(Time);
    let pods = view.target.pods.iter().map(|pod| PodStatus {
        name: pod.name.clone(),
        uid: pod.uid.clone(),
        state: state(pod),
        voter: pod.voter,
        token_current: Tristate::Unknown,
        restarts: restarts(&pod.container),
        last_deleted: last_deleted(&pod.name),
    });
    // One that was deleted a moment ago and hasn't come back is remembered too.
    let gone = memory.deleted.keys().filter(|name| view.target.pods.iter().all(|pod| pod.name != **name));
    let gone =
        gone.map(|name| PodStatus { name: name.clone(), last_deleted: last_deleted(name), ..PodStatus::default() });
    pods.chain(gone).take(PODS).collect()
}

fn restarts(container: &Container) -> u32 {
    match container {
        Container::Running { restarts, .. } => *restarts,
        Container::Ended(ended) => ended.restarts,
        Container::Waiting(_) => 0,
    }
}

/// How a pod stands.
#[must_use]
pub(crate) fn state(pod: &Pod) -> PodState {
    match (&pod.container, &pod.answer) {
        (Container::Ended(_), _) => PodState::CrashLooping,
        (Container::Waiting(_), _) => PodState::Starting,
        (Container::Running { .. }, Answer::MigratedStandby) => PodState::MigratedStandby,
        (Container::Running { .. }, Answer::Told(facts, _)) if !facts.initialised => PodState::Uninitialised,
        (Container::Running { .. }, Answer::Told(facts, _)) if facts.sealed => PodState::Sealed,
        (Container::Running { .. }, Answer::Told(_, Serving::Active)) => PodState::Active,
        (Container::Running { .. }, Answer::Told(..)) => PodState::Standby,
        (Container::Running { .. }, Answer::Refused | Answer::Hangs | Answer::Garbled(_) | Answer::Unseen(_)) => {
            PodState::Unreachable
        }
    }
}
