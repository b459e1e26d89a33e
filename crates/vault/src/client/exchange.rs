//! One request on one new connection: resolve, connect, TLS, send, read; bounded in size, and telling where it stands.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use secrecy::ExposeSecret;
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroizing;

use super::clients::Server;
use super::dial::Stream;
use super::reach::may_reach;
use super::reply::Reply;
use super::request::Request;
use super::{Kind, Phase, Unsendable, tls};

/// Bytes of an answer.
const LONGEST: usize = 1024 * 1024;
/// Bytes of the answer's head.
const LONGEST_HEAD: usize = 64 * 1024;
/// Addresses of one name that are tried.
const ADDRESSES: usize = 4;
/// The least time given to one of several addresses.
const LEAST: Duration = Duration::from_millis(100);

static TOKEN: HeaderName = HeaderName::from_static("x-vault-token");
static NAMESPACE: HeaderName = HeaderName::from_static("x-vault-namespace");
static REQUEST: HeaderName = HeaderName::from_static("x-vault-request");

/// Where an exchange stands, for whoever gives it up.
pub(super) struct Progress(Mutex<Phase>);

impl Progress {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Phase::Turn))
    }

    pub(super) fn phase(&self) -> Phase {
        *self.0.lock()
    }

    fn enter(&self, phase: Phase) {
        *self.0.lock() = phase;
    }
}

/// Sends the request and reads the whole answer. Whoever calls bounds the time; `until` is when they give up.
pub(super) async fn exchange(
    server: &Server,
    request: &Request,
    until: Instant,
    progress: &Progress,
) -> Result<Reply, Kind> {
    let message = message(server, request)?;
    let stream = connect(server, until, progress).await?;
    match &server.tls {
        None => converse(stream, message, progress).await,
        Some(tls) => {
            progress.enter(Phase::Handshake);
            let connector = tokio_rustls::TlsConnector::from(tls.config.clone());
            let stream = connector.connect(tls.name.clone(), stream).await.map_err(|error| tls::fault(&error))?;
            converse(stream, message, progress).await
        }
    }
}

fn message(server: &Server, request: &Request) -> Result<hyper::Request<Full<Bytes>>, Kind> {
    let body = request.body.as_ref().map(|body| Bytes::from_owner(body.clone())).unwrap_or_default();
    let mut message = hyper::Request::new(Full::new(body));
    *message.method_mut() = request.method.clone();
    let path = format!("{}/v1/{}", server.address.prefix(), request.path.as_str());
    *message.uri_mut() = path.parse().map_err(|_| Kind::Unsendable(Unsendable::Path))?;
    write_headers(message.headers_mut(), server, request)?;
    Ok(message)
}

fn write_headers(headers: &mut HeaderMap, server: &Server, request: &Request) -> Result<(), Kind> {
    headers.insert(header::HOST, server.host.clone());
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static("holdfast"));
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(&REQUEST, HeaderValue::from_static("true"));
    if let Some(namespace) = &server.namespace {
        headers.insert(&NAMESPACE, namespace.clone());
    }
    if request.body.is_some() {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    if let Some(token) = &request.token {
        headers.insert(&TOKEN, token_value(token.expose_secret())?);
    }
    Ok(())
}

/// Vault itself refuses a token with letters that can't be printed, a newline at its end above all.
fn token_value(token: &str) -> Result<HeaderValue, Kind> {
    if token.is_empty() || !token.bytes().all(|letter| letter.is_ascii_graphic()) {
        return Err(Kind::Unsendable(Unsendable::Token));
    }
    let mut value = HeaderValue::from_str(token).map_err(|_| Kind::Unsendable(Unsendable::Token))?;
    value.set_sensitive(true);
    Ok(value)
}

/// A connection to the first address that takes one.
async fn connect(server: &Server, until: Instant, progress: &Progress) -> Result<Box<dyn Stream>, Kind> {
    progress.enter(Phase::Resolve);
    let addresses = addresses(server).await?;
    progress.enter(Phase::Connect);
    let mut last = Kind::Unresolvable;
    for (done, address) in addresses.iter().enumerate() {
        // One that swallows everything leaves time for the rest; the last has all that is left.
        let left = until.saturating_duration_since(Instant::now());
        let rest = u32::try_from(addresses.len() - done).unwrap_or(1);
        let turn = Instant::now() + (left / rest).max(LEAST);
        match timeout_at(turn, server.dial.connect(*address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = unreachable(&error),
            Err(_) => last = Kind::TimedOut(Phase::Connect),
        }
    }
    Err(last)
}

async fn addresses(server: &Server) -> Result<Vec<SocketAddr>, Kind> {
    let (host, port) = (server.address.host(), server.address.port());
    let literal = server.connect_to.or_else(|| host.parse::<IpAddr>().ok());
    let found = match literal {
        Some(ip) => vec![SocketAddr::new(ip, port)],
        None => server.dial.resolve(host, port).await.map_err(|_| Kind::Unresolvable)?,
    };
    let first = found.first().ok_or(Kind::Unresolvable)?.ip();
    let may = found.into_iter().filter(|address| may_reach(address.ip(), server.loopback));
    let may: Vec<SocketAddr> = may.take(ADDRESSES).collect();
    if may.is_empty() { Err(Kind::Forbidden(first)) } else { Ok(may) }
}

fn unreachable(error: &io::Error) -> Kind {
    let kind = error.kind();
    if kind == io::ErrorKind::ConnectionRefused { Kind::Refused } else { Kind::Unreachable(kind) }
}

/// HTTP over a connection. The connection is driven by this very future, so that giving it up closes it.
async fn converse(
    stream: impl Stream + 'static,
    message: hyper::Request<Full<Bytes>>,
    progress: &Progress,
) -> Result<Reply, Kind> {
    progress.enter(Phase::Answer);
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(LONGEST_HEAD)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| broken(&error, Phase::Answer))?;
    // Dropped as soon as it ends, for whoever reads an answer waits for more as long as it lives. How it ended, the answer
    // tells.
    let connection = std::pin::pin!(async move { connection.await.ok() });
    let answer = std::pin::pin!(async move {
        let response = sender.send_request(message).await.map_err(|error| broken(&error, Phase::Answer))?;
        progress.enter(Phase::Body);
        read(response).await
    });
    match futures::future::select(answer, connection).await {
        futures::future::Either::Left((reply, _)) => reply,
        futures::future::Either::Right((_, answer)) => answer.await,
    }
}

async fn read(response: Response<Incoming>) -> Result<Reply, Kind> {
    let (head, mut incoming) = response.into_parts();
    let expected = usize::try_from(content_length(&head.headers)).unwrap_or(usize::MAX);
    if LONGEST < expected {
        return Err(Kind::TooLarge);
    }
    let mut body = Zeroizing::new(Vec::with_capacity(expected));
    while let Some(frame) = incoming.frame().await {
        let frame = frame.map_err(|error| broken(&error, Phase::Body))?;
        let Ok(data) = frame.into_data() else { continue };
        if LONGEST < body.len() + data.len() {
            return Err(Kind::TooLarge);
        }
        body.extend_from_slice(&data);
    }
    Ok(Reply { status: status(head.status), content_type: content_type(&head.headers), body })
}

fn status(code: StatusCode) -> u16 {
    code.as_u16()
}

fn content_length(headers: &HeaderMap) -> u64 {
    headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok()).unwrap_or(0)
}

fn content_type(headers: &HeaderMap) -> String {
    headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

fn broken(error: &hyper::Error, phase: Phase) -> Kind {
    if error.is_parse() { Kind::NotHttp } else { tls::alert(error).map_or(Kind::CutOff(phase), Kind::Tls) }
}
