//! How B is initialised: by the controller, once its person has said that its storage is empty.

use anyhow::{Context as _, Result, ensure};
use holdfast_api::VaultTransitUnseal;
use holdfast_e2e::vault::{NAME, People};
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use kube::ResourceExt as _;
use kube::api::{Api, ListParams, Patch, PatchParams};
use serde_json::{Value, json};

use super::stage::{NAMESPACE, Stage};

/// Three people, each with a key of age, and an administrator.
pub(super) struct Birth {
    people: People,
}

impl Birth {
    pub(super) fn new() -> Self {
        Self { people: People::new() }
    }

    /// What the resource's spec says of it.
    pub(super) fn spec(&self) -> Value {
        self.people.initialization()
    }

    /// B's volume is older than the resource, so it might hold something. Its person has looked.
    pub(super) async fn confirm_storage(&self, stage: &Stage) -> Result<()> {
        let claims: Api<PersistentVolumeClaim> = Api::namespaced(stage.client(), NAMESPACE);
        let claim = claims.list(&ListParams::default()).await?.items.pop().context("B has no volume")?;
        let patch = json!({"metadata": {"annotations": {"holdfast.dev/confirm-storage": claim.uid()}}});
        let resources: Api<VaultTransitUnseal> = Api::namespaced(stage.client(), NAMESPACE);
        resources.patch(NAME, &PatchParams::default(), &Patch::Merge(patch)).await?;
        Ok(())
    }

    /// Each person can read a share, and nobody else.
    pub(super) async fn is_read(&self, stage: &Stage) -> Result<()> {
        let shares = self.people.shares(&stage.client(), NAMESPACE).await?;
        ensure!(shares.len() == 3, "{} shares", shares.len());
        Ok(())
    }
}
