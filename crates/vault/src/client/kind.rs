//! What can go wrong between us and a server, each told apart by what a person would do about it.
//!
//! Nothing here quotes what a server sent, except the error texts of Vault itself, which `refusal` has cleaned.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use super::{Class, Effect, Refusal};

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Kind {
    /// What was given can't be sent, so nothing was.
    #[error("{0}")]
    Unsendable(Unsendable),
    /// The name has no address, or the resolver didn't answer.
    #[error("the name can't be resolved")]
    Unresolvable,
    /// All addresses of the name are ones that are never connected to, the first being this.
    #[error("{0} is a loopback, link-local, unspecified or multicast address")]
    Forbidden(IpAddr),
    /// Nobody listens on the port.
    #[error("connection refused")]
    Refused,
    /// No way there.
    #[error("no connection: {0}")]
    Unreachable(io::ErrorKind),
    /// TLS could not be agreed on.
    #[error("TLS: {0}")]
    Tls(TlsFault),
    /// The time was over while this was waited for.
    #[error("timed out {0}")]
    TimedOut(Phase),
    /// The connection ended while this was waited for.
    #[error("cut off {0}")]
    CutOff(Phase),
    /// What answered doesn't speak HTTP, or so much of it that it can't be read.
    #[error("the answer is no HTTP")]
    NotHttp,
    /// HTTP was spoken to a port that wants TLS.
    #[error("the server wants https")]
    WantsHttps,
    /// Something answered that isn't Vault: a proxy, another service.
    #[error("something other than Vault answered {status} ({content_type})")]
    NotVault {
        /// The HTTP code.
        status: u16,
        /// Its content type, without parameters; empty when there was none.
        content_type: String,
    },
    /// Sent elsewhere, as by a standby that doesn't forward. Where isn't followed; [`super::Client::leader`] tells it.
    #[error("redirected with {0}, as by a standby")]
    Redirected(u16),
    /// The answer is longer than 1 MiB.
    #[error("the answer is too long")]
    TooLarge,
    /// A success whose JSON isn't what was asked for.
    #[error("the answer with status {0} has another form than expected")]
    Malformed(u16),
    /// Not sent, because the last requests failed in the connection.
    #[error("not asked again yet, as the last requests failed: {last}")]
    BreakerOpen {
        /// When the next request is let through.
        retry_in: Duration,
        /// How the last request failed.
        last: Box<Kind>,
    },
    /// Not sent within its time, because too many others were.
    #[error("not sent in time, as there are too many requests")]
    PacedOut,
    /// Vault's own answer.
    #[error("{0}")]
    Answered(Refusal),
}

/// What was given and can't be used. The value isn't repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsendable {
    /// The token is empty, or has letters that a header can't have (a newline at its end).
    #[error("the token is empty or has letters that no token has")]
    Token,
    /// A mount, role, key or policy name that is empty or would lead to another path.
    #[error("a name is empty, too long or leads to another path")]
    Path,
    /// An init without recovery shares, or with a threshold that doesn't fit them.
    #[error("the recovery shares and their threshold don't fit")]
    Shares,
    /// The CA is no PEM with certificates.
    #[error("the CA is no PEM with certificates")]
    Ca,
    /// The server name is neither a name nor an IP address.
    #[error("the server name is neither a name nor an IP address")]
    ServerName,
    /// The namespace has letters that a header can't have.
    #[error("the namespace has letters that no namespace has")]
    Namespace,
}

/// Why TLS could not be agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum TlsFault {
    /// Signed by nobody who is trusted.
    #[error("the certificate is signed by an unknown authority")]
    UnknownIssuer,
    /// For another name.
    #[error("the certificate is for another name")]
    NameMismatch,
    /// Over.
    #[error("the certificate has expired")]
    Expired,
    /// Still to come, or a clock is wrong.
    #[error("the certificate is not valid yet")]
    NotYetValid,
    /// Unfit in another way: an authority used as a server, without names, a signature of another kind.
    #[error("the certificate can't be used for a server")]
    Unfit,
    /// The other side speaks plain text on this port.
    #[error("the server answered in plain text")]
    PlainText,
    /// The other side wants a client certificate.
    #[error("the server wants a client certificate")]
    ClientCertificate,
    /// The other side refused, or has no version or cipher in common with us.
    #[error("the server and this client agree on no parameters")]
    NoAgreement,
}

/// What was waited for when a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Its turn; nothing was done yet.
    Turn,
    /// The name's addresses.
    Resolve,
    /// A connection.
    Connect,
    /// TLS, on a connection that was accepted.
    Handshake,
    /// The answer: accepted, maybe carried out, and not answered.
    Answer,
    /// The rest of the answer.
    Body,
}

impl Phase {
    /// Whether the server had accepted the connection.
    pub fn accepted(self) -> bool {
        match self {
            Self::Turn | Self::Resolve | Self::Connect => false,
            Self::Handshake | Self::Answer | Self::Body => true,
        }
    }

    fn effect(self) -> Effect {
        match self {
            Self::Turn | Self::Resolve | Self::Connect | Self::Handshake => Effect::None,
            Self::Answer | Self::Body => Effect::Unknown,
        }
    }
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Turn => "before it was its turn",
            Self::Resolve => "while the name was resolved",
            Self::Connect => "before a connection was made",
            Self::Handshake => "after the connection was accepted, before TLS was agreed on",
            Self::Answer => "after the connection was accepted, before an answer",
            Self::Body => "in the middle of the answer",
        })
    }
}

impl Kind {
    /// What kind of remedy it needs.
    pub fn class(&self) -> Class {
        match self {
            Self::Unresolvable
            | Self::Refused
            | Self::Unreachable(_)
            | Self::TimedOut(_)
            | Self::CutOff(_)
            | Self::Redirected(_)
            | Self::BreakerOpen { .. }
            | Self::PacedOut => Class::Transient,
            Self::NotVault { status, .. } if *status == 429 || 500 <= *status => Class::Transient,
            Self::NotVault { .. }
            | Self::Unsendable(_)
            | Self::Forbidden(_)
            | Self::Tls(_)
            | Self::NotHttp
            | Self::WantsHttps => Class::Configuration,
            Self::TooLarge | Self::Malformed(_) => Class::Permanent,
            Self::Answered(refusal) => refusal.class(),
        }
    }

    /// Whether the server may have done what it was asked for.
    pub fn effect(&self) -> Effect {
        match self {
            Self::Unsendable(_)
            | Self::Unresolvable
            | Self::Forbidden(_)
            | Self::Refused
            | Self::Unreachable(_)
            | Self::Tls(_)
            | Self::WantsHttps
            | Self::Redirected(_)
            | Self::BreakerOpen { .. }
            | Self::PacedOut => Effect::None,
            Self::TimedOut(phase) | Self::CutOff(phase) => phase.effect(),
            Self::NotHttp | Self::NotVault { .. } | Self::TooLarge | Self::Malformed(_) => Effect::Unknown,
            Self::Answered(refusal) => refusal.effect(),
        }
    }

    /// Whether the connection failed, so that the next request would likely fail as well. Any answer at all, also a 500
    /// of a standby in the middle of a migration, says that it didn't.
    pub(super) fn is_of_connection(&self) -> bool {
        match self {
            Self::Unresolvable | Self::Refused | Self::Unreachable(_) | Self::TimedOut(_) | Self::CutOff(_) => true,
            Self::Unsendable(_)
            | Self::Forbidden(_)
            | Self::Tls(_)
            | Self::NotHttp
            | Self::WantsHttps
            | Self::NotVault { .. }
            | Self::Redirected(_)
            | Self::TooLarge
            | Self::Malformed(_)
            | Self::BreakerOpen { .. }
            | Self::PacedOut
            | Self::Answered(_) => false,
        }
    }

    /// Whether a second try a moment later may go better. Time-outs aren't tried again: their time is used up.
    pub(super) fn is_worth_another_try(&self) -> bool {
        match self {
            Self::Unresolvable | Self::Refused | Self::Unreachable(_) | Self::CutOff(_) => true,
            Self::NotVault { status, .. } => (502..=504).contains(status),
            Self::Unsendable(_)
            | Self::Forbidden(_)
            | Self::Tls(_)
            | Self::TimedOut(_)
            | Self::NotHttp
            | Self::WantsHttps
            | Self::Redirected(_)
            | Self::TooLarge
            | Self::Malformed(_)
            | Self::BreakerOpen { .. }
            | Self::PacedOut
            | Self::Answered(_) => false,
        }
    }
}
