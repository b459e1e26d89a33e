//! A client of the API server that sends a few requests at once and has the others wait for their turn.
//!
//! A connection carries one request at a time and is kept a while, so without this two hundred resources that are looked at
//! together make as many connections, which are most of the process's memory. Watches don't go this way: each has its own.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use hyper::{Request, Response};
use kube::client::Body;
use kube::{Client, Error};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tower::Service;

/// Requests at once.
const AT_ONCE: usize = 8;
/// Nobody keeps the others waiting for longer, once it is their turn.
const LONGEST: Duration = Duration::from_secs(10);

/// The same client, in turns with all of its clones.
pub(crate) fn in_turns(client: Client) -> Client {
    let namespace = client.default_namespace().to_owned();
    Client::new(Turns { client, turns: Arc::new(Semaphore::new(AT_ONCE)) }, namespace)
}

#[derive(Clone)]
struct Turns {
    client: Client,
    turns: Arc<Semaphore>,
}

impl Service<Request<Body>> for Turns {
    type Response = Response<Body>;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Response<Body>, Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let Self { client, turns } = self.clone();
        Box::pin(async move {
            let _turn = turns.acquire().await.expect("invariant: nobody closes it");
            match timeout(LONGEST, client.send(request)).await {
                Ok(answer) => answer,
                Err(elapsed) => Err(Error::Service(elapsed.into())),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use futures::future::join_all;
    use tokio::sync::Notify;

    use super::*;

    /// A server that answers when it is let, or never, and how many wait for it.
    fn server(lets: Option<Arc<Notify>>) -> (Client, Arc<AtomicUsize>) {
        let waiting = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&waiting);
        let answer = tower::service_fn(move |_: Request<Body>| {
            let (lets, count) = (lets.clone(), Arc::clone(&count));
            async move {
                count.fetch_add(1, SeqCst);
                match lets {
                    Some(lets) => lets.notified().await,
                    None => std::future::pending().await,
                }
                count.fetch_sub(1, SeqCst);
                Ok::<_, Error>(Response::new(Body::from(b"fine".to_vec())))
            }
        });
        (in_turns(Client::new(answer, "default")), waiting)
    }

    async fn ask(client: &Client) -> Result<String, Error> {
        client.request_text(Request::get("/").body(Vec::new()).expect("a request")).await
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_are_sent_than_have_their_turn_and_all_are_answered() {
        let lets = Arc::new(Notify::new());
        let (client, waiting) = server(Some(Arc::clone(&lets)));
        let most = Arc::new(AtomicUsize::new(0));
        let watched = async {
            for _ in 0..3 * AT_ONCE {
                while waiting.load(SeqCst) == 0 {
                    tokio::task::yield_now().await;
                }
                most.fetch_max(waiting.load(SeqCst), SeqCst);
                lets.notify_one();
                tokio::task::yield_now().await;
            }
        };
        let (answers, ()) = tokio::join!(join_all((0..3 * AT_ONCE).map(|_| ask(&client))), watched);
        assert!(answers.iter().all(|answer| answer.as_deref().is_ok_and(|text| text == "fine")));
        assert_eq!(most.load(SeqCst), AT_ONCE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_says_nothing_keeps_nobody_for_ever() {
        let (client, _) = server(None);
        let answers = join_all((0..2 * AT_ONCE).map(|_| ask(&client))).await;
        assert!(answers.iter().all(Result::is_err));
    }
}
