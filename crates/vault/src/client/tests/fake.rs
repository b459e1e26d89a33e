//! A server in memory, so that time can stand still: it reads one request a connection and reacts as told.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use parking_lot::Mutex;
use rustls::ServerConfig;
use secrecy::SecretString;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

use crate::client::{Address, Client, Clients, Dial, Options, ServerSpec, Stream};

pub(super) const JSON: &str = "application/json";

/// What the server does with one connection.
#[derive(Clone)]
pub(super) enum Reaction {
    /// Answers with code, content type and body.
    Answer(u16, &'static str, String),
    /// Writes these bytes, then closes.
    Bytes(Vec<u8>),
    /// Writes these bytes, then says nothing more.
    BytesThenSilence(Vec<u8>),
    /// Writes this byte again each second.
    Drip(Vec<u8>, u8),
    /// Accepts, and reads nothing.
    Deaf,
    /// Answers at once, in plain text, as a server without TLS does.
    PlainText,
    /// Reads, and answers nothing.
    Silent,
    /// Doesn't let anybody connect.
    Fails(io::ErrorKind),
    /// Doesn't answer to a connection.
    Swallows,
}

/// What the server was asked.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Seen {
    pub(super) line: String,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
}

/// The server, and the resolver that leads to it.
#[derive(Clone)]
pub(super) struct Fake(Arc<State>);

struct State {
    names: Mutex<Vec<IpAddr>>,
    reactions: Mutex<Vec<Reaction>>,
    tls: Option<TlsAcceptor>,
    connects: Mutex<Vec<SocketAddr>>,
    seen: Mutex<Vec<Seen>>,
    resumed: Mutex<usize>,
}

impl Fake {
    /// Reacts with one after the other, and with the last from then on.
    pub(super) fn new(reactions: Vec<Reaction>) -> Self {
        Self::with(reactions, None)
    }

    pub(super) fn over_tls(reactions: Vec<Reaction>, tls: ServerConfig) -> Self {
        Self::with(reactions, Some(TlsAcceptor::from(Arc::new(tls))))
    }

    fn with(reactions: Vec<Reaction>, tls: Option<TlsAcceptor>) -> Self {
        let names = Mutex::new(vec!["10.0.0.5".parse().unwrap()]);
        let (connects, seen) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
        Self(Arc::new(State { names, reactions: Mutex::new(reactions), tls, connects, seen, resumed: Mutex::new(0) }))
    }

    /// What each name resolves to; nothing makes the resolver fail.
    pub(super) fn resolve_to(&self, addresses: &[&str]) {
        *self.0.names.lock() = addresses.iter().map(|address| address.parse().unwrap()).collect();
    }

    pub(super) fn react(&self, reactions: Vec<Reaction>) {
        *self.0.reactions.lock() = reactions;
    }

    pub(super) fn connects(&self) -> Vec<SocketAddr> {
        self.0.connects.lock().clone()
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.0.seen.lock().clone()
    }

    /// Handshakes that took an earlier one's word.
    pub(super) fn resumed(&self) -> usize {
        *self.0.resumed.lock()
    }

    pub(super) fn clients(&self) -> Clients {
        Clients::new(Options::new().with_dial(Arc::new(self.clone())))
    }

    /// A client of `http://vault.test:8200`.
    pub(super) fn client(&self) -> Client {
        self.clients().client(&spec("http://vault.test:8200")).unwrap()
    }

    fn reaction(&self) -> Reaction {
        let mut reactions = self.0.reactions.lock();
        if 1 < reactions.len() { reactions.remove(0) } else { reactions.first().expect("a reaction").clone() }
    }

    async fn serve(self, stream: tokio::io::DuplexStream, reaction: Reaction) {
        let mut stream = stream;
        match reaction {
            Reaction::Deaf => return std::future::pending().await,
            Reaction::PlainText => return drop(stream.write_all(&http(400, "text/plain", "bad request")).await),
            Reaction::Answer(..)
            | Reaction::Bytes(_)
            | Reaction::BytesThenSilence(_)
            | Reaction::Drip(..)
            | Reaction::Silent
            | Reaction::Fails(_)
            | Reaction::Swallows => {}
        }
        match &self.0.tls {
            None => self.converse(stream, reaction).await,
            Some(acceptor) => {
                if let Ok(stream) = acceptor.accept(stream).await {
                    let resumed = stream.get_ref().1.handshake_kind() == Some(rustls::HandshakeKind::Resumed);
                    *self.0.resumed.lock() += usize::from(resumed);
                    self.converse(stream, reaction).await;
                }
            }
        }
    }

    async fn converse(&self, mut stream: impl Stream, reaction: Reaction) {
        let Some(seen) = read(&mut stream).await else { return };
        self.0.seen.lock().push(seen);
        // The client may have hung up: that is its business.
        match reaction {
            Reaction::Answer(status, content_type, body) => {
                drop(stream.write_all(&http(status, content_type, &body)).await)
            }
            Reaction::Bytes(bytes) => drop(stream.write_all(&bytes).await),
            Reaction::BytesThenSilence(bytes) => {
                drop(stream.write_all(&bytes).await);
                std::future::pending().await
            }
            Reaction::Drip(head, byte) => {
                drop(stream.write_all(&head).await);
                while stream.write_all(&[byte]).await.is_ok() {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
            Reaction::Silent | Reaction::Deaf | Reaction::PlainText | Reaction::Fails(_) | Reaction::Swallows => {
                std::future::pending().await
            }
        }
        drop(stream.shutdown().await);
    }
}

impl Dial for Fake {
    fn resolve<'a>(&'a self, _host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        let found: Vec<_> = self.0.names.lock().iter().map(|ip| SocketAddr::new(*ip, port)).collect();
        let answer = if found.is_empty() { Err(io::Error::other("no such host")) } else { Ok(found) };
        Box::pin(async move { answer })
    }

    fn connect(&self, to: SocketAddr) -> BoxFuture<'_, io::Result<Box<dyn Stream>>> {
        self.0.connects.lock().push(to);
        let reaction = self.reaction();
        Box::pin(async move {
            match reaction {
                Reaction::Fails(kind) => return Err(kind.into()),
                Reaction::Swallows => return std::future::pending().await,
                Reaction::Answer(..)
                | Reaction::Bytes(_)
                | Reaction::BytesThenSilence(_)
                | Reaction::Drip(..)
                | Reaction::Deaf
                | Reaction::PlainText
                | Reaction::Silent => {}
            }
            let (near, far) = tokio::io::duplex(64 * 1024);
            tokio::spawn(self.clone().serve(far, reaction));
            Ok(Box::new(near) as Box<dyn Stream>)
        })
    }
}

async fn read(stream: &mut impl Stream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..head_end].to_vec()).unwrap();
    let mut lines = head.lines();
    let line = lines.next().unwrap().to_owned();
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers.get("content-length").map_or(0, |value| value.parse().unwrap());
    let mut body = bytes[head_end + 4..].to_vec();
    while body.len() < length {
        stream.read_buf(&mut body).await.ok()?;
    }
    Some(Seen { line, headers, body: String::from_utf8(body).unwrap() })
}

fn http(status: u16, content_type: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status} X\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n");
    [head.as_bytes(), body.as_bytes()].concat()
}

pub(super) fn ok(body: &str) -> Reaction {
    Reaction::Answer(200, JSON, body.to_owned())
}

pub(super) fn refuses(status: u16, text: &str) -> Reaction {
    Reaction::Answer(status, JSON, serde_json::json!({ "errors": [text] }).to_string())
}

pub(super) fn spec(address: &str) -> ServerSpec {
    ServerSpec::new(Address::parse(address, true).unwrap())
}

pub(super) fn token() -> SecretString {
    "hvs.CANARY-token-0123456789".into()
}
