//! Whoever relies on `Ready`: it is never True before the initialisation is complete, not for a moment.

use std::sync::Arc;

use anyhow::{Result, ensure};
use futures::TryStreamExt as _;
use holdfast_api::{VaultTransitUnseal, VaultTransitUnsealStatus};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, WatchEvent, WatchParams};
use parking_lot::Mutex;
use tokio::task::JoinHandle;

use crate::init::CLAIM;
use crate::stage::{NAME, condition};

/// Sees every status there is.
pub(super) struct Watchman {
    seen: Arc<Mutex<Seen>>,
    watching: JoinHandle<()>,
}

#[derive(Default)]
struct Seen {
    ready: usize,
    /// What was told too early.
    lies: Vec<String>,
}

impl Watchman {
    pub(super) fn post(resources: Api<VaultTransitUnseal>, secrets: Api<Secret>) -> Self {
        let seen = Arc::<Mutex<Seen>>::default();
        let watching = tokio::spawn(watch(resources, secrets, Arc::clone(&seen)));
        Self { seen, watching }
    }

    /// Whether it was ever ready; fails when it was before it was complete.
    pub(super) fn saw_ready(&self) -> Result<bool> {
        let seen = self.seen.lock();
        ensure!(seen.lies.is_empty(), "ready before it was complete: {:?}", seen.lies);
        Ok(seen.ready != 0)
    }
}

impl Drop for Watchman {
    fn drop(&mut self) {
        self.watching.abort();
    }
}

/// A watch that ends is begun anew.
async fn watch(resources: Api<VaultTransitUnseal>, secrets: Api<Secret>, seen: Arc<Mutex<Seen>>) {
    let params = WatchParams::default().fields(&format!("metadata.name={NAME}"));
    loop {
        let Ok(events) = resources.watch(&params, "0").await else { continue };
        let mut events = std::pin::pin!(events);
        while let Ok(Some(event)) = events.try_next().await {
            if let WatchEvent::Added(resource) | WatchEvent::Modified(resource) = event
                && let Some(status) = resource.status
            {
                note(&status, &secrets, &seen).await;
            }
        }
    }
}

async fn note(status: &VaultTransitUnsealStatus, secrets: &Api<Secret>, seen: &Mutex<Seen>) {
    let ready = condition(status, "Ready").0 == "True";
    let told = status.initialization.as_ref().and_then(|known| known.phase).map(|phase| phase.as_str());
    let claim = if ready { secrets.get_opt(CLAIM).await.ok().flatten() } else { None };
    let there = claim.and_then(|claim| claim.data?.remove("phase")).map(|phase| phase.0);
    let mut seen = seen.lock();
    if !ready {
        return;
    }
    seen.ready += 1;
    if told != Some("Complete") || there.as_deref() != Some(b"Complete") {
        seen.lies.push(format!("at {told:?}, and the claim says {:?}", there.map(String::from_utf8)));
    }
}
