//! A proxy between a client and a real API server that makes go wrong what a real one won't on demand.
//!
//! It speaks TLS on both sides, with the certificates of the control plane, and passes tokens on as they are, so the client
//! is who it always is and everything but the fault is real. Faults of requests to come are rules ([`FaultProxy::inject`]);
//! connections there already are can hang, end or go dead. Every request is counted as it arrives. When the server isn't
//! there, the client's connection ends, as it would have. Absent: HTTP/2 (the client under test doesn't speak it), and any
//! decision of its own: what isn't asked for passes.

mod answer;
mod count;
mod edit;
mod forward;
mod link;
mod request;
mod rule;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use kube::config::Kubeconfig;
use kube::{Client, Config};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

pub use answer::Answer;
pub use count::{Mark, Requests};
pub use edit::Edit;
pub use request::{Request, Verb, Which};
pub use rule::{Fault, Injected, Rule};

use crate::control_plane::ControlPlane;
use crate::kubeconfig::{config_from, write_private};
use crate::port::Port;
use count::Counter;
use link::{Links, Order};
use rule::Rules;

/// A running proxy; its connections end when this is dropped.
#[derive(Debug)]
pub struct FaultProxy {
    address: String,
    authority: PathBuf,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
    _port: Port,
}

/// What all connections have in common.
struct Shared {
    upstream: Client,
    rules: Arc<Rules>,
    counter: Counter,
    links: Links,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Shared").field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl FaultProxy {
    /// A proxy before the API server of this control plane. It belongs to the runtime that calls this.
    pub async fn before(plane: &ControlPlane) -> Result<Self> {
        let mut config = config_from(&plane.kubeconfig()).await?;
        // Whoever asks says who they are.
        config.auth_info = kube::config::AuthInfo::default();
        Self::start(config, plane.dir()).await
    }

    /// `folder` has the authority and the certificate that the client expects.
    async fn start(mut upstream: Config, folder: &Path) -> Result<Self> {
        (upstream.read_timeout, upstream.default_retry) = (None, false);
        let (port, tls) = (Port::reserve()?, tls(folder)?);
        let listener = TcpListener::bind(port.address()).await?;
        let shared = Arc::new(Shared {
            upstream: Client::try_from(upstream)?,
            rules: Arc::default(),
            counter: Counter::default(),
            links: Links::default(),
        });
        let accepting = tokio::spawn(accept(listener, tls, Arc::clone(&shared)));
        let (address, authority) = (port.address(), folder.join("ca.crt"));
        Ok(Self { address, authority, shared, accepting, _port: port })
    }

    /// A copy of this kubeconfig that leads through the proxy, beside it.
    pub fn kubeconfig(&self, original: &Path) -> Result<PathBuf> {
        let mut config = Kubeconfig::read_from(original).with_context(|| format!("reading {}", original.display()))?;
        for cluster in config.clusters.iter_mut().filter_map(|named| named.cluster.as_mut()) {
            cluster.server = Some(format!("https://{}", self.address));
            cluster.certificate_authority = Some(self.authority.display().to_string());
        }
        let file = original.with_extension(format!("through-{}.kubeconfig", self.address.replace(':', "-")));
        write_private(&file, &serde_json::to_string_pretty(&config)?)?;
        Ok(file)
    }

    /// From now on this goes wrong, until what is returned is dropped.
    #[must_use = "the fault ends when this is dropped"]
    pub fn inject(&self, rule: Rule) -> Injected {
        self.shared.rules.inject(rule)
    }

    /// Connections whose latest request is one of these carry no answers any more, but stay open; how many that were.
    pub fn hang(&self, which: &Which) -> usize {
        self.shared.links.order(which, Order::Hang)
    }

    /// Ends such connections, without a good-bye; how many that were.
    pub fn cut(&self, which: &Which) -> usize {
        self.shared.links.order(which, Order::Cut)
    }

    /// Makes such connections half-open, and those that carried no request yet: nothing is read from them nor written to them
    /// any more; how many that were.
    pub fn freeze(&self, which: &Which) -> usize {
        self.shared.links.order(which, Order::Freeze)
    }

    /// How many connections are open.
    pub fn connections(&self) -> usize {
        self.shared.links.count()
    }

    /// This moment, to count from.
    pub fn mark(&self) -> Mark {
        self.shared.counter.mark()
    }

    /// What arrived after that moment.
    pub fn since(&self, mark: Mark) -> Requests {
        self.shared.counter.since(mark)
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// The set of connections ends with the task.
async fn accept(listener: TcpListener, tls: TlsAcceptor, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(link::serve(stream, tls.clone(), Arc::clone(&shared)));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

fn tls(folder: &Path) -> Result<TlsAcceptor> {
    let pem = |name: &str| fs::read(folder.join(name)).with_context(|| format!("reading {name} of the control plane"));
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&pem("server.crt")?).collect::<Result<_, _>>()?;
    let key = PrivateKeyDer::from_pem_slice(&pem("server.key")?)?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
