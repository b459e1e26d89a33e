//! The connections to the API server, which are left behind as soon as one of them may be dead.
//!
//! A connection can go half-open: a load balancer fails over, a machine loses its power, and nobody says so. A request on
//! it is given up after a while, but the client keeps every other idle connection of those days, and hands them out one
//! after the other, each for another while. So what is given up makes all requests to come use new connections. What is
//! under way on the old ones goes on, watches too: they have their own way of noticing. Nothing is retried here.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::task::{Context, Poll};

use axum::http::{Request, Response};
use futures::future::BoxFuture;
use kube::client::{Body, ClientBuilder};
use kube::{Client, Config, Error};
use parking_lot::Mutex;
use tower::Service;

use crate::lease::{self, Leadership};
use crate::requests::Requests;
use crate::stack;

/// A client whose requests are counted and whose connections are made anew when one of them seems dead.
///
/// # Errors
/// When `config` makes no sense, such as a certificate that can't be read.
pub fn client(config: Config, requests: &Requests, doubts: &Doubts) -> Result<Client, Error> {
    let namespace = config.default_namespace.clone();
    Ok(counted(Connections::new(move || stack::client(&config, stack::tcp()), doubts)?, namespace, requests))
}

/// The same for writes, over connections on which only the leader sends anything.
///
/// # Errors
/// As [`client`].
pub fn of_leader(
    config: Config,
    requests: &Requests,
    doubts: &Doubts,
    leadership: Leadership,
) -> Result<Client, Error> {
    let namespace = config.default_namespace.clone();
    Ok(counted(Connections::new(move || lease::connect(&config, &leadership), doubts)?, namespace, requests))
}

fn counted(connections: Connections, namespace: String, requests: &Requests) -> Client {
    ClientBuilder::new(connections, namespace).with_layer(&requests.layer()).build()
}

/// How often something was given up on the connections of the time; what one client learns the others know too.
#[derive(Clone, Default)]
pub struct Doubts(Arc<AtomicU64>);

impl Doubts {
    fn count(&self) -> u64 {
        self.0.load(SeqCst)
    }

    /// Something was given up on connections that were made after so many doubts; older ones are left anyway.
    fn add(&self, number: u64) {
        let _ = self.0.compare_exchange(number, number + 1, SeqCst, SeqCst);
    }
}

/// A service that sends requests over the newest connections.
#[derive(Clone)]
struct Connections(Arc<Inner>);

struct Inner {
    make: Box<dyn Fn() -> Result<Client, Error> + Send + Sync>,
    newest: Mutex<Newest>,
    doubts: Doubts,
}

struct Newest {
    client: Client,
    /// After how many doubts it was made.
    number: u64,
}

impl Connections {
    fn new(make: impl Fn() -> Result<Client, Error> + Send + Sync + 'static, doubts: &Doubts) -> Result<Self, Error> {
        let newest = Mutex::new(Newest { number: doubts.count(), client: make()? });
        Ok(Self(Arc::new(Inner { make: Box::new(make), newest, doubts: doubts.clone() })))
    }

    fn newest(&self) -> (Client, u64) {
        let mut newest = self.0.newest.lock();
        let number = self.0.doubts.count();
        if newest.number < number {
            match (self.0.make)() {
                Ok(client) => {
                    tracing::debug!(number, "new connections to the API server");
                    *newest = Newest { client, number };
                }
                // Such as a certificate that is just being replaced: the old ones may still do.
                Err(error) => tracing::warn!(%error, "no new connections to the API server"),
            }
        }
        (newest.client.clone(), newest.number)
    }

    fn doubt(&self, number: u64) {
        self.0.doubts.add(number);
    }
}

impl Service<Request<Body>> for Connections {
    type Response = Response<Body>;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Response<Body>, Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let connections = self.clone();
        Box::pin(async move {
            let (client, number) = connections.newest();
            let mut awaited = Awaited { connections, number, ended: false };
            let answer = client.send(request).await;
            awaited.ended = true;
            answer
        })
    }
}

/// An answer that somebody waits for, until they give up.
struct Awaited {
    connections: Connections,
    number: u64,
    ended: bool,
}

impl Drop for Awaited {
    fn drop(&mut self) {
        if !self.ended {
            self.connections.doubt(self.number);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    /// Clients of which the first doesn't answer `/dead`; each answers everything else with its number.
    fn connections() -> Connections {
        connections_with(&Doubts::default())
    }

    fn connections_with(doubts: &Doubts) -> Connections {
        let made = Arc::new(AtomicU64::new(0));
        let make = move || {
            let number = made.fetch_add(1, Ordering::SeqCst);
            let answer = tower::service_fn(move |request: Request<Body>| async move {
                if number == 0 && request.uri().path() == "/dead" {
                    std::future::pending::<()>().await;
                }
                Ok::<_, Error>(Response::new(Body::from(number.to_string().into_bytes())))
            });
            Ok(Client::new(answer, "default"))
        };
        Connections::new(make, doubts).expect("a pool")
    }

    async fn ask(connections: &Connections, path: &str) -> Option<String> {
        let client = Client::new(connections.clone(), "default");
        let request = Request::get(path).body(Vec::new()).expect("a request");
        let answer = timeout(Duration::from_secs(5), client.request_text(request)).await.ok()?;
        Some(answer.expect("an answer"))
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_given_up_makes_the_others_use_new_connections() {
        let connections = connections();
        assert_eq!(ask(&connections, "/alive").await.as_deref(), Some("0"));
        assert_eq!(ask(&connections, "/alive").await.as_deref(), Some("0"));
        assert_eq!(ask(&connections, "/dead").await, None);
        assert_eq!(ask(&connections, "/dead").await.as_deref(), Some("1"));
    }

    #[tokio::test(start_paused = true)]
    async fn many_that_are_given_up_together_cost_one_new_client() {
        let connections = connections();
        let (first, second) = tokio::join!(ask(&connections, "/dead"), ask(&connections, "/dead"));
        assert_eq!((first, second), (None, None));
        assert_eq!(ask(&connections, "/alive").await.as_deref(), Some("1"));
        assert_eq!(ask(&connections, "/alive").await.as_deref(), Some("1"));
    }

    #[tokio::test(start_paused = true)]
    async fn an_old_doubt_says_nothing_about_new_connections() {
        let connections = connections();
        connections.doubt(0);
        assert_eq!(ask(&connections, "/alive").await.as_deref(), Some("1"));
        connections.doubt(0);
        assert_eq!(ask(&connections, "/alive").await.as_deref(), Some("1"));
    }

    /// Else the first writes of a new leader would be lost on connections of long ago.
    #[tokio::test(start_paused = true)]
    async fn what_one_client_gives_up_makes_others_use_new_connections_too() {
        let doubts = Doubts::default();
        let (reads, writes) = (connections_with(&doubts), connections_with(&doubts));
        assert_eq!(ask(&writes, "/alive").await.as_deref(), Some("0"));
        assert_eq!(ask(&reads, "/dead").await, None);
        assert_eq!(ask(&writes, "/alive").await.as_deref(), Some("1"));
        assert_eq!(ask(&reads, "/alive").await.as_deref(), Some("1"));
    }
}
