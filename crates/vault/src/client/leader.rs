//! Who leads, as one server sees it.

use serde::Deserialize;

use super::path::Path;
use super::request::Request;
use super::{Client, Error, Operation};

/// The answer of `sys/leader`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Leader {
    /// Whether the storage allows for standbys at all.
    #[serde(default)]
    pub ha_enabled: bool,
    /// Whether this server leads.
    #[serde(default)]
    pub is_self: bool,
    /// Where the leader is; empty when there is none, as after a quorum is lost.
    #[serde(default)]
    pub leader_address: String,
    /// Where the leader is for its peers.
    #[serde(default)]
    pub leader_cluster_address: String,
    /// Of raft.
    #[serde(default)]
    pub raft_committed_index: Option<u64>,
    /// Of raft.
    #[serde(default)]
    pub raft_applied_index: Option<u64>,
}

impl Client {
    /// Who leads. Needs no token.
    ///
    /// # Errors
    /// [`super::Says::Sealed`] while the server is sealed, also before init.
    pub async fn leader(&self) -> Result<Leader, Error> {
        let operation = Operation::Leader;
        let request = Request::get(Path::of("sys/leader"));
        self.send(operation, Ok(request), |reply| reply.bare()).await
    }
}
