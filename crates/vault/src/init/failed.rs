//! Why a step of an initialisation didn't come about.

use holdfast_runtime::failure::Failure;

use super::keys::Unusable;
use super::recipients::Unsealable;
use super::spool::Trouble;
use crate::client::{Class as ServerClass, Error};

/// Why a step didn't come about. Nothing in it is secret.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// The API server said no.
    #[error("{what}: {said}")]
    Cluster {
        /// What was asked of it.
        what: &'static str,
        /// What it meant.
        failure: Box<Failure>,
        /// Its words.
        said: String,
    },
    /// The API server didn't answer in time; whether it was done isn't known.
    #[error("{0}: no answer from the API server")]
    Silent(&'static str),
    /// B said no, or nothing.
    #[error(transparent)]
    Server(#[from] Error),
    /// The request was sent, and what became of it isn't known.
    #[error("the initialisation was sent, and its answer is lost: {0}")]
    AnswerLost(#[source] Error),
    /// The certificates of B's authority, or of the API server's, couldn't be read.
    #[error("the Secret {0} of an authority couldn't be read")]
    Authority(String),
    /// The claim isn't what it was a moment ago.
    #[error("the claim was changed by somebody else")]
    ClaimChanged,
    /// The pod isn't the one that was claimed.
    #[error("{0} isn't the pod that was claimed any more")]
    OtherPod(String),
    /// The pod can't be reached yet.
    #[error("{0} has no address")]
    NoAddress(String),
    /// The server doesn't say what it is.
    #[error("the server doesn't answer yet")]
    NotYet,
    /// Somebody else was faster.
    #[error("the server was initialised by somebody else, just before")]
    InitialisedMeanwhile,
    /// So much time went by since the claim that another may have it by now.
    #[error("too long after the claim: nothing was sent")]
    TooLate,
    /// The spool.
    #[error(transparent)]
    Spool(#[from] Trouble),
    /// A share couldn't be encrypted.
    #[error(transparent)]
    Unsealable(#[from] Unsealable),
    /// The server made another number of shares.
    #[error("the server made {got} recovery shares, not {asked}")]
    Shares {
        /// As many as were asked for.
        asked: u8,
        /// As many as came.
        got: u8,
    },
    /// What was stored isn't what is there.
    #[error("the shares in the Secret {0} aren't those that were written")]
    ReadBack(String),
    /// A Secret is there that isn't for us.
    #[error("the Secret {0} is there and isn't labelled for this resource")]
    NotOurs(String),
    /// The spec no longer says who gets in.
    #[error("the resource no longer says how: {0}")]
    Plan(#[source] super::order::Invalid),
    /// There is no answer for it in the spool any more.
    #[error("the spool has no answer for the attempt")]
    NoAnswer,
    /// The signing keys.
    #[error(transparent)]
    Keys(#[from] Unusable),
    /// Another method is mounted where the administrator's should be.
    #[error("{mount} is mounted, with the method {found}")]
    MountTaken {
        /// The mount.
        mount: String,
        /// What is there.
        found: String,
    },
    /// A login worked, and gave something else.
    #[error("the login as {role} gave a token without the policy {policy}")]
    PolicyMissing {
        /// The role.
        role: String,
        /// The policy.
        policy: String,
    },
    /// The API server gives no token of a ServiceAccount.
    #[error("{0}")]
    NoToken(String),
    /// It was revoked, and is accepted.
    #[error("the root token was revoked, and still lives")]
    RootLives,
}

/// What can be hoped of another try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// It may work at the next pass.
    Retry,
    /// A person has to change something first.
    Person,
    /// Nothing helps: what was lost is lost.
    Lost,
}

impl Failed {
    /// What can be hoped of another try.
    #[must_use]
    pub fn class(&self) -> Class {
        use holdfast_runtime::failure::Class as Of;
        match self {
            Self::Cluster { failure, .. } => match failure.class() {
                Of::Retry | Of::Wait(_) | Of::Conflict => Class::Retry,
                Of::Forbidden | Of::Terminal => Class::Person,
            },
            Self::Server(error) => match error.class() {
                ServerClass::Transient => Class::Retry,
                ServerClass::Permanent | ServerClass::Configuration | ServerClass::Denied => Class::Person,
            },
            Self::Silent(_)
            | Self::ClaimChanged
            | Self::OtherPod(_)
            | Self::NoAddress(_)
            | Self::NotYet
            | Self::TooLate
            | Self::ReadBack(_)
            | Self::RootLives => Class::Retry,
            // What keeps shares unencrypted or unspooled is tried again, and a person has to know: they are in memory alone.
            Self::Authority(_)
            | Self::Spool(_)
            | Self::Unsealable(_)
            | Self::NotOurs(_)
            | Self::Plan(_)
            | Self::Keys(_)
            | Self::MountTaken { .. }
            | Self::PolicyMissing { .. }
            | Self::NoToken(_) => Class::Person,
            Self::AnswerLost(_) | Self::InitialisedMeanwhile | Self::Shares { .. } | Self::NoAnswer => Class::Lost,
        }
    }
}
