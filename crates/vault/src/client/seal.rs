//! How a server is sealed, as it says without a token in every state; Vault's shape and OpenBao's alike.

use serde::Deserialize;

use super::path::Path;
use super::reply::Reply;
use super::request::{Accept, Request};
use super::{Client, Error, Operation};

/// Which of the two it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Product {
    /// Tells a `build_date`.
    Vault,
    /// Tells a `commit_date`.
    OpenBao,
    /// Tells neither.
    Unknown,
}

/// The answer of `sys/seal-status`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealStatus {
    /// `shamir`, `transit` and so on. May lie after a migration: look at `recovery_seal` too.
    pub seal_type: String,
    /// Whether it was ever initialised; on raft, whether this node has joined.
    pub initialized: bool,
    /// Whether it is sealed.
    pub sealed: bool,
    /// Shares needed to unseal or recover; 0 when there are none.
    pub t: u32,
    /// Shares that exist.
    pub n: u32,
    /// Shares given so far.
    pub progress: u32,
    /// Of the unsealing under way; empty when there is none.
    pub nonce: String,
    /// As the server writes it.
    pub version: String,
    /// By the date it tells.
    pub product: Product,
    /// Whether a seal migration is pending.
    pub migration: bool,
    /// Only while unsealed.
    pub cluster_name: Option<String>,
    /// Only while unsealed.
    pub cluster_id: Option<String>,
    /// Whether shares recover (automatic seal) and don't unseal.
    pub recovery_seal: bool,
    /// Of a server that seals itself: OpenBao always tells it, Vault after init.
    pub recovery_seal_type: Option<String>,
    /// `raft` and so on.
    pub storage_type: Option<String>,
    /// Vault only.
    pub removed_from_cluster: Option<bool>,
}

#[derive(Deserialize)]
struct Raw {
    r#type: String,
    initialized: bool,
    sealed: bool,
    #[serde(default)]
    t: u32,
    #[serde(default)]
    n: u32,
    #[serde(default)]
    progress: u32,
    #[serde(default)]
    nonce: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    build_date: Option<String>,
    #[serde(default)]
    commit_date: Option<String>,
    #[serde(default)]
    migration: bool,
    #[serde(default)]
    cluster_name: Option<String>,
    #[serde(default)]
    cluster_id: Option<String>,
    #[serde(default)]
    recovery_seal: bool,
    #[serde(default)]
    recovery_seal_type: Option<String>,
    #[serde(default)]
    storage_type: Option<String>,
    #[serde(default)]
    removed_from_cluster: Option<bool>,
}

impl From<Raw> for SealStatus {
    fn from(raw: Raw) -> Self {
        let product = match (raw.commit_date, raw.build_date) {
            (Some(_), _) => Product::OpenBao,
            (None, Some(_)) => Product::Vault,
            (None, None) => Product::Unknown,
        };
        Self {
            seal_type: raw.r#type,
            initialized: raw.initialized,
            sealed: raw.sealed,
            t: raw.t,
            n: raw.n,
            progress: raw.progress,
            nonce: raw.nonce,
            version: raw.version,
            product,
            migration: raw.migration,
            cluster_name: raw.cluster_name,
            cluster_id: raw.cluster_id,
            recovery_seal: raw.recovery_seal,
            recovery_seal_type: raw.recovery_seal_type,
            storage_type: raw.storage_type,
            removed_from_cluster: raw.removed_from_cluster,
        }
    }
}

/// The answer of `sys/seal-backend-status`. Still `healthy` for a while after the seal's token is gone.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct SealBackendStatus {
    /// All of them.
    pub healthy: bool,
    /// One by one.
    #[serde(default)]
    pub backends: Vec<SealBackend>,
    /// Whether everything is wrapped by the present seals.
    #[serde(default)]
    pub fully_wrapped: bool,
}

/// One seal of a server.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct SealBackend {
    /// As configured.
    pub name: String,
    /// Whether its last check passed.
    pub healthy: bool,
}

impl Client {
    /// How the server is sealed. Needs no token, in any state.
    ///
    /// # Errors
    /// A standby of OpenBao in the middle of a migration answers 500.
    pub async fn seal_status(&self) -> Result<SealStatus, Error> {
        let operation = Operation::SealStatus;
        let request = Request::get(Path::of("sys/seal-status"));
        self.send(operation, Ok(request), |reply| reply.bare::<Raw>().map(SealStatus::from)).await
    }

    /// Whether the server was initialised, or on raft, has joined. Needs no token, in any state.
    ///
    /// # Errors
    /// A standby of OpenBao in the middle of a migration answers 500.
    pub async fn init_status(&self) -> Result<bool, Error> {
        #[derive(Deserialize)]
        struct Raw {
            initialized: bool,
        }
        let operation = Operation::InitStatus;
        let request = Request::get(Path::of("sys/init"));
        self.send(operation, Ok(request), |reply| reply.bare().map(|raw: Raw| raw.initialized)).await
    }

    /// What the server thinks of its seals; `None` where it doesn't tell (404). Vault needs no token for it; OpenBao
    /// refuses with 403.
    ///
    /// # Errors
    /// Any of [`super::Kind`].
    pub async fn seal_backend_status(&self) -> Result<Option<SealBackendStatus>, Error> {
        let operation = Operation::SealBackendStatus;
        let request = Request::get(Path::of("sys/seal-backend-status")).accepting(Accept::SuccessOrNone);
        let read = |reply: &Reply| if reply.is_none() { Ok(None) } else { reply.bare().map(Some) };
        match self.send(operation, Ok(request), read).await {
            // OpenBao's 404 has a text: it has no such route.
            Err(error) if error.says() == Some(super::Says::NoRoute) => Ok(None),
            outcome => outcome,
        }
    }
}
