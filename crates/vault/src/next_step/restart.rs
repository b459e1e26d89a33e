//! Whether a pod that is stuck is deleted.
//!
//! Stuck is a server that hangs since its start, and one that waits to be started again though what it ended for is mended.
//! A deletion cures both, since the new pod starts at once; it cures nothing else, so nothing else is deleted.

use std::time::Duration;

use super::{Allowed, Memory, Step, Wait};
use crate::diagnose::{is_hung, waits_only};
use crate::rehearsal::Outcome;
use crate::view::{Container, Pod, View, between};

/// A pod of one name is deleted at most once in this time.
pub const ONCE_IN: Duration = Duration::from_secs(120);

/// Why a stuck pod isn't deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hindrance {
    /// The spec doesn't allow it.
    NotAllowed,
    /// It isn't known that it would start.
    NotRehearsed,
    /// One of that name was deleted less than two minutes ago.
    JustDeleted,
    /// It hasn't had its time to start.
    BootGrace,
    /// It would come back from another template.
    PendingTemplateChange,
    /// It is being deleted.
    Leaving,
    /// It is being initialised: the request, or what must follow it, may be under way.
    Initialising,
}

impl Hindrance {
    /// As the status spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotAllowed => "OnlyObserving",
            Self::NotRehearsed => "NotRehearsed",
            Self::JustDeleted => "JustDeleted",
            Self::BootGrace => "BootGrace",
            Self::PendingTemplateChange => "PendingTemplateChange",
            Self::Leaving => "PodTerminating",
            Self::Initialising => "Initialising",
        }
    }
}

/// The first stuck pod that may be deleted; else why the first stuck one may not.
pub(super) fn delete(view: &View, allowed: &Allowed, memory: &Memory) -> Option<Step> {
    let mut hindered = None;
    for pod in view.target.pods.iter().filter(|pod| is_stuck(pod, view, allowed)) {
        match hindrance(pod, view, allowed, memory) {
            None => return Some(Step::Delete { pod: pod.name.clone(), uid: pod.uid.clone() }),
            Some(hindrance) => {
                hindered.get_or_insert(hindrance);
            }
        }
    }
    let hindrance = hindered?;
    // Whoever looks should see whose turn it is.
    let is_as_turn = hindrance == Hindrance::NotRehearsed && view.transit.reach.cause().is_some();
    Some(Step::Wait(if is_as_turn { Wait::ForTransit } else { Wait::Hindered(hindrance) }))
}

fn is_stuck(pod: &Pod, view: &View, allowed: &Allowed) -> bool {
    let by_hand = allowed.restart_sealed && pod.was_unsealed && pod.is_sealed();
    by_hand || is_hung(pod, view.now) || waits(pod, view)
}

/// Ended for what is mended now and waits without need; or nothing is known of what it ended for, and it isn't deleted.
fn waits(pod: &Pod, view: &View) -> bool {
    match &pod.container {
        Container::Ended(_) => view.passing_since.is_none() || waits_only(pod, view),
        Container::Running { .. } | Container::Waiting(_) => false,
    }
}

fn hindrance(pod: &Pod, view: &View, allowed: &Allowed, memory: &Memory) -> Option<Hindrance> {
    if pod.leaving {
        return Some(Hindrance::Leaving);
    }
    if !(allowed.manage && allowed.restart) {
        return Some(Hindrance::NotAllowed);
    }
    if view.birth.claim.as_ref().is_some_and(|claim| !claim.is_complete()) {
        return Some(Hindrance::Initialising);
    }
    if view.rehearsal != Outcome::Passed {
        return Some(Hindrance::NotRehearsed);
    }
    // Its revision says what it is; where the set doesn't tell, nothing is risked.
    let update = view.target.set.as_ref().map(|set| set.update_revision.as_str()).unwrap_or_default();
    if update != pod.revision {
        return Some(Hindrance::PendingTemplateChange);
    }
    if is_hung(pod, view.now) && !is_booted(pod, view, allowed) {
        return Some(Hindrance::BootGrace);
    }
    just_deleted(pod, view, memory).then_some(Hindrance::JustDeleted)
}

fn is_booted(pod: &Pod, view: &View, allowed: &Allowed) -> bool {
    match &pod.container {
        Container::Running { since, .. } => allowed.limits.boot_grace <= between(*since, view.now),
        Container::Waiting(_) | Container::Ended(_) => true,
    }
}

fn just_deleted(pod: &Pod, view: &View, memory: &Memory) -> bool {
    memory.deleted.get(&pod.name).is_some_and(|at| between(*at, view.now) < ONCE_IN)
}
