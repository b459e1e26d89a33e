//! The cluster's signing keys, as the API server publishes them, in the form that a server takes them (PEM).
//!
//! With them B verifies tokens of ServiceAccounts without reaching the API server.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pkcs1::{RsaPublicKey, UintRef};
use serde::Deserialize;
use spki::der::asn1::{AnyRef, BitStringRef, Null};
use spki::der::pem::LineEnding;
use spki::der::{Encode as _, EncodePem as _};
use spki::{AlgorithmIdentifierRef, ObjectIdentifier, SubjectPublicKeyInfo};

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const ELLIPTIC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// The curves of RFC 7518, with the octets of a coordinate.
const CURVES: [(&str, ObjectIdentifier, usize); 3] = [
    ("P-256", ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7"), 32),
    ("P-384", ObjectIdentifier::new_unwrap("1.3.132.0.34"), 48),
    ("P-521", ObjectIdentifier::new_unwrap("1.3.132.0.35"), 66),
];

/// Why no key can be told to a server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// Not what an API server publishes.
    #[error("what the API server publishes as its keys can't be read")]
    Document,
    /// No keys for signatures.
    #[error("the API server publishes no keys")]
    None,
    /// A key of another kind.
    #[error("the API server publishes a key of the kind {0:?}")]
    Kind(String),
    /// A key whose numbers aren't any.
    #[error("the API server publishes a key that is none")]
    Key,
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Key>,
}

#[derive(Deserialize)]
struct Key {
    kty: String,
    #[serde(default)]
    crv: String,
    #[serde(default)]
    n: String,
    #[serde(default)]
    e: String,
    #[serde(default)]
    x: String,
    #[serde(default)]
    y: String,
}

/// The public keys of a JSON Web Key Set, each as PEM.
///
/// # Errors
/// When it is none, or holds a key that can't be told: a server that knows only some of them would refuse tokens by chance.
pub fn in_pem(set: &str) -> Result<Vec<String>, Unusable> {
    let set: Set = serde_json::from_str(set).map_err(|_| Unusable::Document)?;
    if set.keys.is_empty() {
        return Err(Unusable::None);
    }
    set.keys.iter().map(pem).collect()
}

fn pem(key: &Key) -> Result<String, Unusable> {
    match key.kty.as_str() {
        "RSA" => rsa(key),
        "EC" => elliptic(key),
        other => Err(Unusable::Kind(other.to_owned())),
    }
}

fn number(text: &str) -> Result<Vec<u8>, Unusable> {
    let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).map_err(|_| Unusable::Key)?;
    if bytes.is_empty() { Err(Unusable::Key) } else { Ok(bytes) }
}

fn rsa(key: &Key) -> Result<String, Unusable> {
    let (modulus, exponent) = (number(&key.n)?, number(&key.e)?);
    let numbers = RsaPublicKey {
        modulus: UintRef::new(&modulus).map_err(|_| Unusable::Key)?,
        public_exponent: UintRef::new(&exponent).map_err(|_| Unusable::Key)?,
    };
    let bits = numbers.to_der().map_err(|_| Unusable::Key)?;
    written(AlgorithmIdentifierRef { oid: RSA, parameters: Some(AnyRef::from(Null)) }, &bits)
}

fn elliptic(key: &Key) -> Result<String, Unusable> {
    let curve = CURVES.iter().find(|(name, _, _)| *name == key.crv);
    let (_, curve, length) = curve.ok_or_else(|| Unusable::Kind(key.crv.clone()))?;
    let (x, y) = (number(&key.x)?, number(&key.y)?);
    if x.len() != *length || y.len() != *length {
        return Err(Unusable::Key);
    }
    // An uncompressed point.
    let point = [&[4][..], &x, &y].concat();
    written(AlgorithmIdentifierRef { oid: ELLIPTIC, parameters: Some(AnyRef::from(curve)) }, &point)
}

fn written(algorithm: AlgorithmIdentifierRef<'_>, bits: &[u8]) -> Result<String, Unusable> {
    let subject_public_key = BitStringRef::from_bytes(bits).map_err(|_| Unusable::Key)?;
    let key = SubjectPublicKeyInfo { algorithm, subject_public_key };
    key.to_pem(LineEnding::LF).map_err(|_| Unusable::Key)
}
