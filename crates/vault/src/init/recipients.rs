//! For whom the recovery keys are: age, OpenPGP, or, where somebody says that they understand, everybody who can read the Secret.
//!
//! All recipients are parsed before anything is claimed: a key that turns out to be none after the one answer of the server
//! would cost the share. With age we encrypt the shares, in memory, the moment they come; with OpenPGP the server does, and
//! all that is checked here is that it can read the key at all. The first share goes to the first recipient.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use holdfast_api::vault_transit_unseal::{KeyStore, Plaintext};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::claim::in_hex;

/// For whom the shares are, one each.
#[derive(Clone, Debug)]
pub enum Recipients {
    /// Public keys of age.
    Age(Vec<Age>),
    /// Public keys of OpenPGP, in base64 of their binary form.
    Pgp(Vec<String>),
    /// Everybody who can read the Secret.
    Plaintext,
}

/// A public key of age.
#[derive(Clone)]
pub struct Age(age::x25519::Recipient);

impl fmt::Debug for Age {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)
    }
}

impl Age {
    fn parse(text: &str) -> Option<Self> {
        let recipient = text.parse().ok()?;
        agrees(text).then_some(Self(recipient))
    }
}

/// Whether something secret can be agreed on with a public key. With a point of low order, such as a key of zeros that stands in
/// for one, nothing can, and age ends the process over it when it encrypts: after the one answer of the server.
fn agrees(text: &str) -> bool {
    use ring::agreement::{EphemeralPrivateKey, UnparsedPublicKey, X25519, agree_ephemeral};
    let Ok((_, data, _)) = bech32::decode(text) else { return false };
    let Ok(bytes) = <Vec<u8> as bech32::FromBase32>::from_base32(&data) else { return false };
    let own = EphemeralPrivateKey::generate(&X25519, &ring::rand::SystemRandom::new());
    own.is_ok_and(|own| agree_ephemeral(own, &UnparsedPublicKey::new(&X25519, bytes), |_| ()).is_ok())
}

/// Why nobody could read the shares.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// None of the three ways, or several.
    #[error("spec.initialization.keyStore says not exactly one of age, pgp and plaintext")]
    NotOne,
    /// Another number than there are shares.
    #[error("spec.initialization has {shares} shares for {recipients} recipients")]
    Count {
        /// The recipients.
        recipients: usize,
        /// The shares.
        shares: u8,
    },
    /// Not a key of age.
    #[error("spec.initialization.keyStore.age.recipients[{0}] is no public key of age")]
    NotAge(usize),
    /// Not a key that the server can read.
    #[error("spec.initialization.keyStore.pgp.keys[{0}] {1}")]
    NotPgp(usize, NotPgp),
}

/// What is wrong with a key of OpenPGP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotPgp {
    /// ASCII armour, which no server reads.
    #[error("is ASCII-armoured: the server takes base64 of the binary key")]
    Armoured,
    /// A name at Keybase, which the command line looks up and no server does.
    #[error("names a Keybase user, whom no server looks up")]
    Keybase,
    /// Not base64.
    #[error("isn't base64")]
    NotBase64,
    /// Base64 of something that doesn't begin with a public key.
    #[error("isn't base64 of a binary public key")]
    NotPublicKey,
    /// A key that was never meant to be here.
    #[error("is a secret key: take it out of here, and out of use")]
    SecretKey,
}

impl Recipients {
    /// Parses what the spec says, for so many shares.
    ///
    /// # Errors
    /// When a share would have no reader.
    pub fn parse(store: &KeyStore, shares: u8) -> Result<Self, Invalid> {
        let recipients = match (&store.age, &store.pgp, store.plaintext) {
            (Some(age), None, None) => {
                Self::Age(each(&age.recipients, |index, text| Age::parse(text).ok_or(Invalid::NotAge(index)))?)
            }
            (None, Some(pgp), None) => Self::Pgp(each(&pgp.keys, |index, text| {
                check_pgp(text).map(|()| text.clone()).map_err(|why| Invalid::NotPgp(index, why))
            })?),
            (None, None, Some(Plaintext::IUnderstand)) => return Ok(Self::Plaintext),
            (_, _, _) => return Err(Invalid::NotOne),
        };
        let count = match &recipients {
            Self::Age(keys) => keys.len(),
            Self::Pgp(keys) => keys.len(),
            Self::Plaintext => usize::from(shares),
        };
        if count == usize::from(shares) { Ok(recipients) } else { Err(Invalid::Count { recipients: count, shares }) }
    }

    /// The keys for which the server is to encrypt.
    #[must_use]
    pub fn pgp_keys(&self) -> &[String] {
        match self {
            Self::Pgp(keys) => keys,
            Self::Age(_) | Self::Plaintext => &[],
        }
    }

    /// The shares as they are stored: encrypted where that is ours to do. In base64, of the share or of what it was
    /// encrypted to. A share that nobody is named for isn't among them.
    ///
    /// # Errors
    /// When a share can't be encrypted.
    pub fn seal(&self, attempt: &str, shares: &[SecretString]) -> Result<Parts, Unsealable> {
        let name = |index: usize, ending| format!("{attempt}.share-{}.{ending}", index + 1);
        let mut parts = BTreeMap::new();
        for (index, share) in shares.iter().enumerate() {
            let share = share.expose_secret();
            let (name, content) = match self {
                Self::Age(keys) => {
                    let Some(Age(key)) = keys.get(index) else { continue };
                    let sealed = age::encrypt_and_armor(key, share.as_bytes()).map_err(|_| Unsealable(index))?;
                    (name(index, "age"), sealed.into_bytes())
                }
                Self::Pgp(_) => (name(index, "pgp.base64"), share.as_bytes().to_vec()),
                Self::Plaintext => (name(index, "base64"), share.as_bytes().to_vec()),
            };
            parts.insert(name, Zeroizing::new(content));
        }
        Ok(Parts { parts, encrypted: !matches!(self, Self::Plaintext) })
    }
}

/// A share that couldn't be encrypted, by its index: the library failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("share {} can't be encrypted", .0 + 1)]
pub struct Unsealable(pub usize);

/// The shares as they are stored, by the key in the Secret's data.
#[derive(Clone, PartialEq, Eq)]
pub struct Parts {
    parts: BTreeMap<String, Zeroizing<Vec<u8>>>,
    encrypted: bool,
}

impl fmt::Debug for Parts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Parts").field("count", &self.parts.len()).finish_non_exhaustive()
    }
}

impl Parts {
    /// As they were kept.
    pub(super) fn of(parts: BTreeMap<String, Zeroizing<Vec<u8>>>, encrypted: bool) -> Self {
        Self { parts, encrypted }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u8 {
        u8::try_from(self.parts.len()).unwrap_or(u8::MAX)
    }

    /// Each with its key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.parts.iter().map(|(name, content)| (name.as_str(), content.as_slice()))
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// Of the encrypted shares; `None` for plain ones.
    #[must_use]
    pub fn digest(&self) -> Option<String> {
        self.encrypted.then(|| digest(self.iter()))
    }
}

/// Of shares as they are stored, in the order of their names.
pub(super) fn digest<'a>(parts: impl Iterator<Item = (&'a str, &'a [u8])>) -> String {
    let mut hash = Sha256::new();
    for part in parts.flat_map(|(name, content)| [name.as_bytes(), content]) {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    in_hex(&hash.finalize())
}

fn each<T>(texts: &[String], parse: impl Fn(usize, &String) -> Result<T, Invalid>) -> Result<Vec<T>, Invalid> {
    texts.iter().enumerate().map(|(index, text)| parse(index, text)).collect()
}

const ARMOUR: &str = "-----BEGIN";

/// The server reads base64 of packets of which the first is a public key (RFC 9580, 4.2 and 5.5.1.1).
fn check_pgp(text: &str) -> Result<(), NotPgp> {
    if text.trim_start().starts_with(ARMOUR) {
        return Err(NotPgp::Armoured);
    }
    if text.starts_with("keybase:") {
        return Err(NotPgp::Keybase);
    }
    let bytes = STANDARD.decode(text).map_err(|_| NotPgp::NotBase64)?;
    if bytes.starts_with(ARMOUR.as_bytes()) {
        return Err(NotPgp::Armoured);
    }
    let first = bytes.first().copied().unwrap_or_default();
    let tag = match (first & 0x80 != 0, first & 0x40 != 0) {
        (true, true) => first & 0x3f,
        (true, false) => (first & 0x3c) >> 2,
        (false, _) => 0,
    };
    match tag {
        6 if 1 < bytes.len() => Ok(()),
        5 => Err(NotPgp::SecretKey),
        _ => Err(NotPgp::NotPublicKey),
    }
}
