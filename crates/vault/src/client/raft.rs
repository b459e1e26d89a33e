//! The members of a raft.

use secrecy::SecretString;
use serde::Deserialize;

use super::path::Path;
use super::reply::Reply;
use super::request::Request;
use super::{Client, Error, Operation};

/// The members, as the leader has them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct RaftConfiguration {
    /// One by one.
    pub servers: Vec<RaftServer>,
}

/// One member.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct RaftServer {
    /// As configured.
    pub node_id: String,
    /// Where its peers reach it.
    #[serde(default)]
    pub address: String,
    /// Whether it leads.
    #[serde(default)]
    pub leader: bool,
    /// Whether it counts for a quorum: a member that joined doesn't for about twenty seconds.
    #[serde(default)]
    pub voter: bool,
}

impl Client {
    /// The members of the raft.
    ///
    /// # Errors
    /// Any of [`super::Kind`]; [`super::Says::Denied`] unless a policy allows for it.
    pub async fn raft_configuration(&self, token: &SecretString) -> Result<RaftConfiguration, Error> {
        #[derive(Deserialize)]
        struct Raw {
            config: RaftConfiguration,
        }
        let operation = Operation::RaftConfiguration;
        let request = Request::get(Path::of("sys/storage/raft/configuration")).with_token(token);
        self.send(operation, Ok(request), |reply: &Reply| reply.data().map(|raw: Raw| raw.config)).await
    }
}
