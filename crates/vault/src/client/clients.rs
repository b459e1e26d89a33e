//! The factory of clients, and how one sends a request: its turn, its time, its retries, its breaker.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use hyper::header::HeaderValue;
use parking_lot::Mutex;
use rustls::ClientConfig;
use tokio::time::{Instant, timeout_at};

use super::breaker::Breaker;
use super::dial::{Dial, Network};
use super::exchange::{Progress, exchange};
use super::pace::Pace;
use super::reach::Loopback;
use super::reply::Reply;
use super::request::{Repeat, Request};
use super::shelf::Shelf;
use super::tls::{self, Tls};
use super::{Address, Error, Kind, Operation, Phase, ServerSpec, Unsendable};

/// Tries after the first of a request that changes nothing.
const RETRIES: usize = 2;
/// Before the first of them; jitter adds up to as much again, and the next waits longer.
const RETRY_AFTER: Duration = Duration::from_millis(50);

/// What holds for all servers.
#[derive(Clone)]
pub struct Options {
    allow_loopback: bool,
    dial: Arc<dyn Dial>,
}

impl Options {
    /// The real network, loopback refused.
    pub fn new() -> Self {
        Self { allow_loopback: false, dial: Arc::new(Network) }
    }

    /// Whether loopback addresses may be connected to (for tests and the demo; link-local ones never are).
    pub fn with_allow_loopback(mut self, allow: bool) -> Self {
        self.allow_loopback = allow;
        self
    }

    /// Another way to resolve and connect.
    pub fn with_dial(mut self, dial: Arc<dyn Dial>) -> Self {
        self.dial = dial;
        self
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("allow_loopback", &self.allow_loopback).finish_non_exhaustive()
    }
}

/// Makes clients, and keeps what clients of the same server share. Cheap to clone.
#[derive(Clone)]
pub struct Clients(Arc<Inner>);

struct Inner {
    options: Options,
    breakers: Mutex<Shelf<Target, Breaker>>,
    paces: Mutex<Shelf<(Target, String), Pace>>,
    trusts: Mutex<Shelf<Option<Vec<u8>>, ClientConfig>>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Target {
    address: Address,
    connect_to: Option<IpAddr>,
}

/// Speaks to one server. Cheap to clone; holds no token and no connection.
#[derive(Clone)]
pub struct Client(Arc<Server>);

/// A server as it is spoken to.
pub(super) struct Server {
    pub(super) label: String,
    pub(super) address: Address,
    pub(super) connect_to: Option<IpAddr>,
    pub(super) host: HeaderValue,
    pub(super) namespace: Option<HeaderValue>,
    pub(super) tls: Option<Tls>,
    pub(super) loopback: Loopback,
    pub(super) dial: Arc<dyn Dial>,
    breaker: Arc<Breaker>,
    pace: Arc<Pace>,
    timeout: Duration,
}

impl Clients {
    /// A factory without clients.
    pub fn new(options: Options) -> Self {
        let (breakers, paces) = (Mutex::new(Shelf::new()), Mutex::new(Shelf::new()));
        Self(Arc::new(Inner { options, breakers, paces, trusts: Mutex::new(Shelf::new()) }))
    }

    /// A client of this server. Nothing is sent.
    ///
    /// # Errors
    /// Only of [`super::Class::Configuration`]: a CA that isn't PEM, a name that is none.
    pub fn client(&self, server: &ServerSpec) -> Result<Client, Error> {
        self.server(server)
            .map(|server| Client(Arc::new(server)))
            .map_err(|kind| Error::new(server.label(), Operation::Configure, kind))
    }

    /// The servers that are left alone for now, as errors name them, sorted.
    pub fn open_breakers(&self) -> Vec<String> {
        let breakers = self.0.breakers.lock();
        let open = breakers.iter().filter(|(_, breaker)| breaker.is_open());
        let mut open: Vec<String> = open.map(|(target, _)| target.label()).collect();
        open.sort_unstable();
        open
    }

    /// Forgets servers and authorities that no client is for: pods come and go. Whoever makes clients for long calls this
    /// now and then, and keeps the clients whose breakers shall be remembered.
    pub fn forget_unused(&self) {
        self.0.breakers.lock().forget_unused();
        self.0.paces.lock().forget_unused();
        self.0.trusts.lock().forget_unused();
    }

    fn server(&self, spec: &ServerSpec) -> Result<Server, Kind> {
        let target = Target { address: spec.address.clone(), connect_to: spec.connect_to };
        let wrong = |_| Kind::Unsendable(Unsendable::Namespace);
        let namespace = (!spec.namespace.is_empty()).then(|| HeaderValue::from_str(&spec.namespace)).transpose();
        Ok(Server {
            label: spec.label(),
            address: spec.address.clone(),
            connect_to: spec.connect_to,
            host: HeaderValue::from_str(&spec.address.authority()).expect("invariant: a parsed host is printable"),
            namespace: namespace.map_err(wrong)?,
            tls: if spec.address.is_https() { Some(self.tls(spec)?) } else { None },
            loopback: if self.0.options.allow_loopback { Loopback::Allowed } else { Loopback::Refused },
            dial: self.0.options.dial.clone(),
            breaker: self.0.breakers.lock().get(&target, || Ok::<_, Kind>(Breaker::new()))?,
            pace: self.0.paces.lock().get(&(target, spec.asker.clone()), || Ok::<_, Kind>(Pace::new()))?,
            timeout: spec.timeout,
        })
    }

    fn tls(&self, spec: &ServerSpec) -> Result<Tls, Kind> {
        let name = tls::name(spec.server_name.as_deref().unwrap_or(spec.address.host()))?;
        let config = self.0.trusts.lock().get(&spec.ca, || tls::config(spec.ca.as_deref()))?;
        Ok(Tls { config, name })
    }
}

impl Target {
    fn label(&self) -> String {
        let spec = ServerSpec::new(self.address.clone());
        self.connect_to.map_or_else(|| spec.label(), |ip| spec.clone().with_connect_to(ip).label())
    }
}

impl Client {
    /// The server as errors name it.
    pub fn server(&self) -> &str {
        &self.0.label
    }

    /// Sends a request that could be made, and reads its answer with `read`.
    pub(super) async fn send<T>(
        &self,
        operation: Operation,
        request: Result<Request, Kind>,
        read: impl FnOnce(&Reply) -> Result<T, Kind>,
    ) -> Result<T, Error> {
        let outcome = match request {
            Ok(request) => self.perform(&request).await,
            Err(kind) => Err(kind),
        };
        outcome.and_then(|reply| read(&reply)).map_err(|kind| Error::new(self.server(), operation, kind))
    }

    async fn perform(&self, request: &Request) -> Result<Reply, Kind> {
        let until = Instant::now() + request.timeout.unwrap_or(self.0.timeout);
        let breaker = &self.0.breaker;
        breaker.admit(Instant::now())?;
        let progress = Progress::new();
        let outcome = match timeout_at(until, self.tries(request, until, &progress)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(overdue(progress.phase())),
        };
        match &outcome {
            Err(kind) if kind.is_of_connection() => breaker.failed(kind, Instant::now()),
            // Nothing was asked of the server, so nothing is known about it.
            Err(Kind::PacedOut | Kind::Unsendable(_) | Kind::Forbidden(_)) => {}
            Ok(_) | Err(_) => breaker.answered(),
        }
        outcome
    }

    async fn tries(&self, request: &Request, until: Instant, progress: &Progress) -> Result<Reply, Kind> {
        let one = || async {
            self.0.pace.turn().await;
            exchange(&self.0, request, until, progress).await?.judged(request)
        };
        match request.repeat {
            Repeat::Never => one().await,
            Repeat::Safe => {
                let waits =
                    ExponentialBuilder::default().with_min_delay(RETRY_AFTER).with_max_times(RETRIES).with_jitter();
                one.retry(waits).when(Kind::is_worth_another_try).await
            }
        }
    }
}

fn overdue(phase: Phase) -> Kind {
    match phase {
        Phase::Turn => Kind::PacedOut,
        Phase::Resolve | Phase::Connect | Phase::Handshake | Phase::Answer | Phase::Body => Kind::TimedOut(phase),
    }
}

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Clients").field(&self.0.options).finish()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&self.0.label).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A transit server seals many, and what is done for one of them must not look like silence of the server to the others.
    #[test]
    fn each_asker_has_a_pace_of_its_own_and_all_share_the_breaker() {
        let clients = Clients::new(Options::new());
        let asks = |asker: &str| {
            let address = Address::parse("http://transit.test:8200", true).unwrap();
            clients.server(&ServerSpec::new(address).with_asker(asker)).unwrap()
        };
        let (one, again, other) = (asks("one"), asks("one"), asks("other"));
        assert!(Arc::ptr_eq(&one.pace, &again.pace));
        assert!(!Arc::ptr_eq(&one.pace, &other.pace));
        assert!(Arc::ptr_eq(&one.breaker, &other.breaker));
    }
}
