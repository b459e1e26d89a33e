//! Tries B's token and key out, in an order in which nothing is made that wasn't there.
//!
//! Canaries are decrypted first: that never makes a key. A fresh encryption follows only when it is known that it can't make
//! one either: the token may not `create`, or the key was just seen or used.

use secrecy::{ExposeSecret as _, SecretString};

use super::reach;
use crate::client::{self, Capability, Ciphertext, Class, Client, Error, Says};
use crate::rehearsal::{CANARY, Fresh, Ledger, Refusal, Trial};
use crate::settings::Settings;
use crate::view::{KeyFacts, Lookup, Reach};

/// What A says of the token, and what came of trying it.
pub(super) async fn run(
    a: &Client,
    settings: &Settings,
    token: &SecretString,
    ledger: &Ledger,
    key: Option<&Option<KeyFacts>>,
) -> (Lookup, Option<Trial>) {
    let lookup = look_up(a, settings, token).await;
    let mut kept = Vec::new();
    for canary in &ledger.canaries {
        kept.push((canary.version, decrypt(a, settings, token, &canary.ciphertext).await));
    }
    let fresh = match &lookup {
        Lookup::Dead => Some(Err(Refusal::Dead)),
        Lookup::Alive { root: true, .. } | Lookup::Alive { makes_keys: Some(true), .. } => None,
        Lookup::Alive { makes_keys: None, .. } | Lookup::Blind | Lookup::Unseen if !key_is_there(&kept, key) => None,
        Lookup::Alive { .. } | Lookup::Blind | Lookup::Unseen => Some(encrypt(a, settings, token).await),
    };
    (lookup, Some(Trial { kept, fresh }))
}

/// Whether the key was seen a moment ago.
fn key_is_there(kept: &[(u32, Result<(), Refusal>)], key: Option<&Option<KeyFacts>>) -> bool {
    matches!(key, Some(Some(_))) || kept.iter().any(|(_, tried)| tried.is_ok())
}

async fn look_up(a: &Client, settings: &Settings, token: &SecretString) -> Lookup {
    let found = match a.lookup_self(token).await {
        Ok(found) => found,
        Err(error) => return refused(&error),
    };
    let root = found.is_root();
    let makes_keys = if root { Some(true) } else { makes_keys(a, settings, token).await };
    Lookup::Alive {
        ends: found.expire_time,
        life: found.creation_ttl.max(found.ttl),
        renewable: found.renewable,
        orphan: found.orphan || root,
        role: found.role,
        period: found.period,
        root,
        makes_keys,
    }
}

fn refused(error: &Error) -> Lookup {
    match (error.says(), error.class()) {
        (Some(Says::TokenDead), _) => Lookup::Dead,
        (Some(_), Class::Denied) => Lookup::Blind,
        (Some(_) | None, _) => Lookup::Unseen,
    }
}

/// Whether the token could make the key; `None` when it may not ask that.
async fn makes_keys(a: &Client, settings: &Settings, token: &SecretString) -> Option<bool> {
    let path = format!("{}/encrypt/{}", settings.transit.mount, settings.transit.key);
    let capabilities = a.capabilities_self(token, &[&path]).await.ok()?;
    let listed = capabilities.get(&path)?;
    Some(listed.contains(&Capability::Create) || listed.contains(&Capability::Root))
}

async fn decrypt(a: &Client, settings: &Settings, token: &SecretString, canary: &str) -> Result<(), Refusal> {
    // Canaries are kept in the status, where somebody may have written something else.
    let Some(canary) = Ciphertext::parse(canary) else {
        return Err(Refusal::Other("the canary isn't a ciphertext of a transit key".to_owned()));
    };
    let (mount, key) = (&settings.transit.mount, &settings.transit.key);
    match a.transit_decrypt(token, mount, key, &canary).await {
        Ok(text) if text.expose_secret() == CANARY => Ok(()),
        // Whatever it is, it isn't what was encrypted: the answer of no transit key.
        Ok(_) => Err(Refusal::KeyReplaced),
        Err(error) => Err(refusal(&error)),
    }
}

async fn encrypt(a: &Client, settings: &Settings, token: &SecretString) -> Result<Fresh, Refusal> {
    let (mount, key) = (&settings.transit.mount, &settings.transit.key);
    let made = a.transit_encrypt(token, mount, key, CANARY).await.map_err(|error| refusal(&error))?;
    decrypt(a, settings, token, made.text()).await?;
    Ok(Fresh { version: made.version(), ciphertext: made.text().to_owned() })
}

fn refusal(error: &Error) -> Refusal {
    match error.refusal() {
        Some(said) => answered(said, error.class()),
        None => Refusal::Silent(reach::of(error)),
    }
}

fn answered(said: &client::Refusal, class: Class) -> Refusal {
    match said.says() {
        Says::TokenDead => Refusal::Dead,
        Says::Denied => Refusal::Denied,
        Says::Sealed => Refusal::Silent(Reach::Sealed),
        // A standby passes requests on, and nobody leads to whom: its own status says nothing of that.
        Says::NoActiveNode => Refusal::Silent(Reach::StandbyOnly),
        Says::KeyReplaced => Refusal::KeyReplaced,
        Says::VersionTooOld => Refusal::VersionTooOld,
        Says::VersionTooNew => Refusal::VersionTooNew,
        Says::KeyMissing | Says::NoRoute => Refusal::KeyMissing,
        Says::Other if said.status() == 404 && said.errors().is_empty() => Refusal::KeyMissing,
        Says::Other if class == Class::Denied => Refusal::Denied,
        Says::InvalidAccessor
        | Says::NotInitialised
        | Says::AlreadyInitialised
        | Says::RoleGone
        | Says::PathInUse
        | Says::Other => Refusal::Other(said.to_string()),
    }
}

/// Whether the newest canary still decrypts: the one request of a glance at A, which tells of A, the token and the key.
pub(super) async fn decrypts(a: &Client, settings: &Settings, token: Option<&SecretString>, ledger: &Ledger) -> bool {
    match (token, ledger.canaries.last()) {
        (Some(token), Some(canary)) => decrypt(a, settings, token, &canary.ciphertext).await.is_ok(),
        (None, _) | (_, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standby_without_a_leader_keeps_b_from_starting() {
        let said = client::Refusal::new(500, &["local node not active but active cluster node not found"]);
        let refused = answered(&said, Class::Transient);
        assert_eq!(refused, Refusal::Silent(Reach::StandbyOnly));
        let trial = Trial { kept: vec![(1, Err(refused))], fresh: None };
        let outcome = crate::rehearsal::judge(&trial, &Ledger::default());
        let cause = crate::cause::Cause::TransitStandbyOnly;
        assert_eq!(outcome, crate::rehearsal::Outcome::Failed(cause, Reach::StandbyOnly.message()));
    }
}
