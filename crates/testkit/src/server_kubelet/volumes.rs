//! The volumes of a pod as folders: Secrets and ConfigMaps written out, disks of claims, and empty ones.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use k8s_openapi::api::core::v1::{
    ConfigMap, Container, KeyToPath, PersistentVolume, PersistentVolumeClaim, Pod, Secret, Volume,
};
use kube::{Api, Client};

use super::mounts::Mounts;
use crate::kubeconfig::write_private;

/// What a volume is behind.
enum Behind {
    Disk(PathBuf),
    Folder(PathBuf),
}

/// Where the content comes from and goes to.
pub(super) struct Room<'a> {
    pub(super) client: &'a Client,
    pub(super) namespace: &'a str,
    /// The folder of this pod, by its UID.
    pub(super) folder: &'a Path,
}

impl Room<'_> {
    /// Makes every volume that the container mounts as it is now; the mounts, and which folders are disks.
    pub(super) async fn prepare(&self, pod: &Pod, container: &Container) -> Result<(Mounts, Vec<PathBuf>)> {
        let volumes = pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
        let (mut mounts, mut disks) = (Vec::new(), Vec::new());
        for mount in container.volume_mounts.iter().flatten() {
            let volume = volumes.clone().find(|volume| volume.name == mount.name);
            let volume = volume.with_context(|| format!("no volume {}", mount.name))?;
            let folder = match self.behind(volume).await.with_context(|| format!("the volume {}", mount.name))? {
                Behind::Disk(folder) => {
                    disks.push(folder.clone());
                    folder
                }
                Behind::Folder(folder) => folder,
            };
            let folder = mount.sub_path.as_ref().map_or(folder.clone(), |below| folder.join(below));
            mounts.push((mount.mount_path.trim_end_matches('/').to_owned(), folder));
        }
        Ok((Mounts::new(mounts), disks))
    }

    async fn behind(&self, volume: &Volume) -> Result<Behind> {
        let folder = self.folder.join(&volume.name);
        fs::create_dir_all(&folder)?;
        if let Some(claim) = &volume.persistent_volume_claim {
            return self.disk(&claim.claim_name).await.map(Behind::Disk);
        }
        if let Some(secret) = &volume.secret {
            let name = secret.secret_name.as_deref().context("a volume of no Secret")?;
            self.write_secret(name, secret.optional, secret.items.as_deref(), &folder).await?;
        } else if let Some(map) = &volume.config_map {
            self.write_config_map(&map.name, map.optional, map.items.as_deref(), &folder).await?;
        } else if volume.empty_dir.is_none() && volume.projected.is_none() {
            bail!("its kind isn't played");
        }
        Ok(Behind::Folder(folder))
    }

    async fn disk(&self, claim: &str) -> Result<PathBuf> {
        let claims: Api<PersistentVolumeClaim> = Api::namespaced(self.client.clone(), self.namespace);
        let claim = claims.get(claim).await?;
        let volume = claim.spec.and_then(|spec| spec.volume_name).context("the claim isn't bound")?;
        let volumes: Api<PersistentVolume> = Api::all(self.client.clone());
        let path = volumes.get(&volume).await?.spec.and_then(|spec| spec.host_path).map(|host| host.path);
        path.map(PathBuf::from).context("the disk of the claim is no folder of this machine")
    }

    async fn write_secret(
        &self,
        name: &str,
        optional: Option<bool>,
        items: Option<&[KeyToPath]>,
        folder: &Path,
    ) -> Result<()> {
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), self.namespace);
        let data = match secrets.get_opt(name).await? {
            Some(secret) => secret.data.unwrap_or_default().into_iter().map(|(key, value)| (key, value.0)).collect(),
            None if optional == Some(true) => Vec::new(),
            None => bail!("the Secret {name} not found"),
        };
        write_files(data, items, folder)
    }

    async fn write_config_map(
        &self,
        name: &str,
        optional: Option<bool>,
        items: Option<&[KeyToPath]>,
        folder: &Path,
    ) -> Result<()> {
        let maps: Api<ConfigMap> = Api::namespaced(self.client.clone(), self.namespace);
        let data = match maps.get_opt(name).await? {
            Some(map) => map.data.unwrap_or_default().into_iter().map(|(key, text)| (key, text.into_bytes())).collect(),
            None if optional == Some(true) => Vec::new(),
            None => bail!("the ConfigMap {name} not found"),
        };
        write_files(data, items, folder)
    }
}

/// Replaces the files in a folder.
fn write_files(data: Vec<(String, Vec<u8>)>, items: Option<&[KeyToPath]>, folder: &Path) -> Result<()> {
    fs::remove_dir_all(folder)?;
    fs::create_dir(folder)?;
    for (key, content) in data {
        let path = match items {
            None => Some(key),
            Some(items) => items.iter().find(|item| item.key == key).map(|item| item.path.clone()),
        };
        let Some(file) = path.map(|path| folder.join(path)) else { continue };
        file.parent().map_or(Ok(()), fs::create_dir_all)?;
        write_private(&file, "")?;
        fs::write(&file, content)?;
    }
    Ok(())
}
