//! What to do next about an initialisation: one act, or a reason to wait. Pure.
//!
//! The request goes out at most once for each attempt, and only from the spool that claimed it. Before that the holder says in
//! the claim that it is about to, and sets a mark in its spool: so what was never sent is known, to everybody by the first and
//! to the holder by the second, and is dropped and begun anew; what may have been is never repeated. Whoever isn't the holder
//! waits; when the holder is gone with an answer that may exist, a person decides. What only the holder can do (it alone has
//! the answer) it does whether it leads or not; to begin, and to give up another's attempt, takes the lead.

use jiff::Timestamp;

use super::claim::{Claim, Reading, Stage};
use super::gate::{Closed, Go};
use crate::view::Server;

/// What is known.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// What the Secret of the claim says.
    pub claim: &'a Reading,
    /// Whose claim it is.
    pub holder: Holder,
    /// What the spool holds of the claim's attempt; without a claim, of any attempt for this server.
    pub spool: Spooled,
    /// Whether a task of this process works on it.
    pub working: bool,
    /// What B is.
    pub server: Server,
    /// Whether an initialisation may begin; asked only while nobody has claimed it.
    pub gate: Result<Go, Closed>,
    /// Whether the resource asks for it by now, in a form in which it may be sent.
    pub wanted: bool,
    /// The attempt that a person gives up; empty for none.
    pub discard: &'a str,
    /// Whether this process leads.
    pub leads: bool,
    /// Now.
    pub now: Timestamp,
}

/// Whose claim it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// This spool's.
    Us,
    /// Another one's, or there is none.
    Another,
}

/// What the spool holds of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spooled {
    /// Nothing: the request was never sent from here.
    Nothing,
    /// The mark that it is being sent.
    Sent,
    /// The answer.
    Answer,
}

/// The next act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing is to be done.
    Rest,
    /// Claim it, then send the request.
    Claim(Go),
    /// Send the request of an attempt that was claimed here and not sent.
    Send,
    /// Store the shares.
    Store,
    /// Make the administrator's role, and log in by it.
    ProveAdmin,
    /// Revoke the root token.
    RevokeRoot(By),
    /// Overwrite and remove what the spool holds.
    Wipe,
    /// Drop the claim: its request was never sent, or a person asked for it.
    Discard,
    /// Something has to happen first.
    Wait(Wait),
    /// A person has to do something.
    Stuck(Stuck),
}

/// By what the root token is revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// By itself, out of the spool.
    Itself,
    /// By its accessor, as the administrator: the spool is gone.
    Accessor,
}

/// What is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wait {
    /// It may not begin yet.
    Closed(Closed),
    /// Somebody works on it, here or elsewhere.
    AtWork,
    /// Nobody knows what B is.
    ServerUnseen,
    /// The leader decides.
    NotLeading,
}

/// What only a person can resolve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stuck {
    /// The claim can't be read.
    ClaimUnreadable(String),
    /// There is an answer here and no claim for it: somebody deleted it.
    ClaimGone,
    /// It is initialised, and nobody has its keys.
    OutcomeUnknown,
    /// It was claimed, perhaps sent, and isn't initialised.
    Abandoned,
    /// The keys are stored, the root token is lost, and nobody was seen to get in.
    AdminNotProven,
    /// It was initialised, and isn't any more.
    StorageLost,
}

impl Step {
    /// As the status spells it: the action.
    #[must_use]
    pub const fn action(&self) -> &'static str {
        match self {
            Self::Rest => "None",
            Self::Claim(_) | Self::Send => "Initialize",
            Self::Store => "StoreRecoveryKeys",
            Self::ProveAdmin => "ProveAdmin",
            Self::RevokeRoot(_) => "RevokeRoot",
            Self::Wipe => "WipeSpool",
            Self::Discard => "DiscardAttempt",
            Self::Wait(_) | Self::Stuck(_) => "Wait",
        }
    }

    /// As the status spells it: why.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Rest => "NothingToDo",
            Self::Claim(_) => "NotInitialised",
            Self::Send => "Claimed",
            Self::Store => "Answered",
            Self::ProveAdmin => "Stored",
            Self::RevokeRoot(_) => "AdminProven",
            Self::Wipe => "Complete",
            Self::Discard => "GivenUp",
            Self::Wait(Wait::Closed(closed)) => closed.as_str(),
            Self::Wait(Wait::AtWork) => "AtWork",
            Self::Wait(Wait::ServerUnseen) => "ServerUnseen",
            Self::Wait(Wait::NotLeading) => "NotLeading",
            Self::Stuck(stuck) => stuck.as_str(),
        }
    }
}

impl Stuck {
    /// As the status spells it; the first two of those that are causes are spelled like these.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::ClaimUnreadable(_) => "ClaimUnreadable",
            Self::ClaimGone => "ClaimGone",
            Self::OutcomeUnknown => "InitOutcomeUnknown",
            Self::Abandoned => "InitAbandoned",
            Self::AdminNotProven => "AdminNotProven",
            Self::StorageLost => "StorageLost",
        }
    }
}

/// What to do next.
#[must_use]
pub fn next(facts: &Facts<'_>) -> Step {
    match facts.claim {
        Reading::Unreadable(why) => Step::Stuck(Stuck::ClaimUnreadable(why.to_string())),
        Reading::Vacant => begin(facts),
        Reading::Claim(_) if facts.working => Step::Wait(Wait::AtWork),
        Reading::Claim(claim) => match &claim.stage {
            Stage::Unsent => unsent(claim, facts),
            Stage::Claimed => claimed(claim, facts),
            Stage::Stored(_) => stored(claim, facts),
            Stage::AdminProven(..) => proven(claim, facts),
            Stage::Complete(_) => complete(facts),
        },
    }
}

fn begin(facts: &Facts<'_>) -> Step {
    match (facts.spool, facts.working) {
        (_, true) => Step::Wait(Wait::AtWork),
        (Spooled::Answer, false) => Step::Stuck(Stuck::ClaimGone),
        // A mark alone is of an attempt that was dropped.
        (Spooled::Nothing | Spooled::Sent, false) => match &facts.gate {
            Ok(_) if !facts.leads => Step::Wait(Wait::NotLeading),
            Ok(go) => Step::Claim(go.clone()),
            Err(Closed::NotAsked | Closed::Initialised(_)) => Step::Rest,
            Err(closed) => Step::Wait(Wait::Closed(closed.clone())),
        },
    }
}

/// Whether another's claim may still be worked on.
fn may_be_at_work(claim: &Claim, facts: &Facts<'_>) -> bool {
    facts.holder == Holder::Another && claim.is_fresh(facts.now)
}

/// Nothing was sent, and nothing will be by a holder that finds its claim gone.
fn unsent(claim: &Claim, facts: &Facts<'_>) -> Step {
    match (facts.holder, facts.spool) {
        (Holder::Us, Spooled::Nothing) => never_sent(claim, facts),
        // A spool that says otherwise is right: somebody put an older claim back.
        (Holder::Us, Spooled::Sent | Spooled::Answer) => claimed(claim, facts),
        (Holder::Another, _) if may_be_at_work(claim, facts) => Step::Wait(Wait::AtWork),
        (Holder::Another, _) if facts.leads => Step::Discard,
        (Holder::Another, _) => Step::Wait(Wait::NotLeading),
    }
}

fn claimed(claim: &Claim, facts: &Facts<'_>) -> Step {
    match (facts.holder, facts.spool) {
        (Holder::Us, Spooled::Nothing) => return never_sent(claim, facts),
        (Holder::Us, Spooled::Answer) => return Step::Store,
        (Holder::Another, _) if may_be_at_work(claim, facts) => return Step::Wait(Wait::AtWork),
        (Holder::Us, Spooled::Sent) | (Holder::Another, _) => {}
    }
    match facts.server {
        Server::Unseen => Step::Wait(Wait::ServerUnseen),
        Server::Initialised => Step::Stuck(Stuck::OutcomeUnknown),
        // A request may still be on its way for as long as the claim is fresh, whatever became of who sent it.
        Server::Blank if facts.leads && facts.discard == claim.attempt && !claim.is_fresh(facts.now) => Step::Discard,
        Server::Blank => Step::Stuck(Stuck::Abandoned),
    }
}

/// Our own claim, of which nothing was sent from here.
fn never_sent(claim: &Claim, facts: &Facts<'_>) -> Step {
    match facts.server {
        // Whoever leads by now begins anew, and needn't wait until this claim looks old.
        Server::Unseen | Server::Initialised | Server::Blank if !facts.leads => Step::Discard,
        Server::Unseen => Step::Wait(Wait::ServerUnseen),
        // Somebody else initialised it, or nobody is to any more.
        Server::Initialised => Step::Discard,
        Server::Blank if !facts.wanted || facts.discard == claim.attempt => Step::Discard,
        Server::Blank => Step::Send,
    }
}

fn stored(claim: &Claim, facts: &Facts<'_>) -> Step {
    match (facts.holder, facts.spool, facts.server) {
        _ if may_be_at_work(claim, facts) => Step::Wait(Wait::AtWork),
        (_, _, Server::Blank) => Step::Stuck(Stuck::StorageLost),
        (Holder::Us, Spooled::Answer, Server::Initialised) => Step::ProveAdmin,
        (Holder::Us, Spooled::Answer, Server::Unseen) => Step::Wait(Wait::ServerUnseen),
        (Holder::Us, Spooled::Nothing | Spooled::Sent, Server::Initialised | Server::Unseen)
        | (Holder::Another, _, Server::Initialised | Server::Unseen) => Step::Stuck(Stuck::AdminNotProven),
    }
}

fn proven(claim: &Claim, facts: &Facts<'_>) -> Step {
    match (facts.holder, facts.spool, facts.server) {
        _ if may_be_at_work(claim, facts) => Step::Wait(Wait::AtWork),
        (_, _, Server::Blank) => Step::Stuck(Stuck::StorageLost),
        (_, _, Server::Unseen) => Step::Wait(Wait::ServerUnseen),
        (Holder::Us, Spooled::Answer, Server::Initialised) => Step::RevokeRoot(By::Itself),
        (Holder::Us, Spooled::Nothing | Spooled::Sent, Server::Initialised)
        | (Holder::Another, _, Server::Initialised)
            if facts.leads =>
        {
            Step::RevokeRoot(By::Accessor)
        }
        (Holder::Us | Holder::Another, _, Server::Initialised) => Step::Wait(Wait::NotLeading),
    }
}

fn complete(facts: &Facts<'_>) -> Step {
    match (facts.spool, facts.server) {
        (Spooled::Sent | Spooled::Answer, _) => Step::Wipe,
        (Spooled::Nothing, Server::Blank) => Step::Stuck(Stuck::StorageLost),
        (Spooled::Nothing, Server::Initialised | Server::Unseen) => Step::Rest,
    }
}
