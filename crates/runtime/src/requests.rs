//! Counts requests to the API server, as a layer around the client.
//!
//! The code of an answer is a label only if it is one of those that the API server uses; everything else is `other`, and
//! no answer at all is `<error>`, as in client-go.

use std::task::{Context, Poll};

use axum::http::{Method, Request, Response};
use futures::future::BoxFuture;
use tower::{Layer, Service};

use prometheus_client::registry::Registry;

use crate::metrics::{Counters, Row, Type, inc};

/// What is counted, for the table of whoever counts.
pub const METRIC: Row = Row::new(
    Type::Counter,
    "rest_client_requests_total",
    &["code", "method"],
    "Requests to the API server by its answer",
);

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];
const CODES: [(u16, &str); 15] = [
    (200, "200"),
    (201, "201"),
    (400, "400"),
    (401, "401"),
    (403, "403"),
    (404, "404"),
    (409, "409"),
    (410, "410"),
    (413, "413"),
    (415, "415"),
    (422, "422"),
    (429, "429"),
    (500, "500"),
    (503, "503"),
    (504, "504"),
];
const OTHER: &str = "other";
const NONE: &str = "<error>";

/// The requests of one process, counted by answer and method.
#[derive(Clone)]
pub struct Requests(Counters<2>);

impl Requests {
    /// Registers [`METRIC`] with every series at 0.
    pub fn register(registry: &mut Registry) -> Self {
        Self(METRIC.counters(registry, series()))
    }

    /// Counts what passes through a client.
    pub(crate) fn layer(&self) -> CountRequests {
        CountRequests { inner: (), counters: self.0.clone() }
    }
}

fn series() -> impl Iterator<Item = [&'static str; 2]> {
    let codes = || CODES.into_iter().map(|(_, name)| name).chain([OTHER, NONE]);
    METHODS.into_iter().flat_map(move |method| codes().map(move |code| [code, method]))
}

/// A layer (and the service it makes) that counts what passes.
#[derive(Clone)]
pub(crate) struct CountRequests<S = ()> {
    inner: S,
    counters: Counters<2>,
}

impl<S> Layer<S> for CountRequests {
    type Service = CountRequests<S>;

    fn layer(&self, inner: S) -> CountRequests<S> {
        CountRequests { inner, counters: self.counters.clone() }
    }
}

impl<S, A, B> Service<Request<A>> for CountRequests<S>
where
    S: Service<Request<A>, Response = Response<B>>,
    S::Future: Send + 'static,
{
    type Response = Response<B>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Response<B>, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let method = name_of_method(request.method());
        let answer = self.inner.call(request);
        let counters = self.counters.clone();
        Box::pin(async move {
            let answer = answer.await;
            let code = answer.as_ref().map_or(NONE, |response| name_of_code(response.status().as_u16()));
            inc(&counters, &METRIC.labels([code, method]));
            answer
        })
    }
}

/// A method that isn't one of ours has no series, and isn't counted.
fn name_of_method(method: &Method) -> &'static str {
    METHODS.into_iter().find(|name| *name == method.as_str()).unwrap_or_default()
}

fn name_of_code(code: u16) -> &'static str {
    CODES.into_iter().find(|(number, _)| *number == code).map_or(OTHER, |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use tower::ServiceExt as _;

    use super::*;
    use crate::metrics::encode;

    #[tokio::test]
    async fn requests_are_counted_by_their_answer() {
        let mut registry = Registry::default();
        let requests = Requests::register(&mut registry);
        let server = tower::service_fn(|request: Request<u16>| async move {
            match *request.body() {
                0 => Err("refused"),
                code => Ok(Response::builder().status(code).body(()).unwrap()),
            }
        });
        for (method, code) in [("GET", 200), ("PATCH", 409), ("PATCH", 418), ("DELETE", 0), ("OPTIONS", 200)] {
            let client = requests.layer().layer(server);
            let _ = client.oneshot(Request::builder().method(method).body(code).unwrap()).await;
        }
        let text = encode(&registry);
        for line in [
            r#"rest_client_requests_total{code="200",method="GET"} 1"#,
            r#"rest_client_requests_total{code="409",method="PATCH"} 1"#,
            r#"rest_client_requests_total{code="other",method="PATCH"} 1"#,
            r#"rest_client_requests_total{code="<error>",method="DELETE"} 1"#,
            r#"rest_client_requests_total{code="429",method="POST"} 0"#,
        ] {
            assert!(text.lines().any(|shown| shown == line), "{line} is in\n{text}");
        }
        assert!(!text.contains("OPTIONS"));
    }
}
