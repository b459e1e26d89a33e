//! The transit key: encrypting, decrypting, and what it is like.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Client, Data, Error, Kind, Repeat, Request};

/// What a key encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ciphertext {
    /// As it is decrypted again.
    pub text: String,
    /// The version of the key.
    pub version: u32,
}

/// What a key is like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyInfo {
    /// The newest version.
    pub latest_version: u32,
    /// The oldest version that may decrypt.
    pub min_decryption_version: u32,
    /// Whether it may be deleted.
    pub deletion_allowed: bool,
    /// Whether it may be taken out.
    pub exportable: bool,
    /// When its newest version was made.
    pub rotated: Option<Timestamp>,
}

#[derive(Deserialize)]
struct RawKey {
    latest_version: u32,
    #[serde(default)]
    min_decryption_version: u32,
    #[serde(default)]
    deletion_allowed: bool,
    #[serde(default)]
    exportable: bool,
    /// Seconds for symmetric keys, an object with `creation_time` for the others.
    #[serde(default)]
    keys: BTreeMap<String, Value>,
}

impl RawKey {
    fn rotated(&self) -> Option<Timestamp> {
        let newest = self.keys.get(&self.latest_version.to_string())?;
        match newest.as_i64() {
            Some(seconds) => Timestamp::from_second(seconds).ok(),
            None => newest.get("creation_time")?.as_str()?.parse().ok(),
        }
    }
}

impl Client {
    /// Encrypts with the newest version of the key. A token with `create` would make a key that isn't there.
    ///
    /// # Errors
    /// When it doesn't answer, or the token may not.
    pub async fn encrypt(
        &self,
        token: &SecretString,
        mount: &str,
        key: &str,
        plaintext: &[u8],
    ) -> Result<Ciphertext, Error> {
        #[derive(Deserialize)]
        struct Encrypted {
            ciphertext: String,
        }
        let path = format!("{mount}/encrypt/{key}");
        let request = self.write("encrypt", &path, json!({ "plaintext": STANDARD.encode(plaintext) }));
        // It changes nothing, but is not a read: a repeated one could make a key anew.
        let text = self.ask::<Data<Encrypted>>(Request { token: Some(token), ..request }).await?.data.ciphertext;
        match version(&text) {
            Some(version) => Ok(Ciphertext { text, version }),
            None => Err(Error::new(self.name(), "encrypt", Kind::Unreadable { line: 1, column: 1 })),
        }
    }

    /// Decrypts. Never makes a key.
    ///
    /// # Errors
    /// `is_other_key`, `is_version_too_new`, `is_version_too_old`, `is_no_key`, or when it doesn't answer.
    pub async fn decrypt(
        &self,
        token: &SecretString,
        mount: &str,
        key: &str,
        ciphertext: &str,
    ) -> Result<Vec<u8>, Error> {
        #[derive(Deserialize)]
        struct Decrypted {
            plaintext: String,
        }
        let path = format!("{mount}/decrypt/{key}");
        let request = self.write("decrypt", &path, json!({ "ciphertext": ciphertext }));
        let request = Request { token: Some(token), repeat: Repeat::Read, ..request };
        let text = self.ask::<Data<Decrypted>>(request).await?.data.plaintext;
        STANDARD.decode(text).map_err(|_| Error::new(self.name(), "decrypt", Kind::Unreadable { line: 1, column: 1 }))
    }

    /// What the key is like; `None` when there is none.
    ///
    /// # Errors
    /// When it doesn't answer, or the token may not.
    pub async fn key(&self, token: &SecretString, mount: &str, key: &str) -> Result<Option<KeyInfo>, Error> {
        let path = format!("{mount}/keys/{key}");
        let request = Request { token: Some(token), ..self.read("transit key", &path) };
        match self.ask::<Data<RawKey>>(request).await {
            Ok(Data { data }) => Ok(Some(KeyInfo {
                latest_version: data.latest_version,
                min_decryption_version: data.min_decryption_version,
                deletion_allowed: data.deletion_allowed,
                exportable: data.exportable,
                rotated: data.rotated(),
            })),
            Err(error) if error.said().is_some_and(|said| said.status == 404) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The version in `vault:v2:...`.
fn version(ciphertext: &str) -> Option<u32> {
    let (version, _) = ciphertext.strip_prefix("vault:v")?.split_once(':')?;
    version.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn the_version_of_a_ciphertext() {
        assert_eq!(version("vault:v12:abc="), Some(12));
        assert_eq!(version("vault:vx:abc="), None);
        assert_eq!(version("abc"), None);
    }
}
