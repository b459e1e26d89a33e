//! From arguments to a client's configuration.

use anyhow::Context as _;
use kube::Config;
use kube::config::{KubeConfigOptions, Kubeconfig};

use crate::arguments::Cluster;

/// The configuration: an explicit file, else the usual files, else the pod's own account.
pub(crate) async fn config(cluster: &Cluster) -> anyhow::Result<Config> {
    let options = KubeConfigOptions { context: cluster.context.clone(), ..KubeConfigOptions::default() };
    if let Some(file) = &cluster.kubeconfig {
        let kubeconfig =
            Kubeconfig::read_from(file).with_context(|| format!("the kubeconfig {} can't be read", file.display()))?;
        return Ok(Config::from_custom_kubeconfig(kubeconfig, &options).await?);
    }
    if cluster.context.is_some() {
        return Config::from_kubeconfig(&options).await.context("the context can't be used");
    }
    Config::infer().await.context("no cluster: give --kubeconfig, or run it in a pod")
}
