//! "B": servers that seal themselves with a key of another.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::transit_server::{accepted, text};
use super::{Answer, Endpoint, Product, Server, TransitSeal};
use crate::eventually::eventually;

/// A raft of three needs twenty seconds for a leader after a power failure, more on a busy machine.
const DEADLINE: Duration = Duration::from_secs(240);

/// How many servers there are, and where their data is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One, in memory: quick, and born anew at each start.
    Inmem,
    /// One raft voter.
    Single,
    /// Three in one raft.
    Three,
}

/// What an initialisation returns, never to be had again.
pub struct Initialized {
    /// In base64, three of which two are needed.
    pub recovery_shares: Vec<String>,
    /// The first token.
    pub root_token: String,
}

/// Initialises a server that another one seals, with three recovery shares of which two are needed.
pub async fn initialize(server: &Endpoint) -> Result<Initialized> {
    let shares = json!({"recovery_shares": 3, "recovery_threshold": 2});
    let answer = accepted(server.request("POST", "sys/init", None, &shares).await?, "the initialisation")?;
    let recovery_shares = answer["recovery_keys_base64"].as_array().context("no recovery shares")?;
    let recovery_shares: Vec<String> = recovery_shares.iter().map(text).collect::<Result<_>>()?;
    ensure!(recovery_shares.len() == 3, "{} recovery shares", recovery_shares.len());
    Ok(Initialized { recovery_shares, root_token: text(&answer["root_token"])? })
}

/// One or three servers that are initialised and unsealed.
pub struct SealedServer {
    /// The first is the one that was initialised.
    pub servers: Vec<Server>,
    initialized: Initialized,
}

impl SealedServer {
    /// Starts and initialises them, and waits until all are unsealed. In a raft of three the joiners don't vote for the
    /// first twenty seconds.
    pub async fn start(product: Product, shape: Shape, seal: &TransitSeal) -> Result<Self> {
        let servers = launch(product, shape, seal).await?;
        let initialized = initialize(servers[0].endpoint()).await?;
        let this = Self { servers, initialized };
        this.unsealed().await?;
        Ok(this)
    }

    /// The one that was initialised.
    pub fn first(&self) -> &Server {
        &self.servers[0]
    }

    /// The recovery shares and the root token.
    pub fn initialized(&self) -> &Initialized {
        &self.initialized
    }

    /// A request to the first as root.
    pub async fn request(&self, method: &str, path: &str, body: &Value) -> Result<Answer> {
        self.first().request(method, path, Some(&self.initialized.root_token), body).await
    }

    /// Kills all and starts all, as a power failure does, and waits until they are unsealed.
    pub async fn restart(&self) -> Result<()> {
        self.servers.iter().try_for_each(|server| server.kill().map(drop))?;
        self.servers.iter().try_for_each(Server::launch)?;
        self.unsealed().await
    }

    /// Waits until one is active and the others are its standbys.
    pub async fn unsealed(&self) -> Result<()> {
        let probe = async || {
            let mut seen = Vec::new();
            for server in &self.servers {
                seen.push(server.endpoint().health().await?);
            }
            let active = seen.iter().filter(|health| **health == 200).count();
            ensure!(active == 1 && seen.iter().all(|health| [200, 429].contains(health)), "{seen:?}");
            Ok(())
        };
        eventually("B to be unsealed", DEADLINE, probe).await
    }
}

/// Starts servers that nobody has initialised.
pub async fn launch(product: Product, shape: Shape, seal: &TransitSeal) -> Result<Vec<Server>> {
    let builder = Server::builder(product).seal(seal.clone());
    let (builder, count) = match shape {
        Shape::Inmem => (builder.inmem(), 1),
        Shape::Single => (builder, 1),
        Shape::Three => (builder, 3),
    };
    let mut servers = Vec::new();
    for _ in 0..count {
        servers.push(builder.clone().prepare().await?);
    }
    let urls: Vec<String> = servers.iter().map(Server::url).collect();
    for (index, server) in servers.iter_mut().enumerate() {
        let others = urls.iter().enumerate().filter(|(other, _)| *other != index);
        server.config.join = others.map(|(_, url)| url.clone()).collect();
        server.start().await?;
    }
    Ok(servers)
}
