//! Requests to a Vault or OpenBao: few, bounded, and careful with what is secret.
//!
//! `Clients` is the factory: it knows for each server how fast it may be asked (`pace`) and whether it is worth asking
//! (`breaker`), and keeps TLS configurations. Each request uses a connection of its own: a server is asked once in a few
//! seconds, a kept connection would be idle for nearly all of its life, cost memory on both sides, and go half-open in the
//! one moment that matters, the restart of the server. TLS sessions are resumed. Only reads are repeated, once; nothing is
//! ever sent twice that changes something. Redirects aren't followed: a token would go where nobody sent it.
//!
//! Tokens are arguments and are never kept. Bodies of answers are never quoted but for the `errors` of a server's own JSON.

mod address;
mod breaker;
mod dial;
mod error;
mod exchange;
mod tls;

mod auth;
mod sys;
mod token;
mod transit;

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use http::Method;
use jiff::Timestamp;
use parking_lot::Mutex;
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use address::{Address, AddressError};
pub use auth::Login;
pub use dial::Forbidden;
pub use error::{Class, Error, Kind, Said, TlsTrouble};
pub use sys::{Health, InitAnswer, InitRequest, Leader, Member, SealStatus};
pub use token::{Minted, Renewed, TokenLookup, TokenRole};
pub use transit::{Ciphertext, KeyInfo};

use breaker::Breaker;
use exchange::{Exchange, Head};
use tls::Trust;

/// How many requests a server gets in a second, and at once. A pass needs about ten, and there is one in five seconds.
const PACE: Quota = Quota::per_second(NonZeroU32::new(20).expect("invariant: twenty isn't zero"));
/// The pause before a read is repeated; jittered by as much again.
const PAUSE: Duration = Duration::from_millis(100);
/// How long an initialisation may take: on raft it was seen to take nine seconds, and its answer comes only once.
pub const INIT: Duration = Duration::from_secs(120);

/// What holds for all servers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Whether loopback addresses may be used: for tests and the demo. Link-local ones never may.
    pub allow_loopback: bool,
}

/// A server to be asked.
#[derive(Clone)]
pub struct ServerSpec {
    /// Where it is.
    pub address: Address,
    /// Where to connect instead of what the address resolves to: a pod's IP. The name stays what TLS verifies.
    pub connect_to: Option<IpAddr>,
    /// The certificates in PEM that are trusted instead of the machine's.
    pub ca: Option<Arc<[u8]>>,
    /// The name that the certificate must have; the address's host when it is absent.
    pub server_name: Option<String>,
    /// The namespace on the server; empty for the root.
    pub namespace: String,
    /// How long a request may take in all. 10 s are usual.
    pub timeout: Duration,
}

/// Makes clients, and remembers how each server behaves.
#[derive(Clone)]
pub struct Clients {
    inner: Arc<Inner>,
}

struct Inner {
    options: Options,
    trust: Trust,
    servers: Mutex<HashMap<String, Arc<Server>>>,
}

/// What is remembered of a server.
struct Server {
    breaker: Breaker,
    pace: DefaultDirectRateLimiter,
}

impl Clients {
    /// A factory.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let (trust, servers) = (Trust::new(), Mutex::default());
        Self { inner: Arc::new(Inner { options, trust, servers }) }
    }

    /// A client for a server.
    ///
    /// # Errors
    /// `Configuration` only: certificates or a name that make no sense. Nothing is sent.
    pub fn client(&self, spec: &ServerSpec) -> Result<Client, Error> {
        let name = spec.connect_to.map_or_else(|| spec.address.to_string(), |ip| format!("{} ({ip})", spec.address));
        let tls = match spec.address.is_tls() {
            true => Some(
                self.inner.trust.config(spec).map_err(|trouble| Error::new(&name, "connect", Kind::Tls(trouble)))?,
            ),
            false => None,
        };
        let mut servers = self.inner.servers.lock();
        let server = servers
            .entry(name.clone())
            .or_insert_with(|| Arc::new(Server { breaker: Breaker::default(), pace: RateLimiter::direct(PACE) }));
        let server = Arc::clone(server);
        Ok(Client { name: name.into(), spec: spec.clone(), tls, options: self.inner.options, server })
    }

    /// The servers that aren't asked just now, since they didn't answer several times in a row.
    #[must_use]
    pub fn open_breakers(&self) -> Vec<String> {
        let servers = self.inner.servers.lock();
        let open = servers.iter().filter(|(_, server)| server.breaker.is_open());
        let mut names: Vec<String> = open.map(|(name, _)| name.clone()).collect();
        names.sort_unstable();
        names
    }

    /// Forgets servers that nobody has a client for: pods come and go.
    pub fn forget_unused(&self) {
        self.inner.servers.lock().retain(|_, server| 1 < Arc::strong_count(server));
    }
}

/// A client of one server.
#[derive(Clone)]
pub struct Client {
    name: Arc<str>,
    spec: ServerSpec,
    tls: Option<tls::Config>,
    options: Options,
    server: Arc<Server>,
}

/// Whether a request may be repeated.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Repeat {
    /// It changes nothing.
    Read,
    /// It changes something, so it is sent once.
    Once,
}

/// A request.
struct Request<'a> {
    operation: &'static str,
    method: Method,
    path: &'a str,
    token: Option<&'a SecretString>,
    body: Option<Value>,
    repeat: Repeat,
    timeout: Duration,
}

impl Client {
    /// What is asked, as errors and metrics call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn read<'a>(&self, operation: &'static str, path: &'a str) -> Request<'a> {
        let (token, body, timeout) = (None, None, self.spec.timeout);
        Request { operation, method: Method::GET, path, token, body, repeat: Repeat::Read, timeout }
    }

    fn write<'a>(&self, operation: &'static str, path: &'a str, body: Value) -> Request<'a> {
        let (method, body) = (Method::POST, Some(body));
        Request { method, body, repeat: Repeat::Once, ..self.read(operation, path) }
    }

    /// Sends it, and reads the answer as JSON. An answer of 204 is `null`.
    async fn ask<T: DeserializeOwned>(&self, request: Request<'_>) -> Result<T, Error> {
        let operation = request.operation;
        let (status, bytes) = self.send(&request).await?;
        let kind = if (200..300).contains(&status) {
            let bytes: &[u8] = if bytes.is_empty() { b"null" } else { &bytes };
            match serde_json::from_slice(bytes) {
                Ok(answer) => return Ok(answer),
                // Its words could repeat what is secret.
                Err(error) => Kind::Unreadable { line: error.line(), column: error.column() },
            }
        } else {
            Kind::of_answer(status, &bytes, request.token)
        };
        Err(Error::new(&self.name, operation, kind))
    }

    /// Sends it and returns whatever came, once more when a read was cut off.
    async fn send(&self, request: &Request<'_>) -> Result<(u16, Vec<u8>), Error> {
        let first = self.send_once(request).await;
        match &first {
            Err(error) if request.repeat == Repeat::Read && error.is_worth_repeating() => {
                tokio::time::sleep(PAUSE + PAUSE.mul_f64(fastrand::f64())).await;
                self.send_once(request).await
            }
            _ => first,
        }
    }

    async fn send_once(&self, request: &Request<'_>) -> Result<(u16, Vec<u8>), Error> {
        let fail = |kind| Error::new(&self.name, request.operation, kind);
        // Its turn is waited for: to be told that the server is away because we ask too much would be a lie.
        if tokio::time::timeout(request.timeout, self.server.pace.until_ready()).await.is_err() {
            return Err(fail(Kind::Paced));
        }
        let attempt = self
            .server
            .breaker
            .attempt()
            .map_err(|(time, last)| fail(Kind::BreakerOpen { seconds: time.as_secs(), last: Box::new(last) }))?;
        let exchange = Exchange {
            spec: &self.spec,
            tls: self.tls.as_ref(),
            options: self.options,
            head: Head { method: request.method.clone(), path: request.path, token: request.token },
            body: request.body.as_ref(),
        };
        let answer = exchange.run(request.timeout).await;
        attempt.ended(answer.as_ref().err().filter(|kind| kind.is_silence()));
        answer.map_err(fail)
    }
}

/// Vault's envelope of most answers.
#[derive(serde::Deserialize)]
struct Data<T> {
    data: T,
}

/// A moment as Vault writes it, or nothing.
fn moment(text: Option<&str>) -> Option<Timestamp> {
    text.and_then(|text| text.parse().ok())
}

#[cfg(test)]
mod tests;
