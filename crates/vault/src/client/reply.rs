//! One answer: whether Vault gave it, whether it is a success, and its JSON.
//!
//! Nothing of a body is quoted but Vault's `errors`. Reasons of the JSON reader aren't kept: they repeat values.

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use zeroize::Zeroizing;

use super::request::{Accept, Request};
use super::{Kind, Refusal};

/// Letters kept of a content type, which is the one thing that is told about an answer that isn't Vault's.
const CONTENT_TYPE: usize = 60;
/// What Go's server says, in plain text, to who speaks HTTP to its TLS port.
const WANTS_HTTPS: &[u8] = b"Client sent an HTTP request to an HTTPS server.";

/// An answer. No `Debug`: its body may hold secrets.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) content_type: String,
    pub(super) body: Zeroizing<Vec<u8>>,
}

/// A token that was just made.
#[derive(Deserialize)]
pub(super) struct Auth {
    pub(super) client_token: SecretString,
    #[serde(default)]
    pub(super) accessor: SecretString,
    #[serde(default)]
    pub(super) lease_duration: u64,
    #[serde(default)]
    pub(super) renewable: bool,
    #[serde(default)]
    pub(super) policies: Option<Vec<String>>,
}

/// Vault's usual envelope.
#[derive(Deserialize)]
pub(super) struct Envelope<T> {
    #[serde(default = "Option::default")]
    pub(super) data: Option<T>,
    #[serde(default)]
    pub(super) auth: Option<Auth>,
    #[serde(default)]
    pub(super) warnings: Option<Vec<String>>,
}

impl Reply {
    /// Lets through what the request accepts, and says what everything else is.
    pub(super) fn judged(self, request: &Request) -> Result<Self, Kind> {
        if (300..400).contains(&self.status) {
            return Err(Kind::Redirected(self.status));
        }
        if self.status == 400 && self.body.trim_ascii() == WANTS_HTTPS {
            return Err(Kind::WantsHttps);
        }
        if self.status == 204 {
            return Ok(self);
        }
        let object = self.is_json() && serde_json::from_slice::<BTreeMap<String, IgnoredAny>>(&self.body).is_ok();
        match (object, self.is_success(), request.accept) {
            (false, true, Accept::Success | Accept::SuccessOrNone) if self.is_json() => {
                Err(Kind::Malformed(self.status))
            }
            (false, _, _) => Err(self.not_vault()),
            (true, true, Accept::Success | Accept::SuccessOrNone) | (true, _, Accept::Any) => Ok(self),
            (true, false, Accept::Success | Accept::SuccessOrNone) => self.refused(request),
        }
    }

    fn refused(self, request: &Request) -> Result<Self, Kind> {
        #[derive(Deserialize)]
        struct Errors {
            errors: Vec<String>,
        }
        let Ok(Errors { errors }) = serde_json::from_slice(&self.body) else { return Err(self.not_vault()) };
        match request.accept {
            Accept::SuccessOrNone if self.is_none() && errors.is_empty() => Ok(self),
            Accept::Success | Accept::SuccessOrNone | Accept::Any => {
                Err(Kind::Answered(Refusal::of_request(self.status, &errors, request.sender(), &request.secrets)))
            }
        }
    }

    fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether this is the 404 of `Accept::SuccessOrNone`.
    pub(super) fn is_none(&self) -> bool {
        self.status == 404
    }

    fn is_json(&self) -> bool {
        media_type(&self.content_type).eq_ignore_ascii_case("application/json")
    }

    pub(super) fn not_vault(&self) -> Kind {
        let printable = media_type(&self.content_type).chars().filter(|letter| letter.is_ascii_graphic());
        Kind::NotVault { status: self.status, content_type: printable.take(CONTENT_TYPE).collect() }
    }

    pub(super) fn malformed(&self) -> Kind {
        Kind::Malformed(self.status)
    }

    /// The JSON as it is.
    pub(super) fn bare<T: DeserializeOwned>(&self) -> Result<T, Kind> {
        serde_json::from_slice(&self.body).map_err(|_| self.malformed())
    }

    /// The envelope.
    pub(super) fn envelope<T: DeserializeOwned>(&self) -> Result<Envelope<T>, Kind> {
        self.bare()
    }

    /// What the envelope's `data` holds.
    pub(super) fn data<T: DeserializeOwned>(&self) -> Result<T, Kind> {
        self.envelope()?.data.ok_or_else(|| self.malformed())
    }

    /// The token in the envelope, and the warnings that came with it.
    pub(super) fn auth(&self) -> Result<(Auth, Vec<String>), Kind> {
        let envelope: Envelope<IgnoredAny> = self.envelope()?;
        let auth = envelope.auth.ok_or_else(|| self.malformed())?;
        Ok((auth, envelope.warnings.unwrap_or_default()))
    }
}

fn media_type(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}
