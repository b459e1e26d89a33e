//! The one request that can't be taken back: it makes the keys of a server, and tells them once.
//!
//! Sent once, on a connection of its own, with shares above zero (without any, OpenBao initialises for good and makes no
//! recovery keys). Whoever drops the future gives up the keys: run it in a task that nothing cancels.

use std::fmt;
use std::time::Duration;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::path::Path;
use super::reply::Reply;
use super::request::Request;
use super::{Client, Error, Kind, Operation, Unsendable};

/// Raft took nine seconds when it was measured; a lost answer loses the keys.
const TIMEOUT: Duration = Duration::from_secs(120);

/// How to initialise a server that seals itself.
#[derive(Clone, Debug, Serialize)]
pub struct InitRequest {
    /// Recovery shares, at least one.
    pub recovery_shares: u32,
    /// Shares needed, at most all of them; at least two unless there is one share only.
    pub recovery_threshold: u32,
    /// Base64 of the binary key for each share, or none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub recovery_pgp_keys: Vec<String>,
    /// Base64 of the binary key for the root token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_token_pgp_key: Option<String>,
}

/// What an init answers, once.
#[derive(Clone)]
pub struct InitAnswer {
    /// The shares, in base64; with PGP keys, encrypted.
    pub recovery_keys_base64: Vec<SecretString>,
    /// The root token; with a PGP key, encrypted.
    pub root_token: SecretString,
}

#[derive(Deserialize)]
struct Raw {
    #[serde(default)]
    recovery_keys_base64: Vec<SecretString>,
    root_token: SecretString,
}

impl InitRequest {
    fn checked(&self) -> Result<&Self, Kind> {
        let (shares, threshold) = (self.recovery_shares, self.recovery_threshold);
        let least = if shares == 1 { 1 } else { 2 };
        let recipients = u32::try_from(self.recovery_pgp_keys.len()).unwrap_or(u32::MAX);
        let fits = shares != 0 && (least..=shares).contains(&threshold) && (recipients == 0 || recipients == shares);
        if fits { Ok(self) } else { Err(Kind::Unsendable(Unsendable::Shares)) }
    }
}

impl Client {
    /// Initialises the server, within 120 seconds.
    ///
    /// # Errors
    /// Nothing is sent when the shares don't fit. With [`super::Effect::Unknown`] the server may be initialised with
    /// keys that nobody has. An answer with fewer shares than asked for is no error: they are told this once.
    pub async fn init(&self, init: &InitRequest) -> Result<InitAnswer, Error> {
        let operation = Operation::Init;
        let request = init.checked().map(|init| Request::post(Path::of("sys/init")).with_body(init).within(TIMEOUT));
        self.send(operation, request, read).await
    }
}

fn read(reply: &Reply) -> Result<InitAnswer, Kind> {
    let Raw { recovery_keys_base64, root_token } = reply.bare()?;
    Ok(InitAnswer { recovery_keys_base64, root_token })
}

impl fmt::Debug for InitAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InitAnswer")
            .field("recovery_keys_base64", &self.recovery_keys_base64.len())
            .finish_non_exhaustive()
    }
}
