//! Two hundred sealed servers that are well: light ones of ours, since as many real ones are too much for a machine.
//!
//! Each has an address of its own and answers what a real OpenBao on raft was recorded to answer, with a cluster of its own. They
//! speak TLS, as the controller asks every server over a new connection, which is most of what asking costs.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use holdfast_testkit::Authority;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::tally::Tally;

/// The port of all of them.
pub(super) const PORT: u16 = 8200;
/// The name in their certificate.
pub(super) const NAME: &str = "sealed.test";
/// More than any request of the controller has.
const LONGEST: usize = 16 * 1024;

/// The servers; they end when this is dropped.
pub(super) struct Fleet {
    pub(super) ips: Vec<Ipv4Addr>,
    /// What each was asked.
    pub(super) tally: Tally,
    /// Whom to trust (PEM).
    pub(super) authority: String,
    _tasks: JoinSet<()>,
}

/// What one answers.
struct Sealed {
    number: usize,
    seal_status: String,
    leader: String,
    health: String,
    tally: Tally,
}

impl Fleet {
    pub(super) async fn start(count: usize) -> Result<Self> {
        let authority = Authority::new()?;
        let acceptor = acceptor(&authority)?;
        let (tally, mut ips, mut tasks) = (Tally::default(), Vec::new(), JoinSet::new());
        let mut addresses = addresses();
        for number in 0..count {
            let (ip, listener) = listen(&mut addresses).await?;
            let server = Arc::new(Sealed::new(number, ip, tally.clone())?);
            tasks.spawn(accept(listener, acceptor.clone(), server));
            ips.push(ip);
        }
        Ok(Self { ips, tally, authority: authority.pem().to_owned(), _tasks: tasks })
    }
}

impl Sealed {
    fn new(number: usize, ip: Ipv4Addr, tally: Tally) -> Result<Self> {
        let cluster = json!(format!("2fe605f6-173b-9bfa-a053-{number:012x}"));
        let of = |recorded: &str, field: &str, value: &Value| -> Result<String> {
            let mut answer: Value = serde_json::from_str(recorded)?;
            ensure!(answer.get(field).is_some(), "nothing was recorded for {field}");
            answer[field] = value.clone();
            Ok(answer.to_string())
        };
        Ok(Self {
            number,
            seal_status: of(recorded::SEAL_STATUS, "cluster_id", &cluster)?,
            leader: of(recorded::LEADER, "leader_address", &json!(format!("https://{ip}:{PORT}")))?,
            health: of(recorded::HEALTH, "cluster_id", &cluster)?,
            tally,
        })
    }

    fn answer(&self, head: &str) -> (u16, &str) {
        let path = head.split_whitespace().nth(1).unwrap_or_default();
        match path.split('?').next().unwrap_or_default() {
            "/v1/sys/seal-status" => (200, &self.seal_status),
            "/v1/sys/leader" => (200, &self.leader),
            "/v1/sys/health" => (200, &self.health),
            _ => (404, r#"{"errors":[]}"#),
        }
    }

    /// One request a connection, as the controller asks.
    async fn serve(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> std::io::Result<()> {
        let mut bytes = Vec::with_capacity(1024);
        while !bytes.ends_with(b"\r\n\r\n") {
            if stream.read_buf(&mut bytes).await? == 0 || LONGEST < bytes.len() {
                return Ok(());
            }
        }
        self.tally.count(self.number);
        let (status, body) = self.answer(&String::from_utf8_lossy(&bytes));
        let head = format!(
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).await?;
        stream.shutdown().await
    }
}

/// Answers of OpenBao 2.7.2.
mod recorded {
    pub(super) const SEAL_STATUS: &str =
        include_str!("../../../../vault/fixtures/client/openbao-2.7.2/seal-status.json");
    pub(super) const LEADER: &str = include_str!("../../../../vault/fixtures/client/openbao-2.7.2/leader.json");
    pub(super) const HEALTH: &str = include_str!("../../../../vault/fixtures/client/openbao-2.7.2/health.json");
}

/// A range beside the one of the real servers of tests.
fn addresses() -> impl Iterator<Item = Ipv4Addr> {
    (0..=254).flat_map(|third| (1..=254).map(move |fourth| Ipv4Addr::new(127, 78, third, fourth)))
}

/// Where somebody listens already is passed over: another bench runs.
async fn listen(addresses: &mut impl Iterator<Item = Ipv4Addr>) -> Result<(Ipv4Addr, TcpListener)> {
    for ip in addresses {
        if let Ok(listener) = TcpListener::bind(SocketAddr::from((ip, PORT))).await {
            return Ok((ip, listener));
        }
    }
    anyhow::bail!("no free address in 127.78.0.0/16 (only Linux has them without configuration)")
}

fn acceptor(authority: &Authority) -> Result<TlsAcceptor> {
    let issued = authority.issue(&[NAME])?;
    let chain = CertificateDer::from_pem_slice(issued.certificate.as_bytes()).context("the certificate")?;
    let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).context("its key")?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![chain], key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// The connections end with the task.
async fn accept(listener: TcpListener, acceptor: TlsAcceptor, server: Arc<Sealed>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(connect(stream, acceptor.clone(), Arc::clone(&server)));
        while connections.try_join_next().is_some() {}
    }
}

async fn connect(stream: TcpStream, acceptor: TlsAcceptor, server: Arc<Sealed>) {
    // How a connection ends is for the client to say.
    if let Ok(stream) = acceptor.accept(stream).await {
        let _ = server.serve(stream).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_is_a_cluster_of_its_own_and_its_requests_are_counted() {
        let tally = Tally::default();
        let servers = [0, 1].map(|number| Sealed::new(number, Ipv4Addr::LOCALHOST, tally.clone()).unwrap());
        let mut clusters = Vec::new();
        for server in &servers {
            let (mut client, far) = tokio::io::duplex(64 * 1024);
            client.write_all(b"GET /v1/sys/seal-status HTTP/1.1\r\nHost: b\r\n\r\n").await.unwrap();
            server.serve(far).await.unwrap();
            let mut text = String::new();
            client.read_to_string(&mut text).await.unwrap();
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
            clusters.push(serde_json::from_str::<Value>(body).unwrap()["cluster_id"].clone());
        }
        assert_ne!(clusters[0], clusters[1]);
        assert_eq!(servers[0].answer("GET /v1/sys/mounts HTTP/1.1").0, 404);
    }
}
