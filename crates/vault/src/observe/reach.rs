//! Whether A answers, and what an error says about it.

use super::Secrets;
use crate::client::{self, Client, Clients, Error, Kind, Phase, Says, SealStatus, ServerSpec, Unsendable};
use crate::settings::Settings;
use crate::view::{Product, Reach, ServerFacts};

/// A client of A, or why there can't be one.
pub(super) async fn client(clients: &Clients, settings: &Settings, secrets: &Secrets<'_>) -> Result<Client, Reach> {
    let transit = &settings.transit;
    let ca = match &transit.verify.ca_secret_ref {
        Some(reference) => Some(secrets.authority(reference).await.map_err(Reach::Tls)?),
        None => None,
    };
    let spec = ServerSpec::new(transit.address.clone())
        .with_namespace(transit.namespace.clone())
        .with_timeout(settings.timeout)
        .with_asker(settings.uid.clone());
    let spec = verified(spec, ca, &transit.verify.server_name);
    clients.client(&spec).map_err(|error| of(&error))
}

/// A server whose certificate is verified with this authority and this name, where they are given.
pub(super) fn verified(spec: ServerSpec, ca: Option<Vec<u8>>, name: &str) -> ServerSpec {
    let spec = match ca {
        Some(ca) => spec.with_ca(ca),
        None => spec,
    };
    if name.is_empty() { spec } else { spec.with_server_name(name) }
}

/// Whether A answers, and what it says about itself.
pub(super) async fn ask(a: &Client) -> (Reach, Option<ServerFacts>) {
    match a.seal_status().await {
        Ok(status) => {
            let reach = match (status.initialized, status.sealed) {
                (false, _) => Reach::Uninitialised,
                (true, true) => Reach::Sealed,
                (true, false) => Reach::Answers,
            };
            (reach, Some(facts(&status)))
        }
        Err(error) => (of(&error), None),
    }
}

/// What an error says about the server that was asked.
pub(super) fn of(error: &Error) -> Reach {
    let kind = error.cause();
    let text = || kind.to_string();
    match kind {
        Kind::Unresolvable
        | Kind::Refused
        | Kind::Unreachable(_)
        | Kind::TimedOut(Phase::Turn | Phase::Resolve | Phase::Connect)
        | Kind::CutOff(_)
        | Kind::BreakerOpen { .. }
        | Kind::PacedOut => Reach::Unreachable(text()),
        Kind::TimedOut(Phase::Handshake | Phase::Answer | Phase::Body) => Reach::Hangs,
        Kind::Tls(fault) => Reach::Tls(fault.to_string()),
        Kind::Unsendable(wrong @ (Unsendable::Ca | Unsendable::ServerName)) => Reach::Tls(wrong.to_string()),
        Kind::Forbidden(_) => Reach::Forbidden(text()),
        Kind::Redirected(_) => Reach::StandbyOnly,
        Kind::Answered(refusal) if refusal.says() == Says::Sealed => Reach::Sealed,
        Kind::Answered(refusal) if refusal.says() == Says::NoActiveNode => Reach::StandbyOnly,
        Kind::NotHttp
        | Kind::WantsHttps
        | Kind::NotVault { .. }
        | Kind::TooLarge
        | Kind::Malformed(_)
        | Kind::Answered(_)
        | Kind::Unsendable(Unsendable::Token | Unsendable::Path | Unsendable::Shares | Unsendable::Namespace) => {
            Reach::NotVault(text())
        }
    }
}

/// What a server says about itself.
pub(super) fn facts(status: &SealStatus) -> ServerFacts {
    ServerFacts {
        product: product(status.product),
        version: status.version.clone(),
        cluster_id: status.cluster_id.clone().filter(|id| !id.is_empty()),
        seal_type: status.seal_type.clone(),
        initialised: status.initialized,
        sealed: status.sealed,
        migration: status.migration,
        threshold: status.t,
        shares: status.n,
    }
}

/// A server that tells no date is taken for Vault, whose older releases told none.
fn product(told: client::Product) -> Product {
    match told {
        client::Product::OpenBao => Product::OpenBao,
        client::Product::Vault | client::Product::Unknown => Product::Vault,
    }
}
