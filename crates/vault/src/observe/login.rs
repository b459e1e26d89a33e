//! Our own logins, where the spec has them: to A for looking at the key and the role, and for making tokens; to B for who
//! votes.

use std::collections::BTreeMap;
use std::time::Duration;

use holdfast_api::vault_transit_unseal::SealAuth;

use jiff::Timestamp;
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::PostParams;
use kube::{Api, Client as Kube};
use secrecy::SecretString;

use super::Secrets;
use crate::client::{Client, Error, Login as Granted, Says};
use crate::settings::Settings;
use crate::view::{KeyFacts, Login, Lookup, Role, RoleSight};

/// For how long a ServiceAccount's token is asked for, in seconds: the shortest that the API server gives.
const TOKEN: i64 = 600;
/// A login is used for so long at most, so that a policy that was changed on A is seen.
const LONGEST: Duration = Duration::from_secs(600);

/// A login that lasts.
#[derive(Default)]
pub(crate) struct Session {
    held: Option<Held>,
}

struct Held {
    token: SecretString,
    until: Option<Timestamp>,
    /// When the token ends that somebody gave us.
    ends: Option<Timestamp>,
    by_token: bool,
    /// What it was made with: other settings make another login.
    auth: String,
}

impl Session {
    /// One that has logged in.
    #[cfg(test)]
    pub(crate) fn with(token: SecretString) -> Self {
        Self { held: Some(Held { token, until: None, ends: None, by_token: false, auth: String::new() }) }
    }

    /// The token of the login, if there is one.
    pub(crate) fn token(&self) -> Option<&SecretString> {
        self.held.as_ref().map(|held| &held.token)
    }

    /// Forgets the login: it was refused somewhere.
    pub(crate) fn forget(&mut self) {
        self.held = None;
    }

    /// Logs in unless there is a login, and says how it stands.
    pub(super) async fn refresh(
        &mut self,
        kube: &Kube,
        auth: Option<&SealAuth>,
        secrets: &Secrets<'_>,
        server: &Client,
    ) -> Login {
        let Some(auth) = auth else {
            self.held = None;
            return Login::NotConfigured;
        };
        let now = Timestamp::now();
        let with = format!("{auth:?}");
        let lasts = |held: &Held| held.auth == with && held.until.is_none_or(|until| now < until);
        if !self.held.as_ref().is_some_and(lasts) {
            self.held = match log_in(kube, auth, secrets, server, &with).await {
                Ok(held) => Some(held),
                Err(login) => {
                    self.held = None;
                    return login;
                }
            };
        }
        match &self.held {
            Some(Held { by_token: true, ends, .. }) => Login::ByToken { ends: *ends },
            Some(_) => Login::Works,
            None => Login::Untried,
        }
    }

    /// What the key is like, where we may see it.
    pub(super) async fn key(&mut self, a: &Client, settings: &Settings) -> Option<Option<KeyFacts>> {
        let token = self.token()?.clone();
        match a.transit_key(&token, &settings.transit.mount, &settings.transit.key).await {
            Ok(found) => Some(found.map(|key| KeyFacts {
                latest: key.latest_version,
                min_decryption: key.min_decryption_version,
                deletion_allowed: key.deletion_allowed,
                exportable: key.exportable,
                rotated: key.versions.get(&key.latest_version).copied(),
            })),
            // Without the mount there is no key.
            Err(error) if error.says() == Some(Says::NoRoute) => Some(None),
            Err(error) => {
                self.doubt(&error);
                None
            }
        }
    }

    /// Whether each member of B's raft votes, by its node ID; `None` where that can't be seen.
    pub(super) async fn voters(&mut self, b: &Client) -> Option<BTreeMap<String, bool>> {
        let token = self.token()?.clone();
        match b.raft_configuration(&token).await {
            Ok(raft) => Some(raft.servers.into_iter().map(|server| (server.node_id, server.voter)).collect()),
            Err(error) => {
                self.doubt(&error);
                None
            }
        }
    }

    /// What the role is like that made B's token, where we may see it.
    pub(super) async fn role(&mut self, a: &Client, settings: &Settings, lookup: &Lookup) -> RoleSight {
        let (Some(token), Lookup::Alive { role, .. }) = (self.token().cloned(), lookup) else {
            return RoleSight::Unseen;
        };
        let named = (!settings.role.is_empty()).then(|| settings.role.clone());
        let Some(name) = named.or_else(|| role.clone()) else { return RoleSight::Unseen };
        let some = |time: Duration| (!time.is_zero()).then_some(time);
        match a.role_read(&token, &name).await {
            Ok(None) => RoleSight::Gone(name),
            Ok(Some(found)) => RoleSight::Seen(Role {
                name,
                period: some(found.token_period),
                orphan: found.orphan,
                renewable: found.renewable,
                explicit_max: some(found.token_explicit_max_ttl),
                default_policy: !found.token_no_default_policy,
            }),
            Err(error) => {
                self.doubt(&error);
                RoleSight::Unseen
            }
        }
    }

    /// A login that isn't known any more is made anew at the next look.
    fn doubt(&mut self, error: &Error) {
        if error.says() == Some(Says::TokenDead) {
            self.forget();
        }
    }
}

async fn log_in(
    kube: &Kube,
    auth: &SealAuth,
    secrets: &Secrets<'_>,
    server: &Client,
    with: &str,
) -> Result<Held, Login> {
    if let Some(account) = &auth.service_account {
        let jwt = account_token(kube, secrets.namespace(), &account.name, &account.audience).await?;
        return granted(server.login(&account.mount, &account.role, &jwt).await, with);
    }
    if let Some(role) = &auth.app_role {
        let secret = read(secrets, &role.secret_id_ref).await?;
        return granted(server.login_approle(&role.mount, &role.role_id, &secret).await, with);
    }
    let Some(reference) = &auth.token_ref else { return Err(Login::NotConfigured) };
    let token = read(secrets, reference).await?;
    match server.lookup_self(&token).await {
        Ok(found) => {
            let until = Some(Timestamp::now() + LONGEST);
            Ok(Held { token, until, ends: found.expire_time, by_token: true, auth: with.to_owned() })
        }
        Err(error) => Err(refused(&error)),
    }
}

/// Used for half of its life.
fn granted(login: Result<Granted, Error>, with: &str) -> Result<Held, Login> {
    let login = login.map_err(|error| refused(&error))?;
    let lease = login.lease_duration;
    let half = if lease.is_zero() { LONGEST } else { (lease / 2).min(LONGEST) };
    let until = Some(Timestamp::now() + half);
    Ok(Held { token: login.token, until, ends: None, by_token: false, auth: with.to_owned() })
}

fn refused(error: &Error) -> Login {
    error.refusal().map_or(Login::Untried, |refusal| Login::Refused(refusal.to_string()))
}

async fn read(
    secrets: &Secrets<'_>,
    reference: &holdfast_api::vault_transit_unseal::SecretKeyRef,
) -> Result<SecretString, Login> {
    let missing = || Login::Refused(format!("the Secret {} has no usable key {}", reference.name, reference.key));
    let bytes = zeroize::Zeroizing::new(secrets.read(reference).await.map_err(|_| missing())?);
    let text = std::str::from_utf8(&bytes).map_err(|_| missing())?;
    Ok(SecretString::from(text.trim()))
}

/// Why there is no token of a ServiceAccount.
#[derive(Debug)]
pub(crate) enum NoToken {
    /// The API server says no, with its words.
    Refused(String),
    /// It wasn't reached, or failed.
    Unseen,
}

impl From<NoToken> for Login {
    fn from(why: NoToken) -> Self {
        match why {
            NoToken::Refused(said) => Self::Refused(said),
            NoToken::Unseen => Self::Untried,
        }
    }
}

/// A token of a ServiceAccount for one server alone. Never our own.
pub(crate) async fn account_token(
    kube: &Kube,
    namespace: &str,
    account: &str,
    audience: &str,
) -> Result<SecretString, NoToken> {
    let api: Api<ServiceAccount> = Api::namespaced(kube.clone(), namespace);
    let spec = TokenRequestSpec {
        audiences: vec![audience.to_owned()],
        expiration_seconds: Some(TOKEN),
        bound_object_ref: None,
    };
    let request = TokenRequest { spec, ..TokenRequest::default() };
    match api.create_token_request(account, &PostParams::default(), &request).await {
        Ok(answer) => answer
            .status
            .map(|status| SecretString::from(status.token))
            .ok_or_else(|| NoToken::Refused("the API server answered a TokenRequest without a token".to_owned())),
        Err(kube::Error::Api(status)) if status.code == 403 || status.code == 404 => {
            Err(NoToken::Refused(format!("no token of the ServiceAccount {account}: {}", status.message)))
        }
        Err(error) => {
            tracing::debug!(%error, account, "no token of a ServiceAccount");
            Err(NoToken::Unseen)
        }
    }
}
