//! TLS: whom to trust, and what went wrong in words that a person can act on.
//!
//! One provider, named here, so that it doesn't matter whether the process has installed one. Nothing is merged with a
//! CA that was given, and no session is resumed: a resumed one would hide that the certificate has expired since.

use std::error::Error as StdError;
use std::io;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{AlertDescription, CertificateError, ClientConfig, RootCertStore};

use super::{Kind, Phase, TlsFault, Unsendable};

/// How a server is spoken to over TLS.
pub(super) struct Tls {
    pub(super) config: Arc<ClientConfig>,
    pub(super) name: ServerName<'static>,
}

/// The configuration that trusts these authorities, or those of the public web.
pub(super) fn config(ca: Option<&[u8]>) -> Result<ClientConfig, Kind> {
    let roots = match ca {
        Some(pem) => authorities(pem)?,
        None => RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() },
    };
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("invariant: ring has the default versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.resumption = Resumption::disabled();
    Ok(config)
}

fn authorities(pem: &[u8]) -> Result<RootCertStore, Kind> {
    let wrong = |_| Kind::Unsendable(Unsendable::Ca);
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        roots.add(certificate.map_err(wrong)?).map_err(|_| Kind::Unsendable(Unsendable::Ca))?;
    }
    if roots.is_empty() { Err(Kind::Unsendable(Unsendable::Ca)) } else { Ok(roots) }
}

/// The name that the certificate has to bear.
pub(super) fn name(text: &str) -> Result<ServerName<'static>, Kind> {
    ServerName::try_from(text.to_owned()).map_err(|_| Kind::Unsendable(Unsendable::ServerName))
}

/// What became of a handshake.
pub(super) fn fault(error: &io::Error) -> Kind {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(error) => Kind::Tls(fault_of(error)),
        None => Kind::CutOff(Phase::Handshake),
    }
}

/// A server of TLS 1.3 refuses a client only after the client is through with its handshake.
pub(super) fn alert(error: &hyper::Error) -> Option<TlsFault> {
    let mut source: Option<&(dyn StdError + 'static)> = error.source();
    while let Some(error) = source {
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(error) = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            return Some(fault_of(error));
        }
        source = error.source();
    }
    None
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the enum is of rustls, and grows")]
fn fault_of(error: &rustls::Error) -> TlsFault {
    match error {
        rustls::Error::InvalidCertificate(error) => certificate(error),
        rustls::Error::InvalidMessage(_) => TlsFault::PlainText,
        rustls::Error::AlertReceived(
            AlertDescription::CertificateRequired | AlertDescription::BadCertificate | AlertDescription::NoCertificate,
        ) => TlsFault::ClientCertificate,
        _ => TlsFault::NoAgreement,
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the enum is of rustls, and grows")]
fn certificate(error: &CertificateError) -> TlsFault {
    match error {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => TlsFault::UnknownIssuer,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => TlsFault::NameMismatch,
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => TlsFault::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => TlsFault::NotYetValid,
        _ => TlsFault::Unfit,
    }
}
