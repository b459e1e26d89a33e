//! B, as far as an initialisation asks it: the one place where this module meets the client.

use std::net::IpAddr;

use secrecy::SecretString;
use serde_json::Value;

use super::failed::Failed;
use super::order::Plan;
use crate::audit::{Act, told};
use crate::client::{Answer, Client, Clients, Effect, Error, InitRequest, Kind, Says, ServerSpec};
use crate::observe::pod_server;
use crate::settings::Settings;

/// The server in one pod, and the resource for which it is asked.
pub(super) struct B<'a> {
    client: Client,
    settings: &'a Settings,
}

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

impl<'a> B<'a> {
    /// The server that `name` names, in the pod with this address.
    pub(super) fn new(
        clients: &Clients,
        settings: &'a Settings,
        name: &str,
        ip: IpAddr,
        ca: Option<Vec<u8>>,
    ) -> Result<Self, Failed> {
        let spec: ServerSpec = pod_server(settings, name, ip, ca).map_err(|_| Failed::NoAddress(name.to_owned()))?;
        Ok(Self { client: clients.client(&spec)?, settings })
    }

    /// Whether it says that it is initialised.
    pub(super) async fn is_initialised(&self) -> Result<bool, Error> {
        self.client.seal_status().await.map(|status| status.initialized)
    }

    /// Sends the request, once.
    pub(super) async fn send(&self, plan: &Plan) -> Sent {
        let request = InitRequest {
            recovery_shares: plan.shares.into(),
            recovery_threshold: plan.threshold.into(),
            recovery_pgp_keys: plan.recipients.pgp_keys().to_vec(),
            root_token_pgp_key: None,
        };
        match told(self.settings, Act::Initialise, "sys/init", self.client.init(&request)).await {
            Ok(answer) => Sent::Answered(answer.recovery_keys_base64, answer.root_token),
            Err(error) if never_left(&error.kind) => Sent::Never(error),
            Err(error) => Sent::Unknown(error),
        }
    }

    pub(super) async fn read(&self, token: &SecretString, path: &str) -> Result<Option<Answer>, Error> {
        self.client.read(path, token).await
    }

    pub(super) async fn write(&self, act: Act, token: &SecretString, path: &str, body: Value) -> Result<(), Error> {
        told(self.settings, act, path, self.client.write(path, token, &body)).await.map(drop)
    }

    /// The text of a policy; `None` when there is none of this name.
    pub(super) async fn policy(&self, token: &SecretString, name: &str) -> Result<Option<String>, Error> {
        self.client.policy_read(token, name).await
    }

    pub(super) async fn write_policy(&self, token: &SecretString, name: &str, text: &str) -> Result<(), Error> {
        told(self.settings, Act::WritePolicy, name, self.client.policy_write(token, name, text)).await
    }

    pub(super) async fn login(&self, mount: &str, role: &str, jwt: &SecretString) -> Result<Session, Failed> {
        let login = self.client.login(mount, role, jwt).await?;
        Ok(Session { token: login.token, policies: login.policies })
    }

    /// The accessor of a token.
    pub(super) async fn accessor(&self, token: &SecretString) -> Result<SecretString, Error> {
        self.client.lookup_self(token).await.map(|found| found.accessor)
    }

    /// Ends a login that served its purpose. It would end by itself.
    pub(super) async fn leave(&self, session: &SecretString) -> Result<(), Error> {
        self.client.revoke_self(session).await
    }

    /// Ends the root token by itself, and looks whether it ended. One that is dead already is no error.
    pub(super) async fn end(&self, token: &SecretString) -> Result<(), Failed> {
        if self.is_dead(token).await? {
            return Ok(());
        }
        let ended = async {
            self.client.revoke_self(token).await?;
            if self.is_dead(token).await? { Ok(()) } else { Err(Failed::RootLives) }
        };
        told(self.settings, Act::RevokeRoot, "auth/token/revoke-self", ended).await
    }

    async fn is_dead(&self, token: &SecretString) -> Result<bool, Error> {
        match self.client.lookup_self(token).await {
            Ok(_) => Ok(false),
            Err(error) if error.says() == Some(Says::TokenDead) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Ends the root token, which has this accessor, and looks whether it ended.
    pub(super) async fn end_accessor(&self, token: &SecretString, accessor: &SecretString) -> Result<(), Failed> {
        let ended = self.end_and_look_up(token, accessor);
        told(self.settings, Act::RevokeRoot, "auth/token/revoke-accessor", ended).await
    }

    async fn end_and_look_up(&self, token: &SecretString, accessor: &SecretString) -> Result<(), Failed> {
        match self.client.revoke_accessor(token, accessor).await {
            // It ended before, and whoever ended it couldn't say so any more.
            Err(error) if error.says() == Some(Says::InvalidAccessor) => return Ok(()),
            revoked => revoked?,
        }
        match self.client.lookup_accessor(token, accessor).await {
            Ok(_) => Err(Failed::RootLives),
            Err(error) if error.says() == Some(Says::InvalidAccessor) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether a request that failed so can't have reached the server. One that was answered did, whatever became of it: it
/// isn't sent again. TLS was agreed on a moment before, so what fails there now may have failed after the request.
fn never_left(kind: &Kind) -> bool {
    let may_have = matches!(kind, Kind::Answered(_) | Kind::Redirected(_) | Kind::WantsHttps | Kind::Tls(_));
    kind.effect() == Effect::None && !may_have
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{Phase, Refusal, TlsFault};

    #[test]
    fn what_was_answered_or_lost_is_never_sent_again() {
        let refused = Refusal::new(400, &["Vault is already initialized"]);
        for kind in [
            Kind::Answered(refused),
            Kind::TimedOut(Phase::Answer),
            Kind::CutOff(Phase::Body),
            Kind::NotHttp,
            Kind::Tls(TlsFault::NoAgreement),
        ] {
            assert!(!never_left(&kind), "{kind}");
        }
        for kind in [Kind::Refused, Kind::TimedOut(Phase::Handshake), Kind::PacedOut] {
            assert!(never_left(&kind), "{kind}");
        }
    }
}
