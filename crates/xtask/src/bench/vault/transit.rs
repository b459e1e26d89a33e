//! The transit server: a real OpenBao with a key, a policy, a role and a token for each sealed server, behind a wire that counts.
//!
//! The controller asks each thing over a connection of its own, so connections are requests.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use holdfast_e2e::vault::{ACCOUNT, AUDIENCE, trust_accounts};
use holdfast_testkit::ControlPlane;
use holdfast_testkit::vault::{Product, Server, TransitServer};
use serde_json::json;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use super::fleet::PORT;
use super::tally::Tally;

/// The name in its certificate.
pub(super) const NAME: &str = "transit.test";
/// Requests under way while keys and tokens are made.
const AT_ONCE: usize = 16;
/// The period of the tokens: far from a renewal.
const PERIOD: &str = "720h";
/// No connection lasts as long.
const LONGEST: Duration = Duration::from_secs(60);
/// What the controller's login may, for all keys.
const LOGIN: &str = r#"
path "auth/token/create/*" { capabilities = ["update"] }
path "auth/token/roles/*" { capabilities = ["read"] }
path "transit/keys/*" { capabilities = ["read"] }
"#;

/// The server and its wire; they end when this is dropped.
pub(super) struct Transit {
    a: TransitServer,
    /// Where the wire is: `https://127.0.0.1:12345`.
    pub(super) url: String,
    /// All requests, as of server 0.
    pub(super) tally: Tally,
    wire: JoinHandle<()>,
}

impl Transit {
    pub(super) async fn start() -> Result<Self> {
        let a = TransitServer::start_as(Server::builder(Product::OpenBao).inmem().tls(&[NAME])).await?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("https://{}", listener.local_addr()?);
        let tally = Tally::default();
        let wire = tokio::spawn(pass(listener, SocketAddr::from((a.server.ip(), PORT)), tally.clone()));
        Ok(Self { a, url, tally, wire })
    }

    /// Whom to trust (PEM).
    pub(super) fn authority(&self) -> &str {
        self.a.server.authority().unwrap_or_default()
    }

    /// Tokens for these keys, in their order.
    pub(super) async fn grant(&self, keys: &[String]) -> Result<Vec<String>> {
        let grants = keys.iter().map(|key| async move { Ok(self.a.grant(key, PERIOD).await?.token) });
        stream::iter(grants).buffered(AT_ONCE).try_collect().await
    }

    /// Lets the ServiceAccounts of the cluster log in.
    pub(super) async fn trust(&self, plane: &ControlPlane) -> Result<()> {
        trust_accounts(&self.a, plane).await?;
        self.a.write_policy(ACCOUNT, LOGIN).await?;
        let role = json!({
            "role_type": "jwt", "user_claim": "sub", "bound_audiences": [AUDIENCE], "token_policies": [ACCOUNT], "token_ttl": "20m",
        });
        self.a.post(&format!("auth/jwt/role/{ACCOUNT}"), &role).await.map(drop)
    }
}

impl Drop for Transit {
    fn drop(&mut self) {
        self.wire.abort();
    }
}

/// The connections end with the task.
async fn pass(listener: TcpListener, server: SocketAddr, tally: Tally) {
    let mut connections = JoinSet::new();
    while let Ok((mut client, _)) = listener.accept().await {
        tally.count(0);
        connections.spawn(async move {
            // A server that isn't there ends the connection, as it would without us; so does each end by itself.
            if let Ok(mut server) = TcpStream::connect(server).await {
                let _ = tokio::time::timeout(LONGEST, copy_bidirectional(&mut client, &mut server)).await;
            }
        });
        while connections.try_join_next().is_some() {}
    }
}
