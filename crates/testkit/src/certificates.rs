//! The certificates and keys of one test cluster: an authority, the API server's certificate, and the keys that sign
//! the tokens of service accounts. Elliptic curves throughout, because they are made in a millisecond.

use std::path::Path;

use anyhow::Result;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};

use crate::kubeconfig::write_private;

/// The names under which clients reach the API server.
const SERVER_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "kubernetes.default.svc"];

/// Writes `ca.crt`, `server.crt`, `server.key`, `sa.key` and `sa.pub` into `folder`.
pub(crate) fn write_to(folder: &Path) -> Result<()> {
    let authority_key = KeyPair::generate()?;
    let authority = authority()?;
    let server_key = KeyPair::generate()?;
    write_private(&folder.join("ca.crt"), &authority.self_signed(&authority_key)?.pem())?;
    let issuer = Issuer::new(authority, authority_key);
    write_private(&folder.join("server.crt"), &server()?.signed_by(&server_key, &issuer)?.pem())?;
    write_private(&folder.join("server.key"), &server_key.serialize_pem())?;
    let accounts = KeyPair::generate()?;
    write_private(&folder.join("sa.key"), &accounts.serialize_pem())?;
    write_private(&folder.join("sa.pub"), &accounts.public_key_pem())
}

fn authority() -> Result<CertificateParams> {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name.push(DnType::CommonName, "holdfast-test-authority");
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(parameters)
}

fn server() -> Result<CertificateParams> {
    let mut parameters = CertificateParams::new(SERVER_NAMES.map(str::to_owned))?;
    parameters.distinguished_name.push(DnType::CommonName, "kube-apiserver");
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    parameters.use_authority_key_identifier_extension = true;
    Ok(parameters)
}
