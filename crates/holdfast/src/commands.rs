//! What each command does, wired from the crates that know how.

use std::io::Write as _;

use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_complete::Shell;
use kube::Client;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::arguments::{Arguments, Cluster, Controller, VaultController};
use crate::cluster;

/// Runs the controller until it is told to stop.
pub(crate) fn controller(cluster: &Cluster, arguments: Controller) -> anyhow::Result<()> {
    let settings = holdfast_controller::Settings {
        version: env!("CARGO_PKG_VERSION"),
        metrics_addr: arguments.metrics_addr,
        health_addr: arguments.health_addr,
        lease_namespace: cluster.lease_namespace.clone(),
        leader_elect: arguments.leader_elect,
        pod: arguments.pod,
        brake_delay: arguments.brake_delay,
    };
    runtime()?.block_on(async {
        let config = cluster::config(cluster).await?;
        let stop = stop_on_signal()?;
        Ok(holdfast_controller::run(config, settings, stop).await?)
    })
}

/// Runs the Vault controller until it is told to stop.
pub(crate) fn vault_controller(cluster: &Cluster, arguments: VaultController) -> anyhow::Result<()> {
    let settings = holdfast_vault::Settings {
        version: env!("CARGO_PKG_VERSION"),
        metrics_addr: arguments.metrics_addr,
        health_addr: arguments.health_addr,
        lease_namespace: cluster.lease_namespace.clone(),
        leader_elect: arguments.leader_elect,
        pod: arguments.pod,
        namespaces: arguments.namespaces,
        require_label: arguments.require_label,
        allow_loopback: arguments.allow_loopback_servers,
        spool: arguments.spool,
    };
    runtime()?.block_on(async {
        let config = cluster::config(cluster).await?;
        let stop = stop_on_signal()?;
        Ok(holdfast_vault::run(config, settings, stop).await?)
    })
}

/// Takes back everything that is ours.
pub(crate) fn withdraw(cluster: &Cluster) -> anyhow::Result<()> {
    runtime()?.block_on(async {
        let client = Client::try_from(cluster::config(cluster).await?)?;
        let identity = holdfast_runtime::lease::identity("holdfast-withdraw");
        let withdrawn = holdfast_controller::withdraw(client, &cluster.lease_namespace, &identity).await?;
        tracing::info!(budgets = withdrawn, "everything of ours is withdrawn");
        Ok(())
    })
}

/// Prints the custom resource definitions as YAML.
pub(crate) fn crds() -> anyhow::Result<()> {
    let mut text = String::new();
    for crd in holdfast_api::crds() {
        text.push_str("---\n");
        text.push_str(&serde_saphyr::to_string(&crd)?);
    }
    Ok(print(text.as_bytes())?)
}

/// Prints completions.
pub(crate) fn completions(shell: Shell) -> anyhow::Result<()> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "holdfast", &mut text);
    Ok(print(&text)?)
}

/// Two threads: one may plan while the other keeps the watches going.
pub(crate) fn runtime() -> anyhow::Result<Runtime> {
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| anyhow::anyhow!("a TLS provider is installed already"))?;
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("the runtime can't be started")
}

fn stop_on_signal() -> anyhow::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let told = stop.clone();
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("stopping");
        told.cancel();
    });
    Ok(stop)
}

/// A closed pipe is no failure: whoever read had enough.
pub(crate) fn print(text: &[u8]) -> std::io::Result<()> {
    print_with(|out| out.write_all(text))
}

/// The same for what is written piece by piece.
pub(crate) fn print_with(write: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}
