//! May an initialisation begin? Pure: whatever isn't known is a reason to wait.
//!
//! A server that says `initialized: false` may have just not joined its cluster, and a disk may hold what nobody here knows
//! of. So every pod that the StatefulSet asks for has to say it on its own address, and no storage may be older than the
//! resource unless a person has looked at it.

use jiff::Timestamp;

use super::order::{Invalid, Order};
use crate::rehearsal::{Ignorance, Outcome};
use crate::view::{Lookup, Pod, StatefulSet, View};

/// A PersistentVolumeClaim of the StatefulSet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// The ordinal of the pod that uses it.
    pub ordinal: u32,
    /// When it was made.
    pub created: Timestamp,
}

/// What is known.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// What is asked for.
    pub order: &'a Order,
    /// Whether B is asked over TLS.
    pub tls: bool,
    /// What was seen.
    pub view: &'a View,
    /// The storage of the StatefulSet; `None` when it couldn't be seen.
    pub volumes: Option<&'a [Volume]>,
}

/// It may begin, with this pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Go {
    /// The pod's name.
    pub pod: String,
    /// Its UID: another of its name is another server.
    pub uid: String,
    /// The headless Service that names it.
    pub service: String,
}

/// Why it may not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Closed {
    /// The spec doesn't ask for it.
    #[error("the resource doesn't ask for an initialisation")]
    NotAsked,
    /// The spec makes no sense.
    #[error(transparent)]
    Plan(#[from] Invalid),
    /// Keys would be readable on their way.
    #[error("over HTTP recovery keys and root token can be read on their way")]
    PlainHttp,
    /// The StatefulSet isn't known, or asks for no pods.
    #[error("the StatefulSet isn't known, or asks for no pods")]
    NoTarget,
    /// A pod that should be there isn't, or one is that shouldn't.
    #[error("{0}: not every pod that the StatefulSet asks for is there, or there are others")]
    Pods(String),
    /// A pod says nothing of itself.
    #[error("{0}: its server doesn't say whether it is initialised")]
    Silent(String),
    /// It is initialised already.
    #[error("{0}: its server is initialised")]
    Initialised(String),
    /// It would make keys of another kind.
    #[error("{0}: its server doesn't seal itself with a transit key but with {1:?}")]
    OtherSeal(String, String),
    /// The storage couldn't be seen.
    #[error("the PersistentVolumeClaims couldn't be listed")]
    StorageUnseen,
    /// Storage that may hold something.
    #[error("{0} ({1}) is older than the resource")]
    StorageOlderThanResource(String, String),
    /// Storage of a pod that doesn't exist yet, so something ran there once.
    #[error("{0} ({1}) belongs to a pod that doesn't exist")]
    StorageOfNoPod(String, String),
    /// B couldn't unseal itself after it.
    #[error("the rehearsal says that the server wouldn't start: {0}")]
    Rehearsal(String),
    /// What is tried before can't be done: who would log in, or where the keys go.
    #[error("{0}")]
    Preparation(String),
}

impl Closed {
    /// As the status spells it.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::NotAsked => "NotAsked",
            Self::Plan(_) => "InvalidInitialization",
            Self::PlainHttp => "PlainHTTP",
            Self::NoTarget => "TargetMissing",
            Self::Pods(_) => "PodsIncomplete",
            Self::Silent(_) => "ServerSilent",
            Self::Initialised(_) => "Initialised",
            Self::OtherSeal(..) => "NotSealedByTransit",
            Self::StorageUnseen => "StorageUnseen",
            Self::StorageOlderThanResource(..) => "StorageOlderThanResource",
            Self::StorageOfNoPod(..) => "StorageOfNoPod",
            Self::Rehearsal(_) => "NotRehearsed",
            Self::Preparation(_) => "NotPrepared",
        }
    }
}

/// May it begin?
///
/// # Errors
/// The first reason why not, in the order of `CHECKS`.
pub fn check(facts: Facts<'_>) -> Result<Go, Closed> {
    let set = facts.view.target.set.as_ref().map_err(|_| Closed::NoTarget)?;
    CHECKS.iter().try_for_each(|check| check(&facts, set))?;
    let first = facts.view.target.pods.first().ok_or(Closed::NoTarget)?;
    Ok(Go { pod: first.name.clone(), uid: first.uid.clone(), service: set.service.clone() })
}

type Check = fn(&Facts<'_>, &StatefulSet) -> Result<(), Closed>;

const CHECKS: [Check; 7] = [asked, planned, private, complete, blank, unused, startable];

fn asked(facts: &Facts<'_>, _: &StatefulSet) -> Result<(), Closed> {
    if facts.order.wanted { Ok(()) } else { Err(Closed::NotAsked) }
}

fn planned(facts: &Facts<'_>, _: &StatefulSet) -> Result<(), Closed> {
    facts.order.plan.as_ref().map(drop).map_err(|why| Closed::Plan(why.clone()))
}

fn private(facts: &Facts<'_>, _: &StatefulSet) -> Result<(), Closed> {
    if facts.tls || facts.order.allow_http { Ok(()) } else { Err(Closed::PlainHttp) }
}

/// How many pods have to be there: the first alone where it is waited for before the next is made.
fn expected(facts: &Facts<'_>, set: &StatefulSet) -> u32 {
    let only_first = set.ordered && facts.view.target.pods.len() == 1;
    if only_first { set.replicas.min(1) } else { set.replicas }
}

fn complete(facts: &Facts<'_>, set: &StatefulSet) -> Result<(), Closed> {
    let (pods, count) = (&facts.view.target.pods, expected(facts, set));
    if count == 0 {
        return Err(Closed::NoTarget);
    }
    let there: Vec<u32> = pods.iter().map(|pod| pod.ordinal).collect();
    let leaving = pods.iter().find(|pod| pod.leaving);
    match leaving {
        Some(pod) => Err(Closed::Pods(pod.name.clone())),
        None if there == (0..count).collect::<Vec<_>>() => Ok(()),
        None => Err(Closed::Pods(format!("ordinals {there:?} of {count}"))),
    }
}

fn blank(facts: &Facts<'_>, _: &StatefulSet) -> Result<(), Closed> {
    facts.view.target.pods.iter().try_for_each(is_blank)
}

fn is_blank(pod: &Pod) -> Result<(), Closed> {
    let name = || pod.name.clone();
    let told = pod.answer.facts().ok_or_else(|| Closed::Silent(name()))?;
    if told.initialised {
        return Err(Closed::Initialised(name()));
    }
    if told.seal_type == "transit" { Ok(()) } else { Err(Closed::OtherSeal(name(), told.seal_type.clone())) }
}

fn unused(facts: &Facts<'_>, set: &StatefulSet) -> Result<(), Closed> {
    let (volumes, count) = (facts.volumes.ok_or(Closed::StorageUnseen)?, expected(facts, set));
    untouched(facts.order, volumes)?;
    let confirmed = |volume: &&Volume| facts.order.confirmed.contains(&volume.uid);
    let stray = volumes.iter().find(|volume| count <= volume.ordinal && !confirmed(volume));
    stray.map_or(Ok(()), |volume| Err(Closed::StorageOfNoPod(volume.name.clone(), volume.uid.clone())))
}

/// Whether no storage is older than the resource, but what a person has looked at.
///
/// # Errors
/// The first that is.
pub fn untouched(order: &Order, volumes: &[Volume]) -> Result<(), Closed> {
    let old = volumes.iter().find(|volume| volume.created < order.created && !order.confirmed.contains(&volume.uid));
    old.map_or(Ok(()), |volume| Err(Closed::StorageOlderThanResource(volume.name.clone(), volume.uid.clone())))
}

/// That B listens shows that A encrypted for it; whether it would again is what the rehearsal shows. For a server that was
/// never unsealed it can't pass: there is nothing yet that has to decrypt.
fn startable(facts: &Facts<'_>, _: &StatefulSet) -> Result<(), Closed> {
    let fails = |why: &str| Err(Closed::Rehearsal(why.to_owned()));
    if facts.view.transit.reach.cause().is_some() {
        return fails(&facts.view.transit.reach.message());
    }
    match &facts.view.token.lookup {
        Lookup::Alive { root: true, .. } | Lookup::Alive { makes_keys: Some(true), .. } => {
            return fails("the token could make the key anew");
        }
        Lookup::Alive { .. } | Lookup::Dead | Lookup::Blind | Lookup::Unseen => {}
    }
    match &facts.view.rehearsal {
        Outcome::Passed => Ok(()),
        Outcome::Failed(_, why) => fails(why),
        Outcome::Unknown(why) => match why {
            Ignorance::NoCanary | Ignorance::NoEvidence | Ignorance::TokenExternal => Ok(()),
            Ignorance::TokenNotWired | Ignorance::Untried(_) => fails(&why.message()),
        },
    }
}
