//! Plays the provisioner: a folder as the disk of each claim, and a volume that names the claim. Binding the two is the
//! controller manager's.

use std::fs;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use kube::api::{Api, DeleteParams, PostParams};
use kube::{Client, ResourceExt as _};
use serde_json::json;
use tokio::sync::mpsc::Receiver;

use super::Shared;
use super::watch::Event;
use crate::cache::say;

/// Ends with the events.
pub(super) async fn provide(shared: Arc<Shared>, mut events: Receiver<Event<PersistentVolumeClaim>>) {
    while let Some(event) = events.recv().await {
        if let Err(error) = act(&shared, event).await {
            say(&format!("the kubelet of {} has no disk for a claim: {error:#}", shared.namespace));
        }
    }
}

async fn act(shared: &Shared, event: Event<PersistentVolumeClaim>) -> Result<()> {
    match event {
        Event::Listed(claims) => {
            for claim in &claims {
                make_disk(shared, claim).await?;
            }
            Ok(())
        }
        Event::Applied(claim) => make_disk(shared, &claim).await,
        Event::Deleted(claim) => remove_volume(&shared.client, &claim).await,
    }
}

async fn make_disk(shared: &Shared, claim: &PersistentVolumeClaim) -> Result<()> {
    let spec = claim.spec.as_ref().context("a claim without a spec")?;
    if spec.volume_name.is_some() || claim.metadata.deletion_timestamp.is_some() {
        return Ok(());
    }
    let folder = shared.folder.path().join("disks").join(volume_of(claim));
    fs::create_dir_all(&folder)?;
    let volume: PersistentVolume = serde_json::from_value(json!({
        "metadata": {"name": volume_of(claim)},
        "spec": {
            "capacity": spec.resources.as_ref().and_then(|resources| resources.requests.as_ref()),
            "accessModes": spec.access_modes,
            "storageClassName": spec.storage_class_name.as_deref().unwrap_or_default(),
            "persistentVolumeReclaimPolicy": "Retain",
            "hostPath": {"path": folder},
            "claimRef": {
                "apiVersion": "v1", "kind": "PersistentVolumeClaim",
                "namespace": shared.namespace, "name": claim.name_any(), "uid": claim.uid(),
            },
        },
    }))?;
    let volumes: Api<PersistentVolume> = Api::all(shared.client.clone());
    match volumes.create(&PostParams::default(), &volume).await {
        Ok(_) => Ok(()),
        // Seen twice before it was bound.
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(()),
        Err(error) => Err(error.into()),
    }
}

async fn remove_volume(client: &Client, claim: &PersistentVolumeClaim) -> Result<()> {
    let volumes: Api<PersistentVolume> = Api::all(client.clone());
    match volumes.delete(&volume_of(claim), &DeleteParams::default()).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// A claim that is made anew under its name gets another disk.
fn volume_of(claim: &PersistentVolumeClaim) -> String {
    format!("disk-{}", claim.uid().unwrap_or_default())
}
