//! What a resource asks for about its initialisation, validated.
//!
//! That it makes no sense is no error here but a reason to wait (`Order::plan`): what was begun is carried on with what is
//! known, and a spec that was edited in the midst must not look like one that asks for nothing.

use std::collections::BTreeSet;

use holdfast_api::VaultTransitUnseal;
use holdfast_api::vault_transit_unseal::{Admin, ServiceAccountLogin, VaultMode, VaultTransitUnsealSpec};
use jiff::Timestamp;

use super::admin::OUR_POLICY;
use super::claim;
use super::recipients::{Invalid as NoRecipients, Recipients};

/// The annotation of a resource by which a person says that storage older than the resource may be initialised: the UIDs of
/// the PersistentVolumeClaims, with commas between them. UIDs and not names, as a name says nothing about which storage was
/// looked at.
pub const CONFIRM: &str = "holdfast.dev/confirm-storage";

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Order {
    /// Whether anything may be initialised: `mode: Manage` and `initialization.enabled`.
    pub wanted: bool,
    /// Whether that may be done over HTTP.
    pub allow_http: bool,
    /// When the resource was made.
    pub created: Timestamp,
    /// The storage that a person has looked at, by UID.
    pub confirmed: BTreeSet<String>,
    /// The attempt that a person gives up; empty for none.
    pub discard: String,
    /// How it is to be done, or why that makes no sense.
    pub plan: Result<Plan, Invalid>,
}

/// How it is to be done.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Into how many shares the recovery key is split.
    pub shares: u8,
    /// How many are needed.
    pub threshold: u8,
    /// The Secret that gets them.
    pub secret: String,
    /// For whom they are.
    pub recipients: Recipients,
    /// Who gets in afterwards.
    pub admin: Admin,
    /// How we get in afterwards, where the spec says so.
    pub auth: Option<ServiceAccountLogin>,
}

/// Why a spec asks for what can't be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// The keys would go nowhere.
    #[error("spec.initialization.keyStore is missing")]
    NoKeyStore,
    /// Nobody would get in.
    #[error("spec.initialization.admin is missing")]
    NoAdmin,
    /// Shares that no server makes.
    #[error("spec.initialization: of {shares} shares {threshold} can't be needed")]
    Shares {
        /// The shares.
        shares: u8,
        /// The threshold.
        threshold: u8,
    },
    /// The keys would be where something else is.
    #[error("spec.initialization.keyStore.secretName: {0} is the Secret of {1}")]
    KeyStoreTaken(String, &'static str),
    /// Every login has it, so that it proves nothing.
    #[error("spec.initialization.admin.policy: every login has the policy default")]
    PolicyOfAll,
    /// The person's role would be ours, or ours the person's.
    #[error("spec.initialization.admin and spec.target.auth can't share {0}")]
    Shared(&'static str),
    /// Nobody could read the keys.
    #[error(transparent)]
    Recipients(#[from] NoRecipients),
}

impl From<&VaultTransitUnseal> for Order {
    fn from(resource: &VaultTransitUnseal) -> Self {
        let (meta, spec) = (&resource.metadata, &resource.spec);
        let asked = &spec.initialization;
        let confirmed = meta.annotations.as_ref().and_then(|annotations| annotations.get(CONFIRM));
        let uids = confirmed.iter().flat_map(|text| text.split(',')).map(str::trim);
        Self {
            wanted: spec.mode == VaultMode::Manage && asked.enabled,
            allow_http: asked.allow_http_init,
            // Without a time, all storage is older.
            created: meta.creation_timestamp.as_ref().map_or(Timestamp::MAX, |time| time.0),
            confirmed: uids.filter(|uid| !uid.is_empty()).map(str::to_owned).collect(),
            discard: asked.discard_attempt.clone(),
            plan: plan(spec),
        }
    }
}

fn plan(spec: &VaultTransitUnsealSpec) -> Result<Plan, Invalid> {
    let (asked, auth) = (&spec.initialization, spec.target.auth.as_ref().map(|auth| auth.service_account.clone()));
    let (shares, threshold) = (asked.shares, asked.threshold);
    let least = if shares == 1 { 1 } else { 2 };
    if shares == 0 || !(least..=shares).contains(&threshold) {
        return Err(Invalid::Shares { shares, threshold });
    }
    let store = asked.key_store.as_ref().ok_or(Invalid::NoKeyStore)?;
    let admin = asked.admin.clone().ok_or(Invalid::NoAdmin)?;
    let recipients = Recipients::parse(store, shares)?;
    is_free(&store.secret_name, spec)?;
    if admin.policy == "default" {
        return Err(Invalid::PolicyOfAll);
    }
    if let Some(ours) = &auth {
        if (&ours.mount, &ours.role) == (&admin.mount, &admin.role) {
            return Err(Invalid::Shared("a role"));
        }
        if admin.policy == OUR_POLICY {
            return Err(Invalid::Shared("the policy holdfast"));
        }
    }
    Ok(Plan { shares, threshold, secret: store.secret_name.clone(), recipients, admin, auth })
}

/// The Secret of the keys is theirs alone: the claim must stay readable, and the token's is mounted by the server.
fn is_free(secret: &str, spec: &VaultTransitUnsealSpec) -> Result<(), Invalid> {
    let taken = |whose| Err(Invalid::KeyStoreTaken(secret.to_owned(), whose));
    if secret == claim::secret_name(&spec.target.stateful_set_ref.name) {
        return taken("the claim");
    }
    match &spec.token.secret_ref {
        Some(token) if token.name == secret => taken("the token"),
        Some(_) | None => Ok(()),
    }
}
