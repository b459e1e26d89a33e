//! The transit engine: what it makes of plaintexts, and how a key stands.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use serde::{Deserialize, Serialize};

use super::path::Path;
use super::reply::Reply;
use super::request::{Accept, Request, exposed};
use super::{Client, Error, Kind, Operation};

/// What a key made of a plaintext: `vault:v2:...`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ciphertext {
    text: String,
    version: u32,
}

impl Ciphertext {
    /// Reads `vault:vN:...`; `None` for anything else, and for version 0.
    pub fn parse(text: &str) -> Option<Self> {
        let (version, rest) = text.strip_prefix("vault:v")?.split_once(':')?;
        let version = version.parse().ok().filter(|&version| version != 0)?;
        (!rest.is_empty()).then(|| Self { text: text.to_owned(), version })
    }

    /// The whole of it, as `decrypt` wants it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The version of the key that made it, from 1.
    pub fn version(&self) -> u32 {
        self.version
    }
}

/// How a transit key stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransitKey {
    /// `aes256-gcm96` and so on.
    pub key_type: String,
    /// The version that encrypts, unless `min_encryption_version` says otherwise.
    pub latest_version: u32,
    /// Ciphertexts of older versions aren't decrypted.
    pub min_decryption_version: u32,
    /// Versions below are gone for good.
    pub min_available_version: u32,
    /// Whether anybody may delete it.
    pub deletion_allowed: bool,
    /// Whether it can be read out.
    pub exportable: bool,
    /// Whether it can be read out in a backup.
    pub allow_plaintext_backup: bool,
    /// When each version that can still decrypt was made.
    pub versions: BTreeMap<u32, Timestamp>,
    /// The last backup, if the server notes one.
    pub backup_info: Option<BackupInfo>,
}

/// When a key was backed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct BackupInfo {
    /// When.
    pub time: Timestamp,
    /// The key's latest version then.
    pub version: u32,
}

#[derive(Deserialize)]
struct Raw {
    #[serde(default, rename = "type")]
    key_type: String,
    latest_version: u32,
    min_decryption_version: u32,
    #[serde(default)]
    min_available_version: u32,
    #[serde(default)]
    deletion_allowed: bool,
    #[serde(default)]
    exportable: bool,
    #[serde(default)]
    allow_plaintext_backup: bool,
    #[serde(default)]
    keys: BTreeMap<u32, Version>,
    #[serde(default)]
    backup_info: Option<BackupInfo>,
}

/// Symmetric keys tell a time in seconds, others a time among other things.
#[derive(Deserialize)]
#[serde(untagged)]
enum Version {
    Seconds(i64),
    Described { creation_time: Timestamp },
}

impl Version {
    fn made(&self) -> Option<Timestamp> {
        match self {
            Self::Seconds(seconds) => Timestamp::from_second(*seconds).ok(),
            Self::Described { creation_time } => Some(*creation_time),
        }
    }
}

#[derive(Serialize)]
struct Plain<'a> {
    #[serde(serialize_with = "exposed")]
    plaintext: &'a SecretString,
}

impl Client {
    /// Encrypts. Sent once, for with `create` it would make a key that isn't there.
    ///
    /// # Errors
    /// [`super::Says::TokenDead`]; [`super::Says::Denied`] for a wrong policy, mount or key alike.
    pub async fn transit_encrypt(
        &self,
        token: &SecretString,
        mount: &str,
        key: &str,
        plaintext: &[u8],
    ) -> Result<Ciphertext, Error> {
        #[derive(Deserialize)]
        struct Raw {
            ciphertext: String,
        }
        let operation = Operation::TransitEncrypt;
        let encoded = SecretString::from(STANDARD.encode(plaintext));
        let plain = String::from_utf8(plaintext.to_vec()).map(SecretString::from).unwrap_or_default();
        let request = path(mount, "encrypt", key).map(|path| {
            let request = Request::post(path).with_token(token).with_secret(&encoded).with_secret(&plain);
            request.with_body(&Plain { plaintext: &encoded })
        });
        let read = |reply: &Reply| {
            let Raw { ciphertext } = reply.data()?;
            Ciphertext::parse(&ciphertext).ok_or_else(|| reply.malformed())
        };
        self.send(operation, request, read).await
    }

    /// Decrypts.
    ///
    /// # Errors
    /// As [`Self::transit_encrypt`], and [`super::Says::KeyReplaced`], [`super::Says::VersionTooNew`],
    /// [`super::Says::VersionTooOld`].
    pub async fn transit_decrypt(
        &self,
        token: &SecretString,
        mount: &str,
        key: &str,
        ciphertext: &Ciphertext,
    ) -> Result<SecretSlice<u8>, Error> {
        #[derive(Deserialize)]
        struct Raw {
            plaintext: SecretString,
        }
        let operation = Operation::TransitDecrypt;
        let body = BTreeMap::from([("ciphertext", ciphertext.text())]);
        let request = path(mount, "decrypt", key).map(|path| Request::ask(path).with_token(token).with_body(&body));
        let read = |reply: &Reply| {
            let Raw { plaintext } = reply.data()?;
            let bytes = STANDARD.decode(plaintext.expose_secret()).map_err(|_| reply.malformed())?;
            Ok(SecretSlice::from(bytes))
        };
        self.send(operation, request, read).await
    }

    /// How a key stands; `None` when there is none of this name.
    ///
    /// # Errors
    /// Any of [`super::Kind`].
    pub async fn transit_key(&self, token: &SecretString, mount: &str, key: &str) -> Result<Option<TransitKey>, Error> {
        let operation = Operation::TransitKey;
        let request =
            path(mount, "keys", key).map(|path| Request::get(path).with_token(token).accepting(Accept::SuccessOrNone));
        let read = |reply: &Reply| {
            if reply.is_none() { Ok(None) } else { reply.data().map(|raw: Raw| Some(TransitKey::from(raw))) }
        };
        self.send(operation, request, read).await
    }

    /// Makes a key of the server's default type. One of this name that is there stays as it is. Sent once.
    ///
    /// # Errors
    /// Any of [`super::Kind`].
    pub async fn transit_key_create(&self, token: &SecretString, mount: &str, key: &str) -> Result<(), Error> {
        let operation = Operation::TransitKeyCreate;
        let body = BTreeMap::<&str, &str>::new();
        let request = path(mount, "keys", key).map(|path| Request::post(path).with_token(token).with_body(&body));
        self.send(operation, request, |_| Ok(())).await
    }
}

impl From<Raw> for TransitKey {
    fn from(raw: Raw) -> Self {
        let made = |(number, version): (&u32, &Version)| version.made().map(|made| (*number, made));
        Self {
            key_type: raw.key_type,
            latest_version: raw.latest_version,
            min_decryption_version: raw.min_decryption_version,
            min_available_version: raw.min_available_version,
            deletion_allowed: raw.deletion_allowed,
            exportable: raw.exportable,
            allow_plaintext_backup: raw.allow_plaintext_backup,
            versions: raw.keys.iter().filter_map(made).collect(),
            backup_info: raw.backup_info,
        }
    }
}

fn path(mount: &str, what: &'static str, key: &str) -> Result<Path, Kind> {
    Path::parse(mount)?.then(what).name(key)
}
