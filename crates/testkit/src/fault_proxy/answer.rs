//! Answers that a real API server gives, word for word, so that a client is tried with what it will really read.

use http::{Response, StatusCode, header};
use serde_json::{Value, json};

/// An answer that is given instead of the server's.
#[derive(Debug, Clone)]
pub struct Answer {
    code: u16,
    retry_after: Option<u32>,
    body: Body,
}

#[derive(Debug, Clone)]
enum Body {
    Status(Value),
    Text(&'static str),
}

impl Answer {
    /// 409, as when the object was changed since it was read.
    pub fn conflict() -> Self {
        let message = "Operation cannot be fulfilled on poddisruptionbudgets.policy \"web\": the object has been \
                       modified; please apply your changes to the latest version and try again";
        Self::status(409, "Conflict", message)
    }

    /// 429 as a Status, with the wait in the header and in the details, as from a handler that is overloaded.
    pub fn throttled(seconds: u32) -> Self {
        let mut answer = Self::status(429, "TooManyRequests", "the server is overloaded, please try again later");
        if let Body::Status(status) = &mut answer.body {
            status["details"] = json!({ "retryAfterSeconds": seconds });
        }
        Self { retry_after: Some(seconds), ..answer }
    }

    /// 429 as plain text, as API priority and fairness gives it: the wait is in the header alone.
    pub fn flow_control() -> Self {
        let body = Body::Text("Too many requests, please try again later.\n");
        Self { code: 429, retry_after: Some(1), body }
    }

    /// 500, as when etcd fails the API server.
    pub fn broken() -> Self {
        Self::status(500, "InternalError", "Internal error occurred: etcdserver: leader changed")
    }

    fn status(code: u16, reason: &str, message: &str) -> Self {
        let body = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {},
            "status": "Failure", "message": message, "reason": reason, "code": code,
        });
        Self { code, retry_after: None, body: Body::Status(body) }
    }

    pub(super) fn response(&self) -> Response<String> {
        let (kind, body) = match &self.body {
            Body::Status(status) => ("application/json", status.to_string()),
            Body::Text(text) => ("text/plain; charset=utf-8", (*text).to_owned()),
        };
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::from_u16(self.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response.headers_mut().insert(header::CONTENT_TYPE, http::HeaderValue::from_static(kind));
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}
