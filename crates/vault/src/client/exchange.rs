//! One request and its answer on one connection.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::header::{CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderValue, Method, Request, Response};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::TokioIo;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};

use super::error::Kind;
use super::{Options, ServerSpec, dial, tls};

/// No answer that we ask for is longer, in bytes.
const LONGEST: usize = 1 << 20;

pub(super) struct Exchange<'a> {
    pub(super) spec: &'a ServerSpec,
    pub(super) tls: Option<&'a tls::Config>,
    pub(super) options: Options,
    pub(super) head: Head<'a>,
    pub(super) body: Option<&'a Value>,
}

pub(super) struct Head<'a> {
    pub(super) method: Method,
    pub(super) path: &'a str,
    pub(super) token: Option<&'a SecretString>,
}

impl Exchange<'_> {
    /// The status and the body, within the time.
    pub(super) async fn run(&self, time: Duration) -> Result<(u16, Vec<u8>), Kind> {
        let request = self.request()?;
        // Whether a connection stood when the time was over tells a server that hangs from one that isn't there.
        let connected = AtomicBool::new(false);
        let exchange = async {
            let stream = dial::dial(self.spec, self.options).await?;
            connected.store(true, Ordering::Relaxed);
            match self.tls {
                Some(tls) => talk(tls.secure(stream).await?, request).await,
                None => talk(stream, request).await,
            }
        };
        match tokio::time::timeout(time, exchange).await {
            Ok(answer) => answer,
            Err(_) if connected.load(Ordering::Relaxed) => Err(Kind::NeverAnswered),
            Err(_) => Err(Kind::NeverConnected),
        }
    }

    fn request(&self) -> Result<Request<Full<Bytes>>, Kind> {
        let body = self.body.map(Value::to_string).unwrap_or_default();
        let mut request = Request::builder()
            .method(self.head.method.clone())
            .uri(self.spec.address.path(self.head.path))
            .header(HOST, self.spec.address.authority())
            .header(USER_AGENT, concat!("holdfast/", env!("CARGO_PKG_VERSION")))
            // Both products refuse requests without it where a listener asks for it.
            .header("X-Vault-Request", "true");
        if self.body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if !self.spec.namespace.is_empty() {
            request = request.header("X-Vault-Namespace", self.spec.namespace.as_str());
        }
        if let Some(token) = self.head.token {
            let mut value = HeaderValue::from_str(token.expose_secret()).map_err(|_| Kind::TokenUnsendable)?;
            value.set_sensitive(true);
            request = request.header("X-Vault-Token", value);
        }
        request.body(Full::new(Bytes::from(body))).map_err(|_| Kind::Unsendable)
    }
}

async fn talk<S>(stream: S, request: Request<Full<Bytes>>) -> Result<(u16, Vec<u8>), Kind>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|_| Kind::CutOff)?;
    // The connection is driven beside the request, and both are dropped together: nothing outlives the time.
    let answer = async move {
        let answer = sender.send_request(request).await.map_err(|error| of_hyper(&error))?;
        read(answer).await
    };
    tokio::pin!(answer, connection);
    tokio::select! {
        biased;
        answer = &mut answer => answer,
        ended = &mut connection => {
            // The answer may be whole though the server closed.
            match ended {
                Ok(()) => answer.await,
                Err(error) => Err(of_hyper(&error)),
            }
        }
    }
}

fn of_hyper(error: &hyper::Error) -> Kind {
    if error.is_parse() { Kind::NotHttp } else { Kind::CutOff }
}

async fn read(answer: Response<Incoming>) -> Result<(u16, Vec<u8>), Kind> {
    let status = answer.status();
    if status.is_redirection() {
        return Err(Kind::Redirected { status: status.as_u16() });
    }
    let is_json =
        answer.headers().get(CONTENT_TYPE).is_none_or(|kind| kind.as_bytes().starts_with(b"application/json"));
    let body = Limited::new(answer.into_body(), LONGEST).collect().await;
    let bytes =
        body.map_err(|error| if error.is::<LengthLimitError>() { Kind::TooLong } else { Kind::CutOff })?.to_bytes();
    if !is_json && !bytes.is_empty() {
        return Err(Kind::NotVault { status: status.as_u16() });
    }
    Ok((status.as_u16(), bytes.to_vec()))
}
