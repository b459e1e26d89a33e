//! What is kept up on A where the spec says `provision: All`: the mount, the key, a policy and a role of our own.
//!
//! Everything is named after this cluster and this resource, and a policy says in its first line whose it is: one that
//! names somebody else is never written. The key is made only for a server that was never initialised; it is never changed,
//! rotated or deleted.

use std::time::Duration;

use secrecy::SecretString;
use sha2::{Digest as _, Sha256};

use crate::audit::{Act, told};
use crate::client::{Client, Error, Says, TokenRole};
use crate::settings::Settings;

/// What a policy of ours begins with.
const OWNER: &str = "# holdfast.dev: ";

/// The name of role and policy: `holdfast-` and ten hexadecimal digits that no other resource in any cluster has, as the
/// UID of `kube-system` is among what they are made from.
#[must_use]
pub fn own_name(cluster: &str, settings: &Settings) -> String {
    let digest = Sha256::digest(format!("{cluster}/{}/{}", settings.namespace, settings.name));
    let mut name = "holdfast-".to_owned();
    for byte in digest.iter().take(5) {
        name.push_str(&format!("{byte:02x}"));
    }
    name
}

/// The policy of B's token: it may use the key, and never make one.
#[must_use]
pub fn policy(settings: &Settings) -> String {
    let (mount, key) = (&settings.transit.mount, &settings.transit.key);
    let whose = format!("{}/{} ({})", settings.namespace, settings.name, settings.uid);
    format!(
        "{OWNER}{whose}\n\
         path \"{mount}/encrypt/{key}\" {{ capabilities = [\"update\"] }}\n\
         path \"{mount}/decrypt/{key}\" {{ capabilities = [\"update\"] }}\n"
    )
}

/// Why something isn't kept up.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// A couldn't be asked, or said no.
    #[error(transparent)]
    Request(#[from] Error),
    /// A policy of our name is somebody else's.
    #[error("the policy {name} on the transit server says that it belongs to {whose}; it is left alone")]
    OwnedByAnother {
        /// The policy.
        name: String,
        /// What its first line says.
        whose: String,
    },
}

/// Writes what isn't as it should be. What is right is only read. Mount and key are made only
/// for a server that was never initialised (`unborn`): a key that is missing otherwise was lost, and a new one of its name
/// would hide that.
///
/// # Errors
/// When A doesn't answer, the login may not, or the policy is somebody else's.
pub async fn provision(
    a: &Client,
    login: &SecretString,
    settings: &Settings,
    role: &str,
    unborn: bool,
) -> Result<(), Trouble> {
    if unborn {
        key(a, login, settings).await?;
    }
    let wanted = policy(settings);
    let text = a.policy_read(login, role).await?;
    let text = text.as_deref();
    if let Some(whose) = text.and_then(|text| another_owner(text, &wanted)) {
        return Err(Trouble::OwnedByAnother { name: role.to_owned(), whose });
    }
    if text != Some(wanted.as_str()) {
        told(settings, Act::WritePolicy, role, a.policy_write(login, role, &wanted)).await?;
    }
    if !a.role_read(login, role).await?.is_some_and(|known| is_right(&known, settings, role)) {
        let right = TokenRole {
            allowed_policies: vec![role.to_owned()],
            orphan: true,
            renewable: true,
            token_period: settings.period,
            ..TokenRole::default()
        };
        told(settings, Act::WriteTokenRole, role, a.role_write(login, role, &right)).await?;
    }
    Ok(())
}

/// Takes policy and role away again, if they are ours. Never the key: what it sealed may still be wanted.
///
/// # Errors
/// When A doesn't answer, the login may not, or the policy is somebody else's.
pub async fn take_back(a: &Client, login: &SecretString, settings: &Settings, role: &str) -> Result<(), Trouble> {
    let there = a.policy_read(login, role).await?;
    if let Some(whose) = there.as_deref().and_then(|text| another_owner(text, &policy(settings))) {
        return Err(Trouble::OwnedByAnother { name: role.to_owned(), whose });
    }
    let (roles, policies) = (format!("auth/token/roles/{role}"), format!("sys/policies/acl/{role}"));
    told(settings, Act::DeleteTokenRole, role, a.delete(&roles, login)).await?;
    told(settings, Act::DeletePolicy, role, a.delete(&policies, login)).await?;
    Ok(())
}

async fn key(a: &Client, login: &SecretString, settings: &Settings) -> Result<(), Error> {
    let (mount, key) = (&settings.transit.mount, &settings.transit.key);
    match a.mount_enable(login, mount, "transit").await {
        // Usual; and a login that may make keys needn't be allowed to mount: then the next request tells.
        Err(error) if matches!(error.says(), Some(Says::PathInUse | Says::Denied)) => {}
        enabled => told(settings, Act::EnableTransit, mount, std::future::ready(enabled)).await?,
    }
    if a.transit_key(login, mount, key).await?.is_none() {
        told(settings, Act::CreateKey, key, a.transit_key_create(login, mount, key)).await?;
    }
    Ok(())
}

/// Whose a policy is, when it is somebody else's. One that names nobody was written by hand under our name: also not ours.
fn another_owner(there: &str, wanted: &str) -> Option<String> {
    let (first, ours) = (there.lines().next().unwrap_or_default(), wanted.lines().next().unwrap_or_default());
    match first.strip_prefix(OWNER) {
        Some(_) if first == ours => None,
        Some(whose) => Some(whose.to_owned()),
        None => Some("somebody who wrote it by hand".to_owned()),
    }
}

fn is_right(known: &TokenRole, settings: &Settings, role: &str) -> bool {
    known.orphan
        && known.renewable
        && known.token_period == Duration::from_secs(settings.period.as_secs())
        && known.token_explicit_max_ttl.is_zero()
        && !known.token_no_default_policy
        && known.allowed_policies == [role]
}
