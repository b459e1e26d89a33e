//! Makes a token and brings it into the Secret.
//!
//! The order is: token, Secret. What is between them is lost at worst: a token that nobody uses, which ends after its
//! period. The old token is never revoked: a server may be using it. The Secret is changed only as it was read
//! (`resourceVersion`), so that a person who writes it at the same moment wins.

use std::collections::BTreeMap;

use holdfast_runtime::failure::said;
use jiff::Timestamp;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{Namespace, ObjectReference, Secret};
use kube::Api;
use kube::api::{Patch, PatchParams};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::{Done, Hands, meta};
use crate::audit::{Act, told};
use crate::client::{Class, Effect, Error, MintRequest};
use crate::metrics::Ended;
use crate::next_step::{Memory, MintReason};
use crate::observe::{Look, Seen};
use crate::provision::{Trouble, own_name, provision};
use crate::settings::Settings;

/// The key of the Secret that holds the accessor of the token that we made.
pub(crate) const ACCESSOR: &str = "accessor";
/// The annotation that says when that token was made.
pub(crate) const MINTED: &str = "holdfast.dev/token-minted";
/// Whose fields of the Secret are ours.
const MANAGER: &str = "holdfast/vault-token";

impl Hands {
    pub(super) async fn mint(
        &self,
        reason: MintReason,
        settings: &Settings,
        look: &Look,
        seen: &mut Seen,
        memory: &mut Memory,
        about: &ObjectReference,
    ) -> Done {
        let Some(a) = &look.a else { return Done::Nothing };
        let Some(login) = seen.session.token().cloned() else {
            memory.mint_failed = Some(Timestamp::now());
            return Done::Nothing;
        };
        let Some(role) = self.role(settings).await else {
            memory.mint_failed = Some(Timestamp::now());
            return Done::Nothing;
        };
        if settings.allowed.provision && self.provide(settings, look, seen, memory, about).await == Done::Nothing {
            return Done::Nothing;
        }
        let wanted = MintRequest { meta: meta(settings), display_name: Some("holdfast".to_owned()) };
        let made = match told(settings, Act::MintToken, &role, a.create_with_role(&login, &role, &wanted)).await {
            Ok(made) => made,
            Err(error) => {
                self.metrics.minted(match error.effect() {
                    Effect::Unknown => Ended::Unknown,
                    Effect::None => Ended::Badly,
                });
                self.fail(&error, seen, memory, about);
                return Done::Nothing;
            }
        };
        seen.capped = super::capped(&made.warnings);
        match self.deliver(settings, &made.token, &made.accessor).await {
            Ok(()) => {
                self.metrics.minted(Ended::Well);
                (memory.mint_failed, memory.minted) = (None, Some(Timestamp::now()));
                let note = format!("a new seal token was made and written into the Secret ({})", reason.as_str());
                self.announce(about, "TokenMinted", "MintToken", false, note);
                Done::Something
            }
            Err(error) => {
                // The token that was made isn't used by anybody and ends by itself.
                self.metrics.minted(Ended::Unknown);
                memory.mint_failed = Some(Timestamp::now());
                let note = format!("a new seal token couldn't be written into the Secret: {}", said(&error));
                self.announce(about, "TokenDeliveryFailed", "MintToken", true, note);
                Done::Nothing
            }
        }
    }

    /// Keeps up what the token needs on A.
    pub(super) async fn provide(
        &self,
        settings: &Settings,
        look: &Look,
        seen: &mut Seen,
        memory: &mut Memory,
        about: &ObjectReference,
    ) -> Done {
        let (Some(a), Some(login)) = (&look.a, seen.session.token().cloned()) else { return Done::Nothing };
        let Some(role) = self.role(settings).await else { return Done::Nothing };
        let unborn = look.view.is_unborn();
        match provision(a, &login, settings, &role, unborn).await {
            Ok(()) => Done::Something,
            Err(Trouble::Request(error)) => {
                self.fail(&error, seen, memory, about);
                Done::Nothing
            }
            Err(trouble @ Trouble::OwnedByAnother { .. }) => {
                let first = memory.mint_failed.replace(Timestamp::now()).is_none();
                if first {
                    self.announce(about, "OwnedByAnother", "Provision", true, trouble.to_string());
                }
                Done::Nothing
            }
        }
    }

    fn fail(&self, error: &Error, seen: &mut Seen, memory: &mut Memory, about: &ObjectReference) {
        if error.class() == Class::Denied {
            // What the login may is decided when it is made.
            seen.session.forget();
        }
        let first = memory.mint_failed.replace(Timestamp::now()).is_none();
        if first {
            let note = format!("no new seal token could be made: {}", error.kind);
            self.announce(about, "TokenMintFailed", "MintToken", true, note);
        }
    }

    /// The role that makes the tokens: the spec's, else one of our own that no other cluster has. `None` when what tells
    /// clusters apart can't be read just now.
    pub(crate) async fn role(&self, settings: &Settings) -> Option<String> {
        if !settings.role.is_empty() {
            return Some(settings.role.clone());
        }
        let api: Api<Namespace> = Api::all(self.kube.clone());
        match api.get("kube-system").await {
            Ok(system) => Some(own_name(&system.metadata.uid?, settings)),
            Err(error) => {
                tracing::warn!(%error, "the namespace kube-system can't be read, whose UID is part of the role's name");
                None
            }
        }
    }

    /// Writes the token without a newline, beside its accessor.
    async fn deliver(
        &self,
        settings: &Settings,
        token: &SecretString,
        accessor: &SecretString,
    ) -> Result<(), kube::Error> {
        let Some(reference) = &settings.token else { return Ok(()) };
        let api: Api<Secret> = Api::namespaced(self.kube.clone(), &settings.namespace);
        let version = api.get(&reference.name).await?.metadata.resource_version;
        let text = |text: &SecretString| ByteString(text.expose_secret().as_bytes().to_vec());
        let data = BTreeMap::from([(reference.key.clone(), text(token)), (ACCESSOR.to_owned(), text(accessor))]);
        let patch = json!({
            "metadata": {
                "resourceVersion": version,
                "annotations": { MINTED: Timestamp::now().to_string() },
            },
            "data": data,
        });
        let params = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
        // The answer holds the token; it is dropped unseen.
        let patch = Patch::Merge(&patch);
        let written = api.patch(&reference.name, &params, &patch);
        told(settings, Act::DeliverToken, &reference.name, written).await.map(drop)
    }
}
