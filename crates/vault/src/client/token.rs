//! Tokens: looked up, renewed, made by a role, revoked.
//!
//! A token's `id` is never read, and accessors are kept like secrets, for with one a token can be revoked.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, Serialize};

use super::path::Path;
use super::reply::Reply;
use super::request::{Request, exposed};
use super::{Client, Error, Kind, Operation};

/// What is known about a token. One that a role made periodic shows no `period`, and an `explicit_max_ttl` of zero
/// whatever its role says: judge by the role, by the warnings of [`Minted`] and [`Renewed`], and by their durations.
#[derive(Clone, Debug, Deserialize)]
pub struct TokenLookup {
    /// For looking it up and revoking it.
    #[serde(default)]
    pub accessor: SecretString,
    /// At its creation or last renewal.
    #[serde(default, deserialize_with = "seconds")]
    pub creation_ttl: Duration,
    /// What is left; zero for a root token, which doesn't end.
    #[serde(default, deserialize_with = "seconds")]
    pub ttl: Duration,
    /// When it ends; `None` when it doesn't.
    #[serde(default)]
    pub expire_time: Option<Timestamp>,
    /// When it was made.
    #[serde(default)]
    pub issue_time: Option<Timestamp>,
    /// `None` before the first renewal.
    #[serde(default)]
    pub last_renewal: Option<Timestamp>,
    /// Zero when there is none, or when it came from a role.
    #[serde(default, deserialize_with = "seconds")]
    pub explicit_max_ttl: Duration,
    /// Only when given at creation, not by a role.
    #[serde(default, deserialize_with = "some_seconds")]
    pub period: Option<Duration>,
    /// What its maker noted.
    #[serde(default)]
    pub meta: Option<BTreeMap<String, String>>,
    /// Uses left; 0 is any number.
    #[serde(default)]
    pub num_uses: i64,
    /// Whether no other token's end is its end.
    #[serde(default)]
    pub orphan: bool,
    /// Where it was made.
    #[serde(default)]
    pub path: String,
    /// Its policies.
    #[serde(default, deserialize_with = "or_default")]
    pub policies: Vec<String>,
    /// A root token doesn't say.
    #[serde(default)]
    pub renewable: bool,
    /// The role that made it.
    #[serde(default)]
    pub role: Option<String>,
    /// `service` or `batch`.
    #[serde(default, rename = "type")]
    pub token_type: String,
}

impl TokenLookup {
    /// Whether it may do everything.
    pub fn is_root(&self) -> bool {
        self.policies.iter().any(|policy| policy == "root")
    }
}

/// What is asked of a role that makes a token. No period or lifetime: those are the role's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MintRequest {
    /// Noted on the token, and seen by who looks it up.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub meta: BTreeMap<String, String>,
    /// For the audit log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
}

/// A token that was made.
#[derive(Clone, Debug)]
pub struct Minted {
    /// The token.
    pub token: SecretString,
    /// For looking it up and revoking it.
    pub accessor: SecretString,
    /// How long it lives unless renewed.
    pub lease_duration: Duration,
    /// Whether it can be renewed.
    pub renewable: bool,
    /// Its policies.
    pub policies: Vec<String>,
    /// A capped period is told here and nowhere else.
    pub warnings: Vec<String>,
}

/// A token that was renewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewed {
    /// How long it lives from now.
    pub lease_duration: Duration,
    /// Whether it can be renewed again.
    pub renewable: bool,
    /// A capped period is told here and nowhere else.
    pub warnings: Vec<String>,
}

#[derive(Serialize)]
struct ByAccessor<'a> {
    #[serde(serialize_with = "exposed")]
    accessor: &'a SecretString,
}

impl Client {
    /// What is known about this token.
    ///
    /// # Errors
    /// [`super::Says::TokenDead`]; [`super::Says::Denied`] when its policies don't allow for it.
    pub async fn lookup_self(&self, token: &SecretString) -> Result<TokenLookup, Error> {
        let operation = Operation::LookupSelf;
        let request = Request::get(Path::of("auth/token/lookup-self")).with_token(token);
        self.send(operation, Ok(request), Reply::data).await
    }

    /// Renews this token, for `increment` or, when it is periodic, its period. Zero leaves the time to the server. Sent
    /// once.
    ///
    /// # Errors
    /// [`super::Says::TokenDead`], [`super::Says::Denied`], [`super::Says::RoleGone`].
    pub async fn renew_self(&self, token: &SecretString, increment: Duration) -> Result<Renewed, Error> {
        let operation = Operation::RenewSelf;
        let named = (!increment.is_zero()).then(|| ("increment", format!("{}s", increment.as_secs())));
        let body: BTreeMap<_, _> = named.into_iter().collect();
        let request = Request::post(Path::of("auth/token/renew-self")).with_token(token).with_body(&body);
        self.send(operation, Ok(request), renewed).await
    }

    /// What is known about the token with this accessor.
    ///
    /// # Errors
    /// [`super::Says::InvalidAccessor`] when there is none any more.
    pub async fn lookup_accessor(&self, token: &SecretString, accessor: &SecretString) -> Result<TokenLookup, Error> {
        let operation = Operation::LookupAccessor;
        let request = Request::ask(Path::of("auth/token/lookup-accessor"));
        let request = request.with_token(token).with_secret(accessor).with_body(&ByAccessor { accessor });
        self.send(operation, Ok(request), Reply::data).await
    }

    /// Revokes the token with this accessor. One that is gone already is a success or [`super::Says::InvalidAccessor`].
    /// Sent once.
    ///
    /// # Errors
    /// Any of [`super::Kind`].
    pub async fn revoke_accessor(&self, token: &SecretString, accessor: &SecretString) -> Result<(), Error> {
        let operation = Operation::RevokeAccessor;
        let request = Request::post(Path::of("auth/token/revoke-accessor"));
        let request = request.with_token(token).with_secret(accessor).with_body(&ByAccessor { accessor });
        self.send(operation, Ok(request), |_| Ok(())).await
    }

    /// Revokes this token. Sent once.
    ///
    /// # Errors
    /// [`super::Says::TokenDead`] when it was over before.
    pub async fn revoke_self(&self, token: &SecretString) -> Result<(), Error> {
        let operation = Operation::RevokeSelf;
        let request = Request::post(Path::of("auth/token/revoke-self")).with_token(token);
        self.send(operation, Ok(request), |_| Ok(())).await
    }

    /// Lets a role make a token. Sent once: with [`super::Effect::Unknown`] there may be one that nobody knows.
    ///
    /// # Errors
    /// Any of [`super::Kind`]; a role that doesn't exist is a 400.
    pub async fn create_with_role(
        &self,
        token: &SecretString,
        role: &str,
        mint: &MintRequest,
    ) -> Result<Minted, Error> {
        let operation = Operation::CreateWithRole;
        let path = Path::of("auth/token/create").name(role);
        let request = path.map(|path| Request::post(path).with_token(token).with_body(mint));
        self.send(operation, request, minted).await
    }
}

fn minted(reply: &Reply) -> Result<Minted, Kind> {
    let (auth, warnings) = reply.auth()?;
    Ok(Minted {
        token: auth.client_token,
        accessor: auth.accessor,
        lease_duration: Duration::from_secs(auth.lease_duration),
        renewable: auth.renewable,
        policies: auth.policies.unwrap_or_default(),
        warnings,
    })
}

fn renewed(reply: &Reply) -> Result<Renewed, Kind> {
    let (auth, warnings) = reply.auth()?;
    let lease_duration = Duration::from_secs(auth.lease_duration);
    Ok(Renewed { lease_duration, renewable: auth.renewable, warnings })
}

/// For serde: a list that Go writes as null when it is empty.
pub(super) fn or_default<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// For serde: a number of seconds.
pub(super) fn seconds<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    some_seconds(from).map(Option::unwrap_or_default)
}

/// For serde: a number of seconds, or null.
pub(super) fn some_seconds<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    Ok(Option::<u64>::deserialize(from)?.map(Duration::from_secs))
}
