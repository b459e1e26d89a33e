//! Whether what leaves a node would unseal itself again: what a VaultTransitUnseal tells of the pods of its StatefulSet.
//!
//! Nobody refuses to evict a Vault or OpenBao that would come back sealed, and a drain gets to its end. But what it held is
//! unreachable from then on, and with the last replica the whole server is. So one of which that is *known* stands in the way,
//! for good: no pod that gets ready changes it.
//!
//! One of which it *isn't known* is told as felt ([`Doubt`]), and stands in nobody's way. A server that was adopted while it ran
//! stays without proof until it unseals the next time, which is a restart: were it waited for, the gate would be shut for
//! everybody who has the Vault controller, and nothing but a restart without proof would open it. The same goes for a resource
//! that nobody judges, since that controller doesn't run: whoever takes it away again must not be kept from upgrading by what it
//! left behind. Neither is passed over in silence.

use holdfast_model::facts::{Prospect, Refusal, Unseal};
use holdfast_model::{PodOwner, Text, WorkloadKind};

use super::home::Home;

/// Why it can't be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Doubt {
    /// It was judged, and there is no proof either way.
    Unproven,
    /// Nobody has judged it as it is now.
    Unjudged,
}

impl Doubt {
    /// As a clause: "it can't be told: ...".
    pub(super) const fn because(self) -> &'static str {
        match self {
            Self::Unproven => "the condition WouldStart of its VaultTransitUnseal says why",
            Self::Unjudged => {
                "its VaultTransitUnseal hasn't been judged as it is; see whether the Vault controller runs"
            }
        }
    }
}

/// What is told of a pod.
pub(super) enum Word<'a> {
    StaysSealed(&'a Text, &'a Unseal, &'a Refusal),
    Unknown(Doubt),
}

/// What is told of a pod that leaves; none when it would unseal itself, when nothing tells of it, and when it is down or on its
/// way out in any case.
pub(super) fn told<'a>(home: &Home<'a>, pod: usize) -> Option<Word<'a>> {
    let facts = home.pods[pod].pod;
    if facts.phase.is_finished() || facts.terminating {
        return None;
    }
    let view = home.view;
    let set = stateful_set(&home.makers[home.maker_of(pod)].owner)?;
    let about = view.unseals().filter(|(_, unseal)| unseal.stateful_set == set);
    let (name, unseal) = about.min_by_key(|(_, unseal)| weight(&unseal.prospect))?;
    match &unseal.prospect {
        Prospect::StaysSealed(refusal) => Some(Word::StaysSealed(name, unseal, refusal)),
        Prospect::Unseals => None,
        Prospect::Unproven => Some(Word::Unknown(Doubt::Unproven)),
        Prospect::Unjudged => Some(Word::Unknown(Doubt::Unjudged)),
    }
}

/// Of several about one StatefulSet, which is a mistake, one that knows counts before one that doesn't, and a no before a yes.
fn weight(prospect: &Prospect) -> u8 {
    match prospect {
        Prospect::StaysSealed(_) => 0,
        Prospect::Unseals => 1,
        Prospect::Unproven => 2,
        Prospect::Unjudged => 3,
    }
}

/// The StatefulSet that made it, also while that hasn't been seen itself.
fn stateful_set(maker: &PodOwner) -> Option<Text> {
    let workload = match maker {
        PodOwner::Workload(id) => id.clone(),
        PodOwner::Unknown(owner) => owner.workload()?,
        PodOwner::Custom(_) | PodOwner::Node(_) | PodOwner::Nobody => return None,
    };
    match workload.kind {
        WorkloadKind::StatefulSet => Some(workload.name),
        WorkloadKind::Deployment
        | WorkloadKind::DaemonSet
        | WorkloadKind::ReplicaSet
        | WorkloadKind::Job
        | WorkloadKind::CronJob => None,
    }
}

#[cfg(test)]
mod tests;
