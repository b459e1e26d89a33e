//! Which certificates are trusted, and what is wrong when one isn't.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::ServerSpec;
use super::error::{Kind, TlsTrouble};

/// How many configurations are kept: one for each authority. They hold the sessions that are resumed.
const KEPT: usize = 64;

/// The TLS configurations, by what they trust.
pub(super) struct Trust {
    machine: OnceLock<Arc<ClientConfig>>,
    own: Mutex<HashMap<Arc<[u8]>, Arc<ClientConfig>>>,
}

/// What a connection is secured with.
#[derive(Clone)]
pub(super) struct Config {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl Trust {
    pub(super) fn new() -> Self {
        Self { machine: OnceLock::new(), own: Mutex::default() }
    }

    pub(super) fn config(&self, spec: &ServerSpec) -> Result<Config, TlsTrouble> {
        let host = spec.server_name.as_deref().unwrap_or(spec.address.host());
        let name = ServerName::try_from(host.to_owned()).map_err(|_| TlsTrouble::BadName)?;
        let config = match &spec.ca {
            Some(pem) => self.own(pem)?,
            None => Arc::clone(self.machine.get_or_init(machine)),
        };
        Ok(Config { config, name })
    }

    fn own(&self, pem: &Arc<[u8]>) -> Result<Arc<ClientConfig>, TlsTrouble> {
        if let Some(config) = self.own.lock().get(pem) {
            return Ok(Arc::clone(config));
        }
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|_| TlsTrouble::BadAuthority)?;
            roots.add(certificate).map_err(|_| TlsTrouble::BadAuthority)?;
        }
        if roots.is_empty() {
            return Err(TlsTrouble::BadAuthority);
        }
        let config = Arc::new(trusting(roots));
        let mut own = self.own.lock();
        if own.len() == KEPT {
            // An authority that was replaced; which one isn't worth knowing, as it costs one handshake.
            own.clear();
        }
        own.insert(Arc::clone(pem), Arc::clone(&config));
        Ok(config)
    }
}

/// The authorities that the machine, or the image, trusts. One that can't be read is left out: its servers aren't trusted.
fn machine() -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    Arc::new(trusting(roots))
}

fn trusting(roots: RootCertStore) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("invariant: ring supports the default versions of TLS")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

impl Config {
    pub(super) async fn secure(&self, stream: TcpStream) -> Result<TlsStream<TcpStream>, Kind> {
        let connector = TlsConnector::from(Arc::clone(&self.config));
        connector.connect(self.name.clone(), stream).await.map_err(|error| {
            let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
            cause.map_or(Kind::CutOff, |cause| Kind::Tls(TlsTrouble::of(cause)))
        })
    }
}

impl TlsTrouble {
    fn of(error: &rustls::Error) -> Self {
        match error {
            rustls::Error::InvalidCertificate(certificate) => match certificate {
                CertificateError::UnknownIssuer => Self::UnknownIssuer,
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => Self::OtherName,
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
                CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Self::NotYetValid,
                _ => Self::BadCertificate,
            },
            rustls::Error::InvalidMessage(_) => Self::NotTls,
            rustls::Error::AlertReceived(_) => Self::RefusedByServer,
            _ => Self::Other,
        }
    }
}
