//! Token roles: they decide what a minted token may do and how long it lives, for lookups don't tell.

use std::time::Duration;

use secrecy::SecretString;
use serde::{Deserialize, Serialize, Serializer};

use super::path::Path;
use super::reply::Reply;
use super::request::{Accept, Request};
use super::token::{or_default, seconds};
use super::{Client, Error, Kind, Operation};

/// A token role: `auth/token/roles/X`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub struct TokenRole {
    /// What its tokens may have.
    #[serde(deserialize_with = "or_default")]
    pub allowed_policies: Vec<String>,
    /// The same as patterns.
    #[serde(deserialize_with = "or_default")]
    pub allowed_policies_glob: Vec<String>,
    /// Whether its tokens outlive their maker.
    pub orphan: bool,
    /// Whether its tokens can be renewed.
    pub renewable: bool,
    /// Zero when its tokens aren't periodic.
    #[serde(deserialize_with = "seconds", serialize_with = "as_seconds")]
    pub token_period: Duration,
    /// Zero when there is none; above zero its tokens end then, renewed or not.
    #[serde(deserialize_with = "seconds", serialize_with = "as_seconds")]
    pub token_explicit_max_ttl: Duration,
    /// Whether its tokens lack the policy `default`, and with it renewal and lookup of themselves.
    pub token_no_default_policy: bool,
    /// Uses of each token; 0 is any number.
    pub token_num_uses: i64,
    /// `default-service`, `service`, `batch` and so on; empty leaves it to the server.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub token_type: String,
    /// Addresses from which its tokens may be used; empty is any.
    #[serde(deserialize_with = "or_default")]
    pub token_bound_cidrs: Vec<String>,
}

impl Client {
    /// A token role; `None` when there is none.
    ///
    /// # Errors
    /// Any of [`super::Kind`].
    pub async fn role_read(&self, token: &SecretString, role: &str) -> Result<Option<TokenRole>, Error> {
        let operation = Operation::RoleRead;
        let request = path(role).map(|path| Request::get(path).with_token(token).accepting(Accept::SuccessOrNone));
        let read = |reply: &Reply| if reply.is_none() { Ok(None) } else { reply.data().map(Some) };
        self.send(operation, request, read).await
    }

    /// Writes a token role whole. Sent once.
    ///
    /// # Errors
    /// Any of [`super::Kind`].
    pub async fn role_write(&self, token: &SecretString, role: &str, settings: &TokenRole) -> Result<(), Error> {
        let operation = Operation::RoleWrite;
        let request = path(role).map(|path| Request::post(path).with_token(token).with_body(settings));
        self.send(operation, request, |_| Ok(())).await
    }
}

fn path(role: &str) -> Result<Path, Kind> {
    Path::of("auth/token/roles").name(role)
}

fn as_seconds<S: Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u64(duration.as_secs())
}
