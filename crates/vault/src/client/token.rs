//! Tokens: looking at one, renewing it, making one by a role.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::{Client, Data, Error, Repeat, Request, moment};

/// What `lookup-self` and `lookup-accessor` tell.
///
/// A token that a role made has no `period` here and an `explicit_max_ttl` of zero, whatever its role says: only the role
/// tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenLookup {
    /// By which it can be looked up and revoked without knowing it.
    pub accessor: String,
    /// How long it lived when it was made or renewed last; zero for one that doesn't end.
    pub creation_ttl: Duration,
    /// How long it has left; zero for one that doesn't end.
    pub ttl: Duration,
    /// When it ends.
    pub expire_time: Option<Timestamp>,
    /// Whether it outlives the token that made it.
    pub orphan: bool,
    /// Whether it can be renewed.
    pub renewable: bool,
    /// The period it renews for, where it was named when the token was made.
    pub period: Option<Duration>,
    /// The role that made it.
    pub role: Option<String>,
    /// Its policies.
    pub policies: Vec<String>,
    /// What was noted when it was made.
    pub meta: BTreeMap<String, String>,
    /// When it was renewed last, by whomever.
    pub last_renewal: Option<Timestamp>,
}

impl TokenLookup {
    /// Whether it may do anything.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.policies.iter().any(|policy| policy == "root")
    }
}

#[derive(Deserialize)]
struct Raw {
    #[serde(default)]
    accessor: String,
    #[serde(default)]
    creation_ttl: u64,
    #[serde(default)]
    ttl: u64,
    #[serde(default)]
    expire_time: Option<String>,
    #[serde(default)]
    orphan: bool,
    #[serde(default)]
    renewable: bool,
    #[serde(default)]
    period: Option<u64>,
    #[serde(default)]
    role: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    policies: Vec<String>,
    #[serde(default, deserialize_with = "nullable")]
    meta: BTreeMap<String, String>,
    #[serde(default)]
    last_renewal: Option<String>,
}

/// Go writes an empty list or map as `null`.
fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

impl From<Raw> for TokenLookup {
    fn from(raw: Raw) -> Self {
        Self {
            accessor: raw.accessor,
            creation_ttl: Duration::from_secs(raw.creation_ttl),
            ttl: Duration::from_secs(raw.ttl),
            expire_time: moment(raw.expire_time.as_deref()),
            orphan: raw.orphan,
            renewable: raw.renewable,
            period: raw.period.filter(|period| *period != 0).map(Duration::from_secs),
            role: raw.role.filter(|role| !role.is_empty()),
            policies: raw.policies,
            meta: raw.meta,
            last_renewal: moment(raw.last_renewal.as_deref()),
        }
    }
}

/// What a renewal came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewed {
    /// For how long it lives from now on.
    pub lease: Duration,
    /// What the server warned of, such as a capped period.
    pub warnings: Vec<String>,
}

/// A token that was just made.
#[derive(Debug)]
pub struct Minted {
    /// The token.
    pub token: SecretString,
    /// By which it can be looked up and revoked without knowing it.
    pub accessor: String,
    /// For how long it lives.
    pub lease: Duration,
    /// What the server warned of, such as a capped period.
    pub warnings: Vec<String>,
}

/// A role that makes tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct TokenRole {
    /// The policies its tokens get.
    #[serde(deserialize_with = "nullable")]
    pub allowed_policies: Vec<String>,
    /// Whether its tokens are orphans.
    pub orphan: bool,
    /// Whether its tokens can be renewed.
    pub renewable: bool,
    /// The period of its tokens in seconds; zero for none.
    pub token_period: u64,
    /// After which its tokens end whatever is done, in seconds; zero for never.
    pub token_explicit_max_ttl: u64,
    /// Whether its tokens lack the policy `default`, by which they look at and renew themselves.
    pub token_no_default_policy: bool,
}

#[derive(Deserialize)]
struct Auth {
    auth: Granted,
    #[serde(default, deserialize_with = "nullable")]
    warnings: Vec<String>,
}

#[derive(Deserialize)]
struct Granted {
    client_token: SecretString,
    #[serde(default)]
    accessor: String,
    #[serde(default)]
    lease_duration: u64,
}

impl Client {
    /// What the server knows of a token, asked with it.
    ///
    /// # Errors
    /// `is_dead_token` when it doesn't live, `is_denied` when it may not look at itself.
    pub async fn lookup_self(&self, token: &SecretString) -> Result<TokenLookup, Error> {
        let request = Request { token: Some(token), ..self.read("lookup-self", "auth/token/lookup-self") };
        Ok(self.ask::<Data<Raw>>(request).await?.data.into())
    }

    /// What the server knows of the token with this accessor.
    ///
    /// # Errors
    /// `is_no_accessor` when there is none.
    pub async fn lookup_accessor(&self, token: &SecretString, accessor: &str) -> Result<TokenLookup, Error> {
        let body = json!({ "accessor": accessor });
        let request = self.write("lookup-accessor", "auth/token/lookup-accessor", body);
        let request = Request { token: Some(token), repeat: Repeat::Read, ..request };
        Ok(self.ask::<Data<Raw>>(request).await?.data.into())
    }

    /// Renews a token with itself, for as long as its period.
    ///
    /// # Errors
    /// `is_role_gone` when its role was deleted; the others as for a lookup.
    pub async fn renew_self(&self, token: &SecretString) -> Result<Renewed, Error> {
        let request = self.write("renew-self", "auth/token/renew-self", json!({}));
        let answer: Auth = self.ask(Request { token: Some(token), ..request }).await?;
        Ok(Renewed { lease: Duration::from_secs(answer.auth.lease_duration), warnings: answer.warnings })
    }

    /// Makes a token by a role. Sent once: when the answer is lost, there is one more that nobody uses.
    ///
    /// # Errors
    /// When it doesn't answer, or the token may not.
    pub async fn mint(
        &self,
        token: &SecretString,
        role: &str,
        meta: &BTreeMap<String, String>,
    ) -> Result<Minted, Error> {
        let path = format!("auth/token/create/{role}");
        let request = self.write("token create", &path, json!({ "meta": meta, "display_name": "holdfast" }));
        let answer: Auth = self.ask(Request { token: Some(token), ..request }).await?;
        Ok(Minted {
            token: answer.auth.client_token,
            accessor: answer.auth.accessor,
            lease: Duration::from_secs(answer.auth.lease_duration),
            warnings: answer.warnings,
        })
    }

    /// Ends the token with this accessor. Ending it twice is no error.
    ///
    /// # Errors
    /// When it doesn't answer, or the token may not.
    pub async fn revoke_accessor(&self, token: &SecretString, accessor: &str) -> Result<(), Error> {
        let request = self.write("revoke-accessor", "auth/token/revoke-accessor", json!({ "accessor": accessor }));
        match self.ask::<Value>(Request { token: Some(token), ..request }).await {
            Ok(_) => Ok(()),
            Err(error) if error.said().is_some_and(super::Said::is_no_accessor) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Ends a token with itself.
    ///
    /// # Errors
    /// When it doesn't answer, or the token doesn't live.
    pub async fn revoke_self(&self, token: &SecretString) -> Result<(), Error> {
        let request = self.write("revoke-self", "auth/token/revoke-self", json!({}));
        self.ask::<Value>(Request { token: Some(token), ..request }).await.map(drop)
    }

    /// A role that makes tokens; `None` when there is none of that name.
    ///
    /// # Errors
    /// When it doesn't answer, or the token may not.
    pub async fn token_role(&self, token: &SecretString, role: &str) -> Result<Option<TokenRole>, Error> {
        let path = format!("auth/token/roles/{role}");
        let request = Request { token: Some(token), ..self.read("token role", &path) };
        match self.ask::<Data<TokenRole>>(request).await {
            Ok(answer) => Ok(Some(answer.data)),
            Err(error) if error.said().is_some_and(|said| said.status == 404) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What a token may do at each of these paths.
    ///
    /// # Errors
    /// When it doesn't answer, or the token may not ask that.
    pub async fn capabilities(
        &self,
        token: &SecretString,
        paths: &[&str],
    ) -> Result<BTreeMap<String, Vec<String>>, Error> {
        let request = self.write("capabilities-self", "sys/capabilities-self", json!({ "paths": paths }));
        let request = Request { token: Some(token), repeat: Repeat::Read, ..request };
        let answer: BTreeMap<String, Value> = self.ask::<Data<_>>(request).await?.data;
        let listed = |value: &Value| serde_json::from_value(value.clone()).ok();
        Ok(answer.into_iter().filter_map(|(path, value)| listed(&value).map(|list| (path, list))).collect())
    }
}
