//! When budgets came to be there, as an independent watch sees it: the same judge for us and for the bare client.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use futures::{StreamExt as _, stream::BoxStream};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::Client;
use kube::api::{Api, ListParams, PartialObjectMeta, WatchEvent, WatchParams};

/// A watch of all budgets, from now on.
pub(super) struct Arrivals {
    events: BoxStream<'static, kube::Result<WatchEvent<PartialObjectMeta<PodDisruptionBudget>>>>,
}

/// When the first and the last came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) first: Instant,
    pub(super) last: Instant,
    pub(super) count: usize,
}

impl Span {
    /// Budgets a second, between the first and the last.
    pub(super) fn rate(&self) -> f64 {
        (self.count - 1) as f64 / (self.last - self.first).as_secs_f64()
    }
}

impl Arrivals {
    pub(super) async fn watch(client: &Client) -> Result<Self> {
        let budgets: Api<PodDisruptionBudget> = Api::all(client.clone());
        let version = budgets.list_metadata(&ListParams::default().limit(1)).await?.metadata.resource_version;
        let version = version.context("a list without a version")?;
        let events = budgets.watch_metadata(&WatchParams::default(), &version).await?.boxed();
        Ok(Self { events })
    }

    /// The next budget that is created.
    pub(super) async fn next(&mut self, patience: Duration) -> Result<(String, Instant)> {
        let next = async {
            while let Some(event) = self.events.next().await {
                match event? {
                    WatchEvent::Added(budget) => return Ok((budget.metadata.name.unwrap_or_default(), Instant::now())),
                    WatchEvent::Error(error) => bail!("the watch of budgets failed: {error}"),
                    WatchEvent::Modified(_) | WatchEvent::Deleted(_) | WatchEvent::Bookmark(_) => {}
                }
            }
            bail!("the watch of budgets ended")
        };
        tokio::time::timeout(patience, next).await.context("waiting for a budget")?
    }

    /// Waits for so many.
    pub(super) async fn span(&mut self, count: usize, patience: Duration) -> Result<Span> {
        let first = self.next(patience).await?.1;
        let mut last = first;
        for seen in 1..count {
            last = self.next(patience).await.with_context(|| format!("{seen} of {count} budgets came"))?.1;
        }
        Ok(Span { first, last, count })
    }

    /// Waits for those with these names; when each came.
    pub(super) async fn of(&mut self, names: &[String], patience: Duration) -> Result<HashMap<String, Instant>> {
        let mut came = HashMap::new();
        while came.len() < names.len() {
            let (name, at) = self.next(patience).await?;
            came.insert(name, at);
        }
        Ok(came)
    }
}
