//! Authorities and the certificates they issue: for the servers of a control plane, and for Vault and OpenBao. Elliptic
//! curves throughout, because they are made in a millisecond.

use std::path::Path;

use anyhow::Result;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};

use crate::kubeconfig::write_private;

/// The names under which clients reach the API server.
const SERVER_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "kubernetes.default.svc"];

/// An authority that issues certificates for servers.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A certificate with its key, both as PEM.
pub struct Issued {
    /// The certificate, without its authority.
    pub certificate: String,
    /// Its private key.
    pub key: String,
}

impl Authority {
    /// A new one, which nobody trusts yet.
    pub fn new() -> Result<Self> {
        let key = KeyPair::generate()?;
        let parameters = authority();
        let pem = parameters.self_signed(&key)?.pem();
        Ok(Self { issuer: Issuer::new(parameters, key), pem })
    }

    /// Its own certificate, as PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A certificate for a server with these names, each of them a DNS name or an IP address.
    pub fn issue(&self, names: &[&str]) -> Result<Issued> {
        let key = KeyPair::generate()?;
        let certificate = server(names)?.signed_by(&key, &self.issuer)?.pem();
        Ok(Issued { certificate, key: key.serialize_pem() })
    }
}

/// Writes `ca.crt`, `server.crt`, `server.key`, `sa.key` and `sa.pub` into `folder`.
pub(crate) fn write_to(folder: &Path) -> Result<()> {
    let authority = Authority::new()?;
    let server = authority.issue(&SERVER_NAMES)?;
    write_private(&folder.join("ca.crt"), authority.pem())?;
    write_private(&folder.join("server.crt"), &server.certificate)?;
    write_private(&folder.join("server.key"), &server.key)?;
    let accounts = KeyPair::generate()?;
    write_private(&folder.join("sa.key"), &accounts.serialize_pem())?;
    write_private(&folder.join("sa.pub"), &accounts.public_key_pem())
}

fn authority() -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name.push(DnType::CommonName, "holdfast-test-authority");
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    parameters
}

fn server(names: &[&str]) -> Result<CertificateParams> {
    let mut parameters = CertificateParams::new(names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>())?;
    parameters.distinguished_name.push(DnType::CommonName, names.first().copied().unwrap_or("server"));
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    parameters.use_authority_key_identifier_extension = true;
    Ok(parameters)
}
