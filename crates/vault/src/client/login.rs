//! Logging in, for a token that lives a while.

use std::collections::BTreeMap;
use std::time::Duration;

use secrecy::SecretString;
use serde::Serialize;

use super::path::Path;
use super::reply::Reply;
use super::request::{Request, exposed};
use super::{Client, Error, Kind, Operation};

/// A token from a login.
#[derive(Clone, Debug)]
pub struct Login {
    /// The token.
    pub token: SecretString,
    /// For looking it up and revoking it.
    pub accessor: SecretString,
    /// How long it lives unless renewed; zero when it doesn't end.
    pub lease_duration: Duration,
    /// Whether it can be renewed.
    pub renewable: bool,
    /// Its policies.
    pub policies: Vec<String>,
}

impl Client {
    /// Logs in with a token of a ServiceAccount, at a mount of type `kubernetes` or `jwt` alike. Sent once.
    ///
    /// # Errors
    /// [`super::Class::Denied`], or a 400 for a role that there isn't.
    pub async fn login(&self, mount: &str, role: &str, jwt: &SecretString) -> Result<Login, Error> {
        #[derive(Serialize)]
        struct Body<'a> {
            role: &'a str,
            #[serde(serialize_with = "exposed")]
            jwt: &'a SecretString,
        }
        let operation = Operation::Login;
        let request = path(mount).map(|path| Request::post(path).with_secret(jwt).with_body(&Body { role, jwt }));
        self.send(operation, request, read).await
    }

    /// Logs in with an AppRole. Sent once, for a secret ID may be good for one use.
    ///
    /// # Errors
    /// A 400 for either ID.
    pub async fn login_approle(&self, mount: &str, role_id: &str, secret_id: &SecretString) -> Result<Login, Error> {
        #[derive(Serialize)]
        struct Body<'a> {
            role_id: &'a str,
            #[serde(serialize_with = "exposed")]
            secret_id: &'a SecretString,
        }
        let operation = Operation::LoginApprole;
        let request = path(mount).map(|path| {
            let request = Request::post(path).with_secret(secret_id).with_secret(&role_id.into());
            request.with_body(&Body { role_id, secret_id })
        });
        self.send(operation, request, read).await
    }

    /// Enables an auth method at a mount. Sent once.
    ///
    /// # Errors
    /// [`super::Says::PathInUse`] when something is mounted there.
    pub async fn enable_auth(&self, token: &SecretString, mount: &str, auth_type: &str) -> Result<(), Error> {
        self.enable(Operation::EnableAuth, "sys/auth", token, mount, auth_type).await
    }

    /// Mounts a secrets engine. Sent once.
    ///
    /// # Errors
    /// [`super::Says::PathInUse`] when something is mounted there.
    pub async fn mount_enable(&self, token: &SecretString, mount: &str, engine: &str) -> Result<(), Error> {
        self.enable(Operation::MountEnable, "sys/mounts", token, mount, engine).await
    }

    async fn enable(
        &self,
        operation: Operation,
        below: &'static str,
        token: &SecretString,
        mount: &str,
        kind: &str,
    ) -> Result<(), Error> {
        let body = BTreeMap::from([("type", kind)]);
        let path = Path::of(below).mount(mount);
        let request = path.map(|path| Request::post(path).with_token(token).with_body(&body));
        self.send(operation, request, |_| Ok(())).await
    }
}

fn path(mount: &str) -> Result<Path, Kind> {
    Ok(Path::of("auth").mount(mount)?.then("login"))
}

fn read(reply: &Reply) -> Result<Login, Kind> {
    let (auth, _) = reply.auth()?;
    Ok(Login {
        token: auth.client_token,
        accessor: auth.accessor,
        lease_duration: Duration::from_secs(auth.lease_duration),
        renewable: auth.renewable,
        policies: auth.policies.unwrap_or_default(),
    })
}
