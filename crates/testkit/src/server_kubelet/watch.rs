//! A list, and then every change of it, for as long as the test takes: what is missed while the API server is away is learnt from the
//! next list.

use std::fmt::Debug;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use futures::TryStreamExt as _;
use kube::Api;
use kube::api::{ListParams, WatchEvent, WatchParams};
use serde::de::DeserializeOwned;
use tokio::sync::mpsc::Sender;
use tokio::time::sleep;

/// Before the API server is asked again after it was away.
const PAUSE: Duration = Duration::from_millis(200);

/// What happened to the objects of a kind.
pub(super) enum Event<K> {
    /// These are all there are.
    Listed(Vec<K>),
    /// One came, or changed.
    Applied(K),
    /// One is gone.
    Deleted(K),
}

/// Tells every event for as long as somebody listens.
pub(super) async fn follow<K>(api: Api<K>, labels: String, tell: Sender<Event<K>>)
where
    K: Clone + DeserializeOwned + Debug,
{
    while !tell.is_closed() {
        // The test may have stopped the API server, and each watch ends some time: neither is worth a word.
        let _ = list_and_watch(&api, &labels, &tell).await;
        sleep(PAUSE).await;
    }
}

async fn list_and_watch<K>(api: &Api<K>, labels: &str, tell: &Sender<Event<K>>) -> Result<()>
where
    K: Clone + DeserializeOwned + Debug,
{
    let list = api.list(&ListParams::default().labels(labels)).await?;
    let version = list.metadata.resource_version.unwrap_or_default();
    told(tell, Event::Listed(list.items)).await?;
    let parameters = WatchParams::default().labels(labels).disable_bookmarks();
    let mut events = std::pin::pin!(api.watch(&parameters, &version).await?);
    while let Some(event) = events.try_next().await? {
        match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                told(tell, Event::Applied(object)).await?;
            }
            WatchEvent::Deleted(object) => told(tell, Event::Deleted(object)).await?,
            WatchEvent::Bookmark(_) => {}
            WatchEvent::Error(status) => bail!("{status:?}"),
        }
    }
    Ok(())
}

async fn told<K>(tell: &Sender<Event<K>>, event: Event<K>) -> Result<()> {
    tell.send(event).await.ok().context("nobody listens any more")
}
