//! Tries B's token and key out, in an order in which nothing is made that wasn't there.
//!
//! Canaries are decrypted first: that never makes a key. A fresh encryption follows only when it is known that it can't make
//! one either: the token may not `create`, or the key was just seen or used.

use secrecy::SecretString;

use super::reach;
use crate::client::{Client, Error};
use crate::rehearsal::{CANARY, Fresh, Ledger, Refusal, Trial};
use crate::settings::Settings;
use crate::view::{KeyFacts, Lookup};

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
    match error.said() {
        Some(said) if said.is_dead_token() => Lookup::Dead,
        Some(said) if said.is_denied() => Lookup::Blind,
        Some(_) | None => Lookup::Unseen,
    }
}

/// Whether the token could make the key; `None` when it may not ask that.
async fn makes_keys(a: &Client, settings: &Settings, token: &SecretString) -> Option<bool> {
    let path = format!("{}/encrypt/{}", settings.transit.mount, settings.transit.key);
    let capabilities = a.capabilities(token, &[&path]).await.ok()?;
    let listed = capabilities.get(&path)?;
    Some(listed.iter().any(|capability| capability == "create" || capability == "root"))
}

async fn decrypt(a: &Client, settings: &Settings, token: &SecretString, ciphertext: &str) -> Result<(), Refusal> {
    let (mount, key) = (&settings.transit.mount, &settings.transit.key);
    match a.decrypt(token, mount, key, ciphertext).await {
        Ok(text) if text == CANARY => Ok(()),
        // Whatever it is, it isn't what was encrypted: the answer of no transit key.
        Ok(_) => Err(Refusal::KeyReplaced),
        Err(error) => Err(refusal(&error)),
    }
}

async fn encrypt(a: &Client, settings: &Settings, token: &SecretString) -> Result<Fresh, Refusal> {
    let (mount, key) = (&settings.transit.mount, &settings.transit.key);
    let made = a.encrypt(token, mount, key, CANARY).await.map_err(|error| refusal(&error))?;
    decrypt(a, settings, token, &made.text).await?;
    Ok(Fresh { version: made.version, ciphertext: made.text })
}

fn refusal(error: &Error) -> Refusal {
    let Some(said) = error.said() else { return Refusal::Silent(reach::of(error)) };
    if said.is_dead_token() {
        Refusal::Dead
    } else if said.is_denied() {
        Refusal::Denied
    } else if said.is_sealed() {
        Refusal::Silent(crate::view::Reach::Sealed)
    } else if said.is_other_key() {
        Refusal::KeyReplaced
    } else if said.is_version_too_old() {
        Refusal::VersionTooOld
    } else if said.is_version_too_new() {
        Refusal::VersionTooNew
    } else if said.is_no_key() {
        Refusal::KeyMissing
    } else {
        Refusal::Other(said.to_string())
    }
}

/// Whether the newest canary still decrypts: the one request of a glance at A, which tells of A, the token and the key.
pub(super) async fn decrypts(a: &Client, settings: &Settings, token: Option<&SecretString>, ledger: &Ledger) -> bool {
    match (token, ledger.canaries.last()) {
        (Some(token), Some(canary)) => decrypt(a, settings, token, &canary.ciphertext).await.is_ok(),
        (None, _) | (_, None) => false,
    }
}
