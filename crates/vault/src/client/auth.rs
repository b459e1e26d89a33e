//! Logging in.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Client, Error};

/// A login that worked.
#[derive(Clone, Debug)]
pub struct Login {
    /// The token it gave.
    pub token: SecretString,
    /// By which it can be revoked.
    pub accessor: String,
    /// For how long it lives.
    pub lease: Duration,
    /// Its policies.
    pub policies: Vec<String>,
}

#[derive(Deserialize)]
struct Answer {
    auth: Granted,
}

#[derive(Deserialize)]
struct Granted {
    client_token: SecretString,
    #[serde(default)]
    accessor: String,
    #[serde(default)]
    lease_duration: u64,
    #[serde(default)]
    policies: Option<Vec<String>>,
}

impl Client {
    /// Logs in with a token of a ServiceAccount: the same for the methods `kubernetes` and `jwt`.
    ///
    /// # Errors
    /// When it doesn't answer, or refuses.
    pub async fn login(&self, mount: &str, role: &str, jwt: &SecretString) -> Result<Login, Error> {
        self.log_in(mount, json!({ "role": role, "jwt": jwt.expose_secret() })).await
    }

    /// Logs in with a role and its secret.
    ///
    /// # Errors
    /// When it doesn't answer, or refuses.
    pub async fn login_approle(&self, mount: &str, role: &str, secret: &SecretString) -> Result<Login, Error> {
        self.log_in(mount, json!({ "role_id": role, "secret_id": secret.expose_secret() })).await
    }

    async fn log_in(&self, mount: &str, body: Value) -> Result<Login, Error> {
        let path = format!("auth/{mount}/login");
        let granted = self.ask::<Answer>(self.write("login", &path, body)).await?.auth;
        Ok(Login {
            token: granted.client_token,
            accessor: granted.accessor,
            lease: Duration::from_secs(granted.lease_duration),
            policies: granted.policies.unwrap_or_default(),
        })
    }
}
