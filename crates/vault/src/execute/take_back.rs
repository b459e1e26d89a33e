//! Takes back what we made on A, and the finalizer on our resource.

use holdfast_api::VaultTransitUnseal;
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{ObjectReference, PersistentVolumeClaim, Secret};
use kube::api::{ListParams, Patch, PatchParams};
use kube::{Api, ResourceExt as _};
use secrecy::SecretString;
use serde_json::json;

use super::mint::ACCESSOR;
use super::{Done, Hands};
use crate::audit::{Act, told};
use crate::client::Client;
use crate::finalizer::{FINALIZER, Remains};
use crate::provision::{Trouble, take_back};
use crate::settings::Settings;

impl Hands {
    /// Puts our finalizer on the resource, or takes it off. As it was read, so that nobody else's is lost.
    pub(crate) async fn finalizer(&self, resource: &VaultTransitUnseal, there: bool) -> Done {
        let mut finalizers = resource.finalizers().to_vec();
        finalizers.retain(|finalizer| finalizer != FINALIZER);
        if there {
            finalizers.push(FINALIZER.to_owned());
        }
        let (namespace, name) = (resource.namespace().unwrap_or_default(), resource.name_any());
        let api: Api<VaultTransitUnseal> = Api::namespaced(self.kube.clone(), &namespace);
        let version = &resource.metadata.resource_version;
        let patch = Patch::Merge(json!({ "metadata": { "finalizers": finalizers, "resourceVersion": version } }));
        let act = if there { Act::AddFinalizer } else { Act::RemoveFinalizer };
        let params = PatchParams::default();
        let written = api.patch(&name, &params, &patch);
        // When it was changed meanwhile, the next look sees it as it is.
        if told(resource, act, &name, written).await.is_ok() { Done::Something } else { Done::Nothing }
    }

    /// What there is of B.
    pub(crate) async fn remains(&self, settings: &Settings) -> Remains {
        let (namespace, set) = (&settings.namespace, &settings.target.set);
        let sets: Api<StatefulSet> = Api::namespaced(self.kube.clone(), namespace);
        let claims: Api<PersistentVolumeClaim> = Api::namespaced(self.kube.clone(), namespace);
        match (sets.get_opt(set).await, claims.list(&ListParams::default()).await) {
            (Ok(Some(_)), _) => Remains::Something,
            (Ok(None), Ok(claims)) => {
                let ours = claims.iter().any(|claim| is_of_set(&claim.name_any(), set));
                if ours { Remains::Something } else { Remains::Nothing }
            }
            (Err(error), _) | (_, Err(error)) => {
                tracing::warn!(namespace, set, %error, "whether the server is gone couldn't be seen");
                Remains::Unseen
            }
        }
    }

    /// Revokes the token that we made, and takes policy and role away where they are ours. Never the key.
    pub(crate) async fn take_back(
        &self,
        settings: &Settings,
        a: &Client,
        login: &SecretString,
        about: &ObjectReference,
    ) -> Done {
        if let Some(accessor) = self.accessor(settings).await {
            let revoked = a.revoke_accessor(login, &accessor);
            if told(settings, Act::RevokeToken, "auth/token/revoke-accessor", revoked).await.is_err() {
                return Done::Nothing;
            }
        }
        if settings.allowed.provision && settings.role.is_empty() {
            let Some(role) = self.role(settings).await else { return Done::Nothing };
            match take_back(a, login, settings, &role).await {
                Ok(()) => {}
                Err(Trouble::Request(_)) => return Done::Nothing,
                Err(trouble @ Trouble::OwnedByAnother { .. }) => {
                    self.announce(about, "OwnedByAnother", "Revoke", true, trouble.to_string());
                }
            }
        }
        Done::Something
    }

    /// The accessor of the token that we made; `None` when we made none, or the Secret is gone.
    async fn accessor(&self, settings: &Settings) -> Option<SecretString> {
        let reference = settings.token.as_ref()?;
        let api: Api<Secret> = Api::namespaced(self.kube.clone(), &settings.namespace);
        let mut data = api.get_opt(&reference.name).await.ok()??.data?;
        String::from_utf8(data.remove(ACCESSOR)?.0).ok().map(SecretString::from)
    }
}

/// Claims of a StatefulSet are called after a template of it, itself, and an ordinal.
fn is_of_set(claim: &str, set: &str) -> bool {
    let Some((rest, ordinal)) = claim.rsplit_once('-') else { return false };
    let numbered = !ordinal.is_empty() && ordinal.bytes().all(|byte| byte.is_ascii_digit());
    numbered && rest.strip_suffix(set).is_some_and(|template| template.len() > 1 && template.ends_with('-'))
}

#[cfg(test)]
mod tests {
    use super::is_of_set;

    #[test]
    fn the_claims_of_a_stateful_set() {
        assert!(is_of_set("data-vault-0", "vault"));
        assert!(is_of_set("audit-log-vault-12", "vault"));
        for other in ["data-vault", "vault-0", "-vault-0", "data-myvault-0", "data-vault-x", "data-vault-0-copy"] {
            assert!(!is_of_set(other, "vault"), "{other}");
        }
    }
}
