//! What a server says of itself, and its initialisation.

use http::Method;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Client, Error, INIT, Kind, Repeat, Request};
use crate::view::Product;

/// `GET sys/seal-status`, of both products and all their versions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct SealStatus {
    /// `shamir`, `transit` ... May lie after a migration; see `recovery_seal`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether it was initialised, as far as this server knows: one that hasn't joined yet says no.
    pub initialized: bool,
    /// Whether it is sealed.
    pub sealed: bool,
    /// How many shares are needed.
    pub t: u32,
    /// How many shares there are.
    pub n: u32,
    /// The version.
    pub version: String,
    /// Whether a migration of the seal waits for shares.
    pub migration: bool,
    /// The cluster; only when unsealed.
    pub cluster_id: Option<String>,
    /// Whether it unseals itself.
    pub recovery_seal: bool,
    /// `raft`, `inmem` ...
    pub storage_type: String,
    commit_date: Option<String>,
}

impl SealStatus {
    /// Which program: only OpenBao tells when its source was committed; Vault tells when it was built.
    #[must_use]
    pub fn product(&self) -> Product {
        if self.commit_date.is_some() { Product::OpenBao } else { Product::Vault }
    }
}

/// `GET sys/health`, by its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// 200: it leads.
    Active,
    /// 429, and 473 and 472 of replicas that only Vault Enterprise has.
    Standby,
    /// 474: a standby that can't reach its leader. Vault Community says so too.
    StandbyAlone,
    /// 501.
    Uninitialised,
    /// 503.
    Sealed,
    /// 530: it was removed from its cluster.
    Removed,
    /// 500: OpenBao between a standby's migration and the step-down of its leader; else an inner error.
    Broken,
    /// Another one.
    Other(u16),
}

impl Health {
    fn of(status: u16) -> Self {
        match status {
            200 => Self::Active,
            429 | 472 | 473 => Self::Standby,
            474 => Self::StandbyAlone,
            501 => Self::Uninitialised,
            503 => Self::Sealed,
            530 => Self::Removed,
            500 => Self::Broken,
            other => Self::Other(other),
        }
    }
}

/// `GET sys/leader`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Leader {
    /// Whether there can be several servers.
    pub ha_enabled: bool,
    /// Whether it is this one.
    pub is_self: bool,
    /// Where the leader is; empty when nobody leads.
    pub leader_address: String,
}

/// A server of a raft cluster.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Member {
    /// Its name.
    pub node_id: String,
    /// Whether it leads.
    #[serde(default)]
    pub leader: bool,
    /// Whether it votes; one that has just joined doesn't yet.
    #[serde(default)]
    pub voter: bool,
}

/// What an initialisation asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitRequest {
    /// Into how many shares the recovery key is split; never zero.
    pub shares: u8,
    /// How many of them are needed.
    pub threshold: u8,
    /// The public keys for which the server encrypts the shares, in base64 of the binary form; none for plain shares.
    pub pgp_keys: Vec<String>,
}

/// What an initialisation answers, once.
#[derive(Debug)]
pub struct InitAnswer {
    /// The shares, in hexadecimal, or encrypted and in base64.
    pub recovery_keys: Vec<SecretString>,
    /// The root token.
    pub root_token: SecretString,
}

impl Client {
    /// What the server says of its seal. Needs no token.
    ///
    /// # Errors
    /// When it doesn't answer. OpenBao answers 500 on a standby that was migrated before its leader.
    pub async fn seal_status(&self) -> Result<SealStatus, Error> {
        self.ask(self.read("seal-status", "sys/seal-status")).await
    }

    /// What the server says of its health. Needs no token.
    ///
    /// # Errors
    /// When it doesn't answer.
    pub async fn health(&self) -> Result<Health, Error> {
        let request = self.read("health", "sys/health");
        Ok(Health::of(self.send_once(&request).await?.0))
    }

    /// Who leads. Needs no token; a sealed server answers 503.
    ///
    /// # Errors
    /// When it doesn't answer, or is sealed.
    pub async fn leader(&self) -> Result<Leader, Error> {
        self.ask(self.read("leader", "sys/leader")).await
    }

    /// The servers of a raft cluster.
    ///
    /// # Errors
    /// When it doesn't answer, or the token may not.
    pub async fn members(&self, token: &SecretString) -> Result<Vec<Member>, Error> {
        #[derive(Deserialize)]
        struct Configuration {
            data: Config,
        }
        #[derive(Deserialize)]
        struct Config {
            config: Servers,
        }
        #[derive(Deserialize)]
        struct Servers {
            servers: Vec<Member>,
        }
        let request =
            Request { token: Some(token), ..self.read("raft configuration", "sys/storage/raft/configuration") };
        Ok(self.ask::<Configuration>(request).await?.data.config.servers)
    }

    /// Initialises the server. Sent once, whatever happens: the keys are in this one answer and nowhere else.
    ///
    /// # Errors
    /// `NoShares` before anything is sent. Any other error but an answer of the server leaves open whether it was initialised.
    pub async fn init(&self, request: &InitRequest) -> Result<InitAnswer, Error> {
        #[derive(Deserialize)]
        struct Answer {
            // Absent in an answer without shares, which is none that was asked for.
            #[serde(default)]
            recovery_keys: Vec<SecretString>,
            root_token: SecretString,
        }
        if request.shares == 0 {
            // OpenBao initialises for good without recovery keys.
            return Err(Error::new(self.name(), "init", Kind::NoShares));
        }
        let mut body = json!({ "recovery_shares": request.shares, "recovery_threshold": request.threshold });
        if !request.pgp_keys.is_empty() {
            body["recovery_pgp_keys"] = json!(request.pgp_keys);
        }
        let sent = Request { timeout: INIT, ..self.write("init", "sys/init", body) };
        let answer: Answer = self.ask(sent).await?;
        Ok(InitAnswer { recovery_keys: answer.recovery_keys, root_token: answer.root_token })
    }

    /// Reads any path with a token; `None` when there is nothing there.
    ///
    /// # Errors
    /// When it doesn't answer, or the token may not.
    pub async fn read_path(&self, token: &SecretString, path: &str) -> Result<Option<Value>, Error> {
        let request = Request { token: Some(token), ..self.read("read", path) };
        match self.ask(request).await {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.said().is_some_and(|said| said.status == 404) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes any path with a token, once.
    ///
    /// # Errors
    /// When it doesn't answer, or the token may not.
    pub async fn write_path(&self, token: &SecretString, path: &str, body: Value) -> Result<Value, Error> {
        self.ask(Request { token: Some(token), ..self.write("write", path, body) }).await
    }

    /// Deletes what is at a path with a token.
    ///
    /// # Errors
    /// When it doesn't answer, or the token may not.
    pub async fn delete_path(&self, token: &SecretString, path: &str) -> Result<(), Error> {
        let (method, repeat) = (Method::DELETE, Repeat::Once);
        self.ask(Request { token: Some(token), method, repeat, ..self.read("delete", path) }).await
    }
}
