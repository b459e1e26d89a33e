//! What probes and scrapers ask: `/metrics`, `/livez` and `/readyz`.
//!
//! An address is bound before anything is served, so a port that is taken ends the start and not a task. Readiness is a
//! list of named conditions, each asked when somebody looks, and the answer names them all with their reasons. Nothing
//! here decides anything, and nothing of the cluster's content is shown but reasons.

use std::{io, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
    routing::get,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{metrics, supervise::Liveness};

#[cfg(test)]
mod tests;

/// An address can't be served.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}")]
pub struct BindError {
    address: SocketAddr,
    #[source]
    source: io::Error,
}

type Condition = Box<dyn Fn() -> Result<(), String> + Send + Sync>;

/// Whether the process can do its job, as named conditions.
#[derive(Default)]
pub struct Readiness(Vec<(&'static str, Condition)>);

impl Readiness {
    /// Adds a condition; an error is the reason why it doesn't hold.
    pub fn with(
        mut self,
        name: &'static str,
        condition: impl Fn() -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        self.0.push((name, Box::new(condition)));
        self
    }

    /// One line for each condition, in the form of the API server's own health checks.
    fn report(&self) -> (StatusCode, String) {
        let mut code = StatusCode::OK;
        let mut text = String::new();
        for (name, condition) in &self.0 {
            let line = match condition() {
                Ok(()) => format!("[+]{name} ok\n"),
                Err(reason) => {
                    code = StatusCode::SERVICE_UNAVAILABLE;
                    format!("[-]{name} failed: {reason}\n")
                }
            };
            text.push_str(&line);
        }
        text.push_str(if code.is_success() { "ready\n" } else { "not ready\n" });
        (code, text)
    }
}

/// A server that has its address, and answers once it runs.
pub struct Server {
    listener: TcpListener,
    router: Router,
}

impl Server {
    /// `/metrics` at `address`, with what `encode` returns at each scrape: OpenMetrics text, as of [`metrics::encode`].
    ///
    /// # Errors
    /// When the address can't be listened on.
    pub async fn metrics(
        address: SocketAddr,
        encode: impl Fn() -> String + Clone + Send + Sync + 'static,
    ) -> Result<Self, BindError> {
        let show = move || {
            let text = encode();
            async move { ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response() }
        };
        Self::bind(address, Router::new().route("/metrics", get(show))).await
    }

    /// `/livez` and `/readyz` at `address`.
    ///
    /// # Errors
    /// When the address can't be listened on.
    pub async fn health(address: SocketAddr, liveness: Liveness, readiness: Readiness) -> Result<Self, BindError> {
        let readiness = Arc::new(readiness);
        let live = move || {
            let answer = liveness_answer(&liveness);
            async move { answer }
        };
        let ready = move || {
            let answer = readiness.report();
            async move { answer }
        };
        Self::bind(address, Router::new().route("/livez", get(live)).route("/readyz", get(ready))).await
    }

    async fn bind(address: SocketAddr, router: Router) -> Result<Self, BindError> {
        let listener = TcpListener::bind(address).await.map_err(|source| BindError { address, source })?;
        Ok(Self { listener, router })
    }

    /// Where it listens; of interest when port 0 was asked for.
    #[cfg(test)]
    fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop`, then ends what is being answered.
    ///
    /// # Errors
    /// When the server can't go on.
    pub async fn run(self, stop: CancellationToken) -> io::Result<()> {
        axum::serve(self.listener, self.router).with_graceful_shutdown(stop.cancelled_owned()).await
    }
}

fn liveness_answer(liveness: &Liveness) -> (StatusCode, String) {
    match liveness.ended() {
        None => (StatusCode::OK, "live\n".to_owned()),
        Some(task) => (StatusCode::SERVICE_UNAVAILABLE, format!("task {task} has ended\n")),
    }
}
