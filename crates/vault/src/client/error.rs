//! What went wrong with a request, and of which class it is.
//!
//! What a server says of itself is recognised here once, by the texts that were seen on real servers.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

use super::dial::Forbidden;

/// A request that failed.
#[derive(Debug, thiserror::Error)]
#[error("{operation} at {server}: {kind}")]
pub struct Error {
    /// The server that was asked.
    pub server: String,
    /// What was asked of it.
    pub operation: &'static str,
    /// What went wrong.
    pub kind: Kind,
}

/// What can be hoped of another try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// It may work in a moment.
    Transient,
    /// It won't, whatever anybody does here.
    Permanent,
    /// It won't before somebody changes a setting.
    Configuration,
    /// It isn't allowed.
    Denied,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The name resolves to nothing.
    Unresolvable,
    /// The address may not be used.
    Forbidden(Forbidden),
    /// Nothing listens there.
    Refused,
    /// No connection for another reason of the network.
    Unconnected(std::io::ErrorKind),
    /// No connection within the time.
    NeverConnected,
    /// A connection, and no whole answer within the time.
    NeverAnswered,
    /// The connection ended before the answer did.
    CutOff,
    /// TLS fails.
    Tls(TlsTrouble),
    /// What answers doesn't speak HTTP.
    NotHttp,
    /// What answers isn't a Vault: its answer isn't JSON.
    NotVault {
        /// The status of the answer.
        status: u16,
    },
    /// A standby names somebody else, who isn't asked.
    Redirected {
        /// The status of the answer.
        status: u16,
    },
    /// The answer is longer than any that is expected.
    TooLong,
    /// The answer is JSON of another form.
    Unreadable {
        /// The line of the answer.
        line: usize,
        /// The column.
        column: usize,
    },
    /// The server says no.
    Said(Said),
    /// The token holds characters that no header can have.
    TokenUnsendable,
    /// The request makes no sense: a name with characters that no path can have.
    Unsendable,
    /// The initialisation would make no recovery keys.
    NoShares,
    /// The server didn't answer several times, and is left alone.
    BreakerOpen {
        /// For how many seconds more.
        seconds: u64,
        /// How it failed last.
        last: Box<Self>,
    },
    /// The server was asked too often.
    Paced,
}

/// What is wrong with TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsTrouble {
    /// The certificates to trust aren't PEM, or are none.
    BadAuthority,
    /// The name to verify isn't one.
    BadName,
    /// The certificate is from somebody who isn't trusted.
    UnknownIssuer,
    /// The certificate is for another name.
    OtherName,
    /// The certificate has expired.
    Expired,
    /// The certificate isn't valid yet.
    NotYetValid,
    /// Anything else about the certificate.
    BadCertificate,
    /// The server doesn't speak TLS.
    NotTls,
    /// The server ended the handshake.
    RefusedByServer,
    /// Anything else.
    Other,
}

impl TlsTrouble {
    /// As it is told.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadAuthority => "the certificates to trust aren't PEM certificates",
            Self::BadName => "the name to verify isn't a host name",
            Self::UnknownIssuer => "its certificate is from an authority that isn't trusted",
            Self::OtherName => "its certificate is for another name",
            Self::Expired => "its certificate has expired",
            Self::NotYetValid => "its certificate isn't valid yet",
            Self::BadCertificate => "its certificate isn't valid",
            Self::NotTls => "it doesn't speak TLS (is it http://?)",
            Self::RefusedByServer => "it ended the handshake",
            Self::Other => "the handshake failed",
        }
    }
}

/// What a server said no with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The status.
    pub status: u16,
    /// Its `errors`, shortened, without anything secret of the request.
    pub errors: Vec<String>,
}

/// No text of a server is quoted further, in characters.
const QUOTED: usize = 300;

impl Error {
    pub(super) fn new(server: &str, operation: &'static str, kind: Kind) -> Self {
        Self { server: server.to_owned(), operation, kind }
    }

    /// What can be hoped of another try.
    #[must_use]
    pub fn class(&self) -> Class {
        match &self.kind {
            Kind::Unresolvable
            | Kind::Refused
            | Kind::Unconnected(_)
            | Kind::NeverConnected
            | Kind::NeverAnswered
            | Kind::CutOff
            | Kind::NotHttp
            | Kind::NotVault { .. }
            | Kind::Redirected { .. }
            | Kind::BreakerOpen { .. }
            | Kind::Paced => Class::Transient,
            Kind::Forbidden(_) | Kind::Tls(_) | Kind::TokenUnsendable | Kind::Unsendable | Kind::NoShares => {
                Class::Configuration
            }
            Kind::TooLong | Kind::Unreadable { .. } => Class::Permanent,
            Kind::Said(said) => said.class(),
        }
    }

    /// What the server said, if it was the server that said no.
    #[must_use]
    pub fn said(&self) -> Option<&Said> {
        match &self.kind {
            Kind::Said(said) => Some(said),
            _ => None,
        }
    }

    /// What is known of the server, also while it isn't asked.
    #[must_use]
    pub fn cause(&self) -> &Kind {
        match &self.kind {
            Kind::BreakerOpen { last, .. } => last,
            kind => kind,
        }
    }

    /// A connection that was cut, or a server in between that has a hiccup. What takes its time isn't asked again.
    pub(super) fn is_worth_repeating(&self) -> bool {
        match &self.kind {
            Kind::CutOff => true,
            Kind::Said(said) => said.status == 500 || said.status == 502,
            _ => false,
        }
    }
}

impl Kind {
    /// The answer of a server, which isn't a success.
    pub(super) fn of_answer(status: u16, bytes: &[u8], token: Option<&SecretString>) -> Self {
        #[derive(serde::Deserialize)]
        struct Errors {
            #[serde(default)]
            errors: Option<Vec<String>>,
        }
        let told: Result<Errors, _> = serde_json::from_slice(bytes);
        match told {
            Ok(told) => {
                let errors = told.errors.unwrap_or_default();
                Self::Said(Said { status, errors: errors.iter().map(|text| tame(text, token)).collect() })
            }
            Err(_) if bytes.is_empty() => Self::Said(Said { status, errors: Vec::new() }),
            Err(_) => Self::NotVault { status },
        }
    }

    /// Whether nobody answered: what a breaker counts. Whatever was answered shows that it is worth asking.
    pub(super) fn is_silence(&self) -> bool {
        matches!(
            self,
            Self::Unresolvable | Self::Refused | Self::Unconnected(_) | Self::NeverConnected | Self::NeverAnswered
        )
    }
}

/// Shortened, and dropped when it repeats the token.
fn tame(text: &str, token: Option<&SecretString>) -> String {
    let secret = token.map(ExposeSecret::expose_secret).filter(|secret| !secret.is_empty());
    if secret.is_some_and(|secret| text.contains(secret)) {
        return "(its words repeat the token and are left out)".to_owned();
    }
    text.chars().take(QUOTED).map(|letter| if letter.is_control() && letter != '\n' { ' ' } else { letter }).collect()
}

impl Said {
    fn contains(&self, text: &str) -> bool {
        self.errors.iter().any(|error| error.contains(text))
    }

    fn class(&self) -> Class {
        match self.status {
            403 => Class::Denied,
            400 | 404 | 405 | 501 => Class::Permanent,
            _ => Class::Transient,
        }
    }

    /// The token isn't known: Vault adds `invalid token`, OpenBao says nothing but `permission denied`. A token that lives
    /// and may not do it is answered with `1 error occurred` before it.
    #[must_use]
    pub fn is_dead_token(&self) -> bool {
        self.status == 403
            && (self.contains("invalid token") || self.errors.iter().any(|error| error.trim() == "permission denied"))
    }

    /// The token lives, and may not.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        self.status == 403 && !self.is_dead_token()
    }

    /// The server is sealed.
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        self.status == 503 && (self.contains("Vault is sealed") || self.contains("OpenBao is sealed"))
    }

    /// There is no token with this accessor.
    #[must_use]
    pub fn is_no_accessor(&self) -> bool {
        (self.status == 400 || self.status == 403 || self.status == 404) && self.contains("invalid accessor")
    }

    /// Another key of the same name encrypted this.
    #[must_use]
    pub fn is_other_key(&self) -> bool {
        self.status == 400 && self.contains("message authentication failed")
    }

    /// The key doesn't have this version yet.
    #[must_use]
    pub fn is_version_too_new(&self) -> bool {
        self.status == 400 && self.contains("version is too new")
    }

    /// The key no longer decrypts this version.
    #[must_use]
    pub fn is_version_too_old(&self) -> bool {
        self.status == 400 && self.contains("disallowed by policy (too old)")
    }

    /// There is no such key, or no such mount, and the token may know that.
    #[must_use]
    pub fn is_no_key(&self) -> bool {
        (self.status == 400 && self.contains("encryption key not found"))
            || (self.status == 404 && (self.errors.is_empty() || self.contains("route entry not found")))
    }

    /// The server was initialised before.
    #[must_use]
    pub fn is_initialised(&self) -> bool {
        self.status == 400 && self.contains("already initialized")
    }

    /// The role that made the token is gone: it can't be renewed any more.
    #[must_use]
    pub fn is_role_gone(&self) -> bool {
        self.contains("original token role")
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unresolvable => formatter.write_str("no such host"),
            Self::Forbidden(forbidden) => write!(formatter, "not connected: {}", forbidden.as_str()),
            Self::Refused => formatter.write_str("connection refused"),
            Self::Unconnected(kind) => write!(formatter, "no connection: {kind}"),
            Self::NeverConnected => formatter.write_str("no connection within the time"),
            Self::NeverAnswered => formatter.write_str("connected, and no answer within the time"),
            Self::CutOff => formatter.write_str("the connection was cut off"),
            Self::Tls(trouble) => write!(formatter, "TLS: {}", trouble.as_str()),
            Self::NotHttp => formatter.write_str("what answers doesn't speak HTTP (is it https://?)"),
            Self::NotVault { status } => write!(formatter, "what answers isn't a Vault: {status} without JSON"),
            Self::Redirected { status } => write!(formatter, "{status}: it sends to another server, which isn't asked"),
            Self::TooLong => formatter.write_str("the answer is longer than a mebibyte"),
            Self::Unreadable { line, column } => {
                write!(formatter, "the answer has another form, at line {line}, column {column}")
            }
            Self::Said(said) => write!(formatter, "{said}"),
            Self::TokenUnsendable => formatter.write_str("the token holds characters that can't be sent"),
            Self::Unsendable => formatter.write_str("the path holds characters that can't be sent"),
            Self::NoShares => formatter.write_str("an initialisation without recovery shares isn't sent"),
            Self::BreakerOpen { seconds, last } => write!(formatter, "{last} (not asked again for {seconds} s)"),
            Self::Paced => formatter.write_str("it is asked too often"),
        }
    }
}

impl fmt::Display for Said {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.status)?;
        let said = self.errors.join("; ");
        let said: String = said.split_whitespace().collect::<Vec<_>>().join(" ");
        if said.is_empty() { Ok(()) } else { write!(formatter, " {said}") }
    }
}
