//! One request before it is sent: what it asks, with which token, and whether it may be sent twice.

use std::fmt;
use std::time::Duration;

use hyper::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use zeroize::Zeroizing;

use super::path::Path;
use super::refusal::Sender;

/// Room for a body, so that it needn't move, leaving copies behind, while it is written.
const ROOM: usize = 4096;

/// What is asked, as errors and metrics name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the method of the same name")]
pub enum Operation {
    Configure,
    SealStatus,
    InitStatus,
    Health,
    Leader,
    LookupSelf,
    RenewSelf,
    LookupAccessor,
    RevokeAccessor,
    RevokeSelf,
    CreateWithRole,
    RoleRead,
    RoleWrite,
    PolicyRead,
    PolicyWrite,
    TransitEncrypt,
    TransitDecrypt,
    TransitKey,
    TransitKeyCreate,
    MountEnable,
    EnableAuth,
    CapabilitiesSelf,
    Login,
    LoginApprole,
    RaftConfiguration,
    SealBackendStatus,
    Init,
    Read,
    Write,
    Delete,
}

impl Operation {
    /// In snake case, for a label.
    pub fn name(self) -> &'static str {
        match self {
            Self::Configure => "configure",
            Self::SealStatus => "seal_status",
            Self::InitStatus => "init_status",
            Self::Health => "health",
            Self::Leader => "leader",
            Self::LookupSelf => "lookup_self",
            Self::RenewSelf => "renew_self",
            Self::LookupAccessor => "lookup_accessor",
            Self::RevokeAccessor => "revoke_accessor",
            Self::RevokeSelf => "revoke_self",
            Self::CreateWithRole => "create_with_role",
            Self::RoleRead => "role_read",
            Self::RoleWrite => "role_write",
            Self::PolicyRead => "policy_read",
            Self::PolicyWrite => "policy_write",
            Self::TransitEncrypt => "transit_encrypt",
            Self::TransitDecrypt => "transit_decrypt",
            Self::TransitKey => "transit_key",
            Self::TransitKeyCreate => "transit_key_create",
            Self::MountEnable => "mount_enable",
            Self::EnableAuth => "enable_auth",
            Self::CapabilitiesSelf => "capabilities_self",
            Self::Login => "login",
            Self::LoginApprole => "login_approle",
            Self::RaftConfiguration => "raft_configuration",
            Self::SealBackendStatus => "seal_backend_status",
            Self::Init => "init",
            Self::Read => "read",
            Self::Write => "write",
            Self::Delete => "delete",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether a request may be sent again when the first try failed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// It changes nothing.
    Safe,
    /// It changes something: never again, whatever became of it.
    Never,
}

/// Which answers are more than an error.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Accept {
    /// 2xx.
    Success,
    /// Also a 404 without texts, which is Vault's "there is none".
    SuccessOrNone,
    /// Whatever Vault answers; the codes of `sys/health` are its answer.
    Any,
}

/// What is sent. No `Debug`: it holds the secrets.
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) path: Path,
    pub(super) token: Option<SecretString>,
    pub(super) body: Option<Zeroizing<Vec<u8>>>,
    pub(super) secrets: Vec<SecretString>,
    pub(super) repeat: Repeat,
    pub(super) accept: Accept,
    pub(super) timeout: Option<Duration>,
}

impl Request {
    /// Reads, and may be repeated.
    pub(super) fn get(path: Path) -> Self {
        Self::new(Method::GET, path, Repeat::Safe)
    }

    /// Asks for something that changes nothing although it isn't a GET.
    pub(super) fn ask(path: Path) -> Self {
        Self::new(Method::POST, path, Repeat::Safe)
    }

    /// Changes something, and is sent once.
    pub(super) fn post(path: Path) -> Self {
        Self::new(Method::POST, path, Repeat::Never)
    }

    /// Takes something away, and is sent once.
    pub(super) fn delete(path: Path) -> Self {
        Self::new(Method::DELETE, path, Repeat::Never)
    }

    fn new(method: Method, path: Path, repeat: Repeat) -> Self {
        let (accept, secrets) = (Accept::Success, Vec::new());
        Self { method, path, token: None, body: None, secrets, repeat, accept, timeout: None }
    }

    pub(super) fn with_token(mut self, token: &SecretString) -> Self {
        self.token = Some(token.clone());
        self.with_secret(token)
    }

    /// Something that no error may repeat.
    pub(super) fn with_secret(mut self, secret: &SecretString) -> Self {
        self.secrets.push(secret.clone());
        self
    }

    pub(super) fn with_body(mut self, body: &impl Serialize) -> Self {
        let mut bytes = Zeroizing::new(Vec::with_capacity(ROOM));
        serde_json::to_writer(&mut *bytes, body)
            .expect("invariant: bodies are structs with text keys, written to memory");
        self.body = Some(bytes);
        self
    }

    pub(super) fn accepting(mut self, accept: Accept) -> Self {
        self.accept = accept;
        self
    }

    pub(super) fn within(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    pub(super) fn sender(&self) -> Sender {
        if self.token.is_some() { Sender::WithToken } else { Sender::WithoutToken }
    }
}

/// For serde: a secret in a body, which is wiped after it was sent.
pub(super) fn exposed<S: serde::Serializer>(secret: &SecretString, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(secret.expose_secret())
}
