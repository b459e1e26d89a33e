//! What `sys/health` says by its HTTP code, which is its answer.

use serde::Deserialize;

use super::path::Path;
use super::reply::Reply;
use super::request::{Accept, Request};
use super::{Client, Error, Kind, Operation};

/// What a server says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// By the code.
    pub state: HealthState,
    /// As the server writes it.
    pub version: Option<String>,
    /// Only while unsealed.
    pub cluster_name: Option<String>,
    /// Only while unsealed.
    pub cluster_id: Option<String>,
    /// The server's clock, in seconds since 1970.
    pub server_time: Option<i64>,
}

/// What the code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HealthState {
    /// 200
    Active,
    /// 429
    Standby,
    /// 472, a disaster recovery secondary
    DisasterRecoverySecondary,
    /// 473
    PerformanceStandby,
    /// 474, a standby that has lost its active node; seen on Vault Community just after a power cycle
    StandbyWithoutActive,
    /// 501
    Uninitialised,
    /// 503
    Sealed,
    /// 530
    RemovedFromCluster,
    /// Any other; 500 is a standby of OpenBao in the middle of a migration
    Other(u16),
}

impl HealthState {
    fn of(status: u16) -> Self {
        match status {
            200 => Self::Active,
            429 => Self::Standby,
            472 => Self::DisasterRecoverySecondary,
            473 => Self::PerformanceStandby,
            474 => Self::StandbyWithoutActive,
            501 => Self::Uninitialised,
            503 => Self::Sealed,
            530 => Self::RemovedFromCluster,
            other => Self::Other(other),
        }
    }
}

/// Either the health, or Vault's errors.
#[derive(Deserialize)]
struct Raw {
    #[serde(default)]
    initialized: Option<bool>,
    #[serde(default)]
    errors: Option<Vec<String>>,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    cluster_name: Option<String>,
    #[serde(default)]
    cluster_id: Option<String>,
    #[serde(default)]
    server_time_utc: Option<i64>,
}

impl Client {
    /// How the server is. Needs no token.
    ///
    /// # Errors
    /// Not for any code that Vault answers; for the connection, and for what isn't Vault (a proxy's 503).
    pub async fn health(&self) -> Result<Health, Error> {
        let operation = Operation::Health;
        let request = Request::get(Path::of("sys/health")).accepting(Accept::Any);
        self.send(operation, Ok(request), read).await
    }
}

fn read(reply: &Reply) -> Result<Health, Kind> {
    let raw: Raw = reply.bare()?;
    let state = match (raw.initialized, raw.errors, HealthState::of(reply.status)) {
        (Some(_), _, state) => state,
        // Errors come with codes of their own: a 503 without a health is not known to be a seal.
        (None, Some(_), HealthState::Other(status)) => HealthState::Other(status),
        (None, _, _) => return Err(reply.not_vault()),
    };
    let Raw { version, cluster_name, cluster_id, server_time_utc: server_time, .. } = raw;
    Ok(Health { state, version, cluster_name, cluster_id, server_time })
}
