//! What to do next: one idempotent action, or a reason to wait. Pure: what was done before is an argument (`Memory`).
//!
//! Keeping the token alive comes before everything else, as all else needs it; then a new token; then a pod that is stuck.
//! A pod is deleted only after a rehearsal that passes now, never while A can't decrypt, and never twice in two minutes.

mod restart;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::cause::Cause;
use crate::diagnose::{Diagnosis, Limits};
use crate::rehearsal::Outcome;
use crate::view::{Content, Lookup, View, between};

pub use restart::{Hindrance, ONCE_IN};

/// What the spec allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// Whether anything but the token's renewal and the canaries may be written.
    pub manage: bool,
    /// Whether tokens are made.
    pub mint: bool,
    /// Whether policy and role on A are kept up.
    pub provision: bool,
    /// Whether a pod that serves nobody is deleted.
    pub restart: bool,
    /// Whether a pod that somebody sealed by hand is deleted too.
    pub restart_sealed: bool,
    /// After how long a new token is made though the old one lives; `None` for never.
    pub rotate_every: Option<Duration>,
    /// When something is too late.
    pub limits: Limits,
}

/// What was done before.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// When a pod of this name was deleted last. It stands in the status before the pod goes, so it outlives this process.
    pub deleted: BTreeMap<String, Timestamp>,
    /// When a renewal was tried last: one that is capped doesn't make the token live longer, and is due again at once.
    pub renewal_tried: Option<Timestamp>,
    /// When a renewal failed last; `None` after one that worked.
    pub renewal_failed: Option<Timestamp>,
    /// When a mint failed last.
    pub mint_failed: Option<Timestamp>,
    /// When the token that is in the Secret was made by us.
    pub minted: Option<Timestamp>,
}

/// The next step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing is to be done.
    Rest,
    /// Something will be done, or has to be done by somebody else first.
    Wait(Wait),
    /// Renew B's token with itself.
    Renew,
    /// Make a new token and write it into the Secret.
    Mint(MintReason),
    /// Keep up policy and role on A.
    Provision,
    /// Delete a pod that serves nobody.
    Delete {
        /// Its name.
        pod: String,
        /// Its UID; a pod that came after it is left alone.
        uid: String,
    },
}

/// Why a new token is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MintReason {
    /// There is none.
    Missing,
    /// What is there is no token.
    Malformed,
    /// A doesn't know it any more.
    Dead,
    /// It can't be renewed for ever.
    Unsafe,
    /// It is old enough.
    Rotation,
}

impl MintReason {
    /// As events and the audit log spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "Missing",
            Self::Malformed => "Malformed",
            Self::Dead => "Dead",
            Self::Unsafe => "Unsafe",
            Self::Rotation => "Rotation",
        }
    }
}

/// Why nothing is done now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wait {
    /// `mode: Observe`, or the spec doesn't ask for it.
    OnlyObserving,
    /// A person has to do something first.
    ForPerson,
    /// A has to come back first.
    ForTransit,
    /// A try failed a moment ago.
    Failed,
    /// A stuck pod isn't deleted, for this reason.
    Hindered(Hindrance),
}

impl Step {
    /// As the status spells it: the action.
    #[must_use]
    pub const fn action(&self) -> &'static str {
        match self {
            Self::Rest => "None",
            Self::Wait(_) => "Wait",
            Self::Renew => "RenewToken",
            Self::Mint(_) => "MintToken",
            Self::Provision => "Provision",
            Self::Delete { .. } => "DeletePod",
        }
    }

    /// As the status spells it: why.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Rest => "NothingToDo",
            Self::Wait(Wait::OnlyObserving) => "OnlyObserving",
            Self::Wait(Wait::ForPerson) => "NeedsPerson",
            Self::Wait(Wait::ForTransit) => "TransitDown",
            Self::Wait(Wait::Failed) => "FailedJustNow",
            Self::Wait(Wait::Hindered(hindrance)) => hindrance.as_str(),
            Self::Renew => "PartOfLifeOver",
            Self::Mint(reason) => reason.as_str(),
            Self::Provision => "TokenDenied",
            Self::Delete { .. } => "Stuck",
        }
    }
}

/// After a try nothing is tried again for so long; less for a token that lives shorter.
const PAUSE: Duration = Duration::from_secs(30);

/// What to do next.
#[must_use]
pub fn next_step(view: &View, cause: Option<Cause>, allowed: &Allowed, memory: &Memory) -> Step {
    if let Some(step) = renew(view, allowed, memory) {
        return step;
    }
    let steps = [mint, provision, restart::delete];
    steps.iter().find_map(|step| step(view, allowed, memory)).unwrap_or_else(|| idle(cause))
}

/// What is wrong, where it is what keeps a stuck pod from being deleted: that is a person's to mend, and the pod follows.
#[must_use]
pub fn with_hindrance(found: Option<Diagnosis>, step: &Step) -> Option<Diagnosis> {
    if *step != Step::Wait(Wait::Hindered(Hindrance::PendingTemplateChange)) {
        return found;
    }
    found.map(|found| Diagnosis {
        cause: Cause::PendingTemplateChange,
        message: format!("{}; it isn't deleted, as it would come back from another template", found.message),
    })
}

/// Nothing can be done by us: whoever looks should see whose turn it is.
fn idle(cause: Option<Cause>) -> Step {
    match cause {
        None => Step::Rest,
        Some(
            Cause::TransitUnreachable
            | Cause::TransitHangs
            | Cause::TransitSealed
            | Cause::TransitStandbyOnly
            | Cause::TransitNotVault,
        ) => Step::Wait(Wait::ForTransit),
        Some(_) => Step::Wait(Wait::ForPerson),
    }
}

/// When a token that can be renewed has to be; `None` when it can't, or needn't.
#[must_use]
pub fn renewal_due(view: &View, renew_at: u8) -> Option<Timestamp> {
    let Lookup::Alive { ends: Some(ends), life, renewable: true, .. } = &view.token.lookup else { return None };
    let left = life.mul_f64(f64::from(100 - renew_at.min(100)) / 100.0);
    Some(*ends - left)
}

fn renew(view: &View, allowed: &Allowed, memory: &Memory) -> Option<Step> {
    let due = renewal_due(view, allowed.limits.renew_at)?;
    let Lookup::Alive { life, .. } = &view.token.lookup else { return None };
    if view.now < due {
        return None;
    }
    let pause = PAUSE.min(*life / 20);
    let tried = memory.renewal_tried.is_some_and(|at| between(at, view.now) < pause);
    (!tried).then_some(Step::Renew)
}

fn mint(view: &View, allowed: &Allowed, memory: &Memory) -> Option<Step> {
    let reason = why_mint(view, allowed, memory)?;
    if !(allowed.manage && allowed.mint) {
        return None;
    }
    if view.transit.reach.cause().is_some() {
        return Some(Step::Wait(Wait::ForTransit));
    }
    let failed = memory.mint_failed.is_some_and(|at| between(at, view.now) < PAUSE);
    Some(if failed { Step::Wait(Wait::Failed) } else { Step::Mint(reason) })
}

/// A token that may not use the key has a policy that isn't as it should be.
fn provision(view: &View, allowed: &Allowed, memory: &Memory) -> Option<Step> {
    let denied = matches!(view.rehearsal, Outcome::Failed(Cause::TokenDenied, _));
    if !(denied && allowed.manage && allowed.provision) {
        return None;
    }
    let failed = memory.mint_failed.is_some_and(|at| between(at, view.now) < PAUSE);
    Some(if failed { Step::Wait(Wait::Failed) } else { Step::Provision })
}

fn why_mint(view: &View, allowed: &Allowed, memory: &Memory) -> Option<MintReason> {
    match &view.token.content {
        // A Secret that isn't there is made by whoever installs B: its name is all we may write to.
        Content::NoSecret | Content::External | Content::Refused(_) | Content::Unseen => return None,
        Content::NoKey => return Some(MintReason::Missing),
        Content::Malformed(_) => return Some(MintReason::Malformed),
        Content::Present => {}
    }
    match &view.token.lookup {
        Lookup::Dead => Some(MintReason::Dead),
        Lookup::Alive { renewable, orphan, root, .. } if *root || !renewable || !orphan => Some(MintReason::Unsafe),
        Lookup::Alive { .. } => {
            let age = memory.minted.map(|at| between(at, view.now));
            let old = allowed.rotate_every.zip(age).is_some_and(|(every, age)| every <= age);
            old.then_some(MintReason::Rotation)
        }
        Lookup::Blind | Lookup::Unseen => None,
    }
}

#[cfg(test)]
mod tests;
