//! Whether A answers, and what an error says about it.

use std::sync::Arc;

use super::Secrets;
use crate::client::{Client, Clients, Error, Kind, SealStatus, ServerSpec};
use crate::settings::Settings;
use crate::view::{Reach, ServerFacts};

/// A client of A, or why there can't be one.
pub(super) async fn client(clients: &Clients, settings: &Settings, secrets: &Secrets<'_>) -> Result<Client, Reach> {
    let transit = &settings.transit;
    let ca = match &transit.verify.ca_secret_ref {
        Some(reference) => Some(secrets.authority(reference).await.map_err(Reach::Tls)?),
        None => None,
    };
    let named = &transit.verify.server_name;
    let spec = ServerSpec {
        address: transit.address.clone(),
        connect_to: None,
        ca: ca.map(Arc::from),
        server_name: (!named.is_empty()).then(|| named.clone()),
        namespace: transit.namespace.clone(),
        timeout: settings.timeout,
    };
    clients.client(&spec).map_err(|error| of(&error))
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
    match kind {
        Kind::Unresolvable
        | Kind::Refused
        | Kind::Unconnected(_)
        | Kind::NeverConnected
        | Kind::CutOff
        | Kind::BreakerOpen { .. }
        | Kind::Paced => Reach::Unreachable(kind.to_string()),
        Kind::NeverAnswered => Reach::Hangs,
        Kind::Tls(trouble) => Reach::Tls(trouble.as_str().to_owned()),
        Kind::Forbidden(forbidden) => Reach::Forbidden(forbidden.as_str().to_owned()),
        Kind::Redirected { .. } => Reach::StandbyOnly,
        Kind::NotHttp | Kind::NotVault { .. } | Kind::TooLong | Kind::Unreadable { .. } => {
            Reach::NotVault(kind.to_string())
        }
        Kind::Said(said) if said.is_sealed() => Reach::Sealed,
        Kind::Said(_) | Kind::TokenUnsendable | Kind::Unsendable | Kind::NoShares => Reach::NotVault(kind.to_string()),
    }
}

/// What a server says about itself.
pub(super) fn facts(status: &SealStatus) -> ServerFacts {
    ServerFacts {
        product: status.product(),
        version: status.version.clone(),
        cluster_id: status.cluster_id.clone().filter(|id| !id.is_empty()),
        seal_type: status.kind.clone(),
        initialised: status.initialized,
        sealed: status.sealed,
        migration: status.migration,
        threshold: status.t,
        shares: status.n,
    }
}
