//! B, as far as an initialisation asks it: the one place where this module meets the client.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use super::failed::Failed;
use super::order::Plan;
use crate::client::{Address, Client, Clients, Error, InitRequest, Kind, Said, ServerSpec};
use crate::settings::Settings;

/// The server in one pod.
pub(super) struct B(Client);

/// What became of the request.
pub(super) enum Sent {
    /// It was answered: the shares in base64, and the root token.
    Answered(Vec<SecretString>, SecretString),
    /// Nothing of it reached the server.
    Never(Error),
    /// Nobody knows, or the server refused.
    Unknown(Error),
}

/// A login that worked.
pub(super) struct Session {
    pub(super) token: SecretString,
    pub(super) policies: Vec<String>,
}

impl B {
    pub(super) fn new(
        clients: &Clients,
        settings: &Settings,
        name: &str,
        ip: std::net::IpAddr,
        ca: Option<Vec<u8>>,
    ) -> Result<Self, Error> {
        let named = &settings.target.verify.server_name;
        let spec = ServerSpec {
            address: Address::of_pod(name.to_owned(), settings.target.port, settings.target.tls),
            connect_to: Some(ip),
            ca: ca.map(Arc::from),
            server_name: (!named.is_empty()).then(|| named.clone()),
            namespace: String::new(),
            timeout: settings.timeout,
        };
        clients.client(&spec).map(Self)
    }

    /// Whether it says that it is initialised.
    pub(super) async fn is_initialised(&self) -> Result<bool, Error> {
        self.0.seal_status().await.map(|status| status.initialized)
    }

    /// Sends the request, once.
    pub(super) async fn send(&self, plan: &Plan) -> Sent {
        let request = InitRequest {
            shares: plan.shares,
            threshold: plan.threshold,
            pgp_keys: plan.recipients.pgp_keys().to_vec(),
        };
        match self.0.init(&request).await {
            Ok(answer) => {
                let shares = answer.recovery_keys.iter().map(in_base64).collect();
                Sent::Answered(shares, answer.root_token)
            }
            Err(error) if never_left(&error.kind) => Sent::Never(error),
            Err(error) => Sent::Unknown(error),
        }
    }

    pub(super) async fn read(&self, token: &SecretString, path: &str) -> Result<Option<Value>, Error> {
        self.0.read_path(token, path).await
    }

    pub(super) async fn write(&self, token: &SecretString, path: &str, body: Value) -> Result<(), Error> {
        self.0.write_path(token, path, body).await.map(drop)
    }

    pub(super) async fn login(&self, mount: &str, role: &str, jwt: &SecretString) -> Result<Session, Failed> {
        let login = self.0.login(mount, role, jwt).await?;
        Ok(Session { token: login.token, policies: login.policies })
    }

    /// The accessor of a token.
    pub(super) async fn accessor(&self, token: &SecretString) -> Result<String, Error> {
        self.0.lookup_self(token).await.map(|found| found.accessor)
    }

    /// Ends a login that served its purpose. It would end by itself.
    pub(super) async fn leave(&self, session: &SecretString) -> Result<(), Error> {
        self.0.revoke_self(session).await
    }

    /// Ends a token by itself, and looks whether it ended. One that is dead already is no error.
    pub(super) async fn end(&self, token: &SecretString) -> Result<(), Failed> {
        if self.is_dead(token).await? {
            return Ok(());
        }
        self.0.revoke_self(token).await?;
        if self.is_dead(token).await? { Ok(()) } else { Err(Failed::RootLives) }
    }

    async fn is_dead(&self, token: &SecretString) -> Result<bool, Error> {
        match self.0.lookup_self(token).await {
            Ok(_) => Ok(false),
            Err(error) if error.said().is_some_and(Said::is_dead_token) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Ends the token with an accessor, and looks whether it ended.
    pub(super) async fn end_accessor(&self, token: &SecretString, accessor: &str) -> Result<(), Failed> {
        self.0.revoke_accessor(token, accessor).await?;
        match self.0.lookup_accessor(token, accessor).await {
            Ok(_) => Err(Failed::RootLives),
            Err(error) if error.said().is_some_and(Said::is_no_accessor) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether a request that failed so can't have reached the server.
fn never_left(kind: &Kind) -> bool {
    match kind {
        Kind::Unresolvable
        | Kind::Forbidden(_)
        | Kind::Refused
        | Kind::Unconnected(_)
        | Kind::NeverConnected
        | Kind::Tls(_)
        | Kind::TokenUnsendable
        | Kind::Unsendable
        | Kind::NoShares
        | Kind::BreakerOpen { .. }
        | Kind::Paced => true,
        Kind::NeverAnswered
        | Kind::CutOff
        | Kind::NotHttp
        | Kind::NotVault { .. }
        | Kind::Redirected { .. }
        | Kind::TooLong
        | Kind::Unreadable { .. }
        | Kind::Said(_) => false,
    }
}

/// Servers tell shares, encrypted ones too, in hexadecimal; people's tools take base64.
fn in_base64(share: &SecretString) -> SecretString {
    let text = share.expose_secret();
    let digits: Option<Vec<u8>> = text.chars().map(|letter| u8::try_from(letter.to_digit(16)?).ok()).collect();
    match digits.map(zeroize::Zeroizing::new) {
        Some(digits) if digits.len() % 2 == 0 => {
            let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
            SecretString::from(STANDARD.encode(zeroize::Zeroizing::new(bytes)))
        }
        Some(_) | None => share.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_told_in_base64() {
        for (told, kept) in [("00ff10", "AP8Q"), ("not hex", "not hex"), ("abc", "abc")] {
            assert_eq!(in_base64(&SecretString::from(told)).expose_secret(), kept);
        }
    }
}
