//! One request to a server, and its answer as it is: nothing is retried, followed or interpreted.
//!
//! Each request has a connection of its own, so that nothing is learnt from an older one.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use http::{Method, Request, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::address::API_PORT;
use crate::eventually::eventually;

/// An initialisation on a busy machine takes ten seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// The status, and the body: `Null` when empty, a string when it isn't JSON.
pub type Answer = (u16, Value);

/// Where a server answers, and how it is spoken to.
#[derive(Clone)]
pub struct Endpoint {
    address: SocketAddr,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    namespace: Option<String>,
    patience: Duration,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.url())
    }
}

impl Endpoint {
    /// Plain HTTP, on port 8200.
    pub fn new(ip: Ipv4Addr) -> Self {
        Self { address: SocketAddr::from((ip, API_PORT)), tls: None, namespace: None, patience: PATIENCE }
    }

    /// TLS, with the authority that signed the certificate (PEM) and the name it must be good for.
    pub fn tls(self, authority: &str, name: &str) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(authority.as_bytes())?)?;
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from(name.to_owned())?;
        Ok(Self { tls: Some((TlsConnector::from(Arc::new(config)), name)), ..self })
    }

    /// With the header `X-Vault-Namespace`.
    pub fn namespace(self, namespace: impl Into<String>) -> Self {
        Self { namespace: Some(namespace.into()), ..self }
    }

    /// How long an answer may take, a minute unless said.
    pub fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// `http://127.77.0.1:8200`.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Sends a request for `/v1/{path}`; a body of `Null` is none. Fails when there is no answer.
    pub async fn request(&self, method: &str, path: &str, token: Option<&str>, body: &Value) -> Result<Answer> {
        let what = || format!("{method} {}/v1/{path}", self.url());
        let request = self.prepare(method, path, token, body).with_context(what)?;
        let answer = tokio::time::timeout(self.patience, self.exchange(request)).await;
        answer.with_context(|| format!("no answer within {:?}", self.patience)).flatten().with_context(what)
    }

    /// The status of `sys/health`.
    pub async fn health(&self) -> Result<u16> {
        Ok(self.request("GET", "sys/health", None, &Value::Null).await?.0)
    }

    /// Waits until `sys/health` answers one of these.
    pub async fn await_health(&self, wanted: &[u16], deadline: Duration) -> Result<u16> {
        let probe = async || {
            let health = self.health().await?;
            ensure!(wanted.contains(&health), "it is {health}");
            Ok(health)
        };
        eventually(&format!("{wanted:?} as the health of {}", self.url()), deadline, probe).await
    }

    fn prepare(&self, method: &str, path: &str, token: Option<&str>, body: &Value) -> Result<Request<Full<Bytes>>> {
        let mut request = Request::builder()
            .method(Method::from_bytes(method.as_bytes())?)
            .uri(format!("/v1/{path}"))
            .header(header::HOST, self.address.to_string())
            .header(header::CONNECTION, "close")
            // OpenBao can be told to refuse requests without it.
            .header("X-Vault-Request", "true");
        if let Some(token) = token {
            request = request.header("X-Vault-Token", token);
        }
        if let Some(namespace) = &self.namespace {
            request = request.header("X-Vault-Namespace", namespace);
        }
        let body = if body.is_null() { String::new() } else { body.to_string() };
        Ok(request.body(Full::from(body))?)
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Answer> {
        let stream = TcpStream::connect(self.address).await?;
        match &self.tls {
            None => exchange_on(stream, request).await,
            Some((connector, name)) => exchange_on(connector.connect(name.clone(), stream).await?, request).await,
        }
    }
}

async fn exchange_on(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> Result<Answer> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let exchange = async move {
        let answer = sender.send_request(request).await?;
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await?.to_bytes();
        Ok((status, parse(&body)))
    };
    // Driven here and not by a task, so that nothing goes on after a time-out.
    let mut connection = std::pin::pin!(connection);
    let mut exchange = std::pin::pin!(exchange);
    tokio::select! {
        answer = &mut exchange => answer,
        ended = &mut connection => {
            ended?;
            exchange.await
        }
    }
}

fn parse(body: &[u8]) -> Value {
    if body.is_empty() {
        return Value::Null;
    }
    serde_json::from_slice(body).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(body).into_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_body_is_taken_as_it_is() {
        assert_eq!(parse(b""), Value::Null);
        assert_eq!(parse(br#"{"sealed":true}"#), json!({"sealed": true}));
        assert_eq!(parse(b"<html>"), json!("<html>"));
    }
}
