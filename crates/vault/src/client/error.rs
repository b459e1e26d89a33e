//! The one error of the client: which server, which request, what went wrong, and what class of remedy it needs.

use super::{Kind, Operation, Refusal, Says};

/// A request that didn't succeed. Neither its text nor its `Debug` holds a secret of the request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{server}: {operation}: {kind}")]
pub struct Error {
    /// The server: its address, and the IP connected to when that was given.
    pub server: String,
    /// What was asked.
    pub operation: Operation,
    /// What went wrong.
    pub kind: Kind,
}

/// What class of remedy an error needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Asking again later may go better, without anybody doing anything.
    Transient,
    /// The server understood, and will say the same again.
    Permanent,
    /// A setting is wrong: an address, a certificate, a name.
    Configuration,
    /// The token, or whoever logged in, may not.
    Denied,
}

/// Whether the server may have done what it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// It did nothing.
    None,
    /// Nobody knows: the request was sent whole or in part, and no answer says what became of it.
    Unknown,
}

impl Error {
    /// An error of a request to `server`.
    pub fn new(server: impl Into<String>, operation: Operation, kind: Kind) -> Self {
        Self { server: server.into(), operation, kind }
    }

    /// What class of remedy it needs.
    pub fn class(&self) -> Class {
        self.kind.class()
    }

    /// Whether the server may have done what it was asked for. After an init or a mint this is the question.
    pub fn effect(&self) -> Effect {
        self.kind.effect()
    }

    /// How the server fails, also while it isn't asked: the failure that opened the breaker, else the kind itself.
    pub fn cause(&self) -> &Kind {
        match &self.kind {
            Kind::BreakerOpen { last, .. } => last,
            Kind::Unsendable(_)
            | Kind::Unresolvable
            | Kind::Forbidden(_)
            | Kind::Refused
            | Kind::Unreachable(_)
            | Kind::Tls(_)
            | Kind::TimedOut(_)
            | Kind::CutOff(_)
            | Kind::NotHttp
            | Kind::WantsHttps
            | Kind::NotVault { .. }
            | Kind::Redirected(_)
            | Kind::TooLarge
            | Kind::Malformed(_)
            | Kind::PacedOut
            | Kind::Answered(_) => &self.kind,
        }
    }

    /// What Vault said means, if Vault answered.
    pub fn says(&self) -> Option<Says> {
        self.refusal().map(Refusal::says)
    }

    /// What Vault said, if Vault answered.
    pub fn refusal(&self) -> Option<&Refusal> {
        match &self.kind {
            Kind::Answered(refusal) => Some(refusal),
            Kind::Unsendable(_)
            | Kind::Unresolvable
            | Kind::Forbidden(_)
            | Kind::Refused
            | Kind::Unreachable(_)
            | Kind::Tls(_)
            | Kind::TimedOut(_)
            | Kind::CutOff(_)
            | Kind::NotHttp
            | Kind::WantsHttps
            | Kind::NotVault { .. }
            | Kind::Redirected(_)
            | Kind::TooLarge
            | Kind::Malformed(_)
            | Kind::BreakerOpen { .. }
            | Kind::PacedOut => None,
        }
    }
}
