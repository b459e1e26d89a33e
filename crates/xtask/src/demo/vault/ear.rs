//! Hears all that the controller says, tells it as it comes, and waits for what it should say.
//!
//! A watch misses nothing, however short a state is: a dead token is diagnosed and replaced within a second.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use futures::{StreamExt as _, TryStreamExt as _};
use holdfast_api::{VaultTransitUnseal, VaultTransitUnsealStatus};
use holdfast_testkit::eventually;
use k8s_openapi::api::events::v1::Event;
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, Client};
use tokio::task::JoinSet;

use super::news::{news, summary};
use super::stage::NAMESPACE;
use super::voice::Voice;

/// What diagnoses are told by, as the status tells them too.
const DIAGNOSE: &str = "Diagnose";

/// Listens for as long as it lives.
pub(super) struct Ear {
    heard: Arc<Mutex<Heard>>,
    /// The last status that something was waited for in; what is waited for next is in it, or comes later.
    status: usize,
    /// The events before this one are over.
    event: usize,
    _tasks: JoinSet<()>,
}

/// A place in what was said.
#[derive(Clone, Copy)]
pub(super) struct Mark(usize);

#[derive(Default)]
struct Heard {
    statuses: Vec<VaultTransitUnsealStatus>,
    events: Vec<Event>,
}

impl Ear {
    pub(super) fn listen(client: Client, voice: &Voice) -> Self {
        let heard = Arc::<Mutex<Heard>>::default();
        let mut tasks = JoinSet::new();
        tasks.spawn(statuses(Api::namespaced(client.clone(), NAMESPACE), Arc::clone(&heard), voice.clone()));
        tasks.spawn(events(Api::namespaced(client, NAMESPACE), Arc::clone(&heard), voice.clone()));
        Self { heard, status: 0, event: 0, _tasks: tasks }
    }

    /// Waits for a status of which something holds: one that was not waited for yet, or the last that was.
    pub(super) async fn status(
        &mut self,
        what: &str,
        deadline: Duration,
        holds: impl Fn(&VaultTransitUnsealStatus) -> bool,
    ) -> Result<VaultTransitUnsealStatus> {
        let (at, status) = eventually(&format!("the controller to say: {what}"), deadline, async || {
            let heard = lock(&self.heard);
            let mut later = heard.statuses.iter().enumerate().skip(self.status);
            let found = later.find(|(_, status)| holds(status)).map(|(at, status)| (at, status.clone()));
            found.with_context(|| heard.statuses.last().map_or_else(|| "nothing".to_owned(), summary))
        })
        .await?;
        self.status = at;
        Ok(status)
    }

    /// The statuses from the last that was waited for on.
    pub(super) fn mark(&self) -> Mark {
        Mark(self.status)
    }

    /// Fails if anything since then was said that is false.
    pub(super) fn check_since(
        &self,
        Mark(from): Mark,
        is_false: impl Fn(&VaultTransitUnsealStatus) -> bool,
    ) -> Result<()> {
        let heard = lock(&self.heard);
        let found = heard.statuses.iter().skip(from).find(|status| is_false(status));
        ensure!(found.is_none(), "the controller said what isn't so: {}", found.map(summary).unwrap_or_default());
        Ok(())
    }

    /// Waits for an event that was not waited for yet; its note.
    pub(super) async fn event(&mut self, reason: &str, deadline: Duration) -> Result<String> {
        let (at, note) = eventually(&format!("the event {reason}"), deadline, async || {
            self.find(reason).ok_or_else(|| anyhow!("there is none"))
        })
        .await?;
        self.event = at + 1;
        Ok(note)
    }

    /// Whether there was such an event since the last that was waited for.
    pub(super) fn has_heard(&self, reason: &str) -> bool {
        self.find(reason).is_some()
    }

    fn find(&self, reason: &str) -> Option<(usize, String)> {
        let heard = lock(&self.heard);
        let mut later = heard.events.iter().enumerate().skip(self.event);
        let found = later.find(|(_, event)| event.reason.as_deref() == Some(reason));
        found.map(|(at, event)| (at, event.note.clone().unwrap_or_default()))
    }
}

async fn statuses(api: Api<VaultTransitUnseal>, heard: Arc<Mutex<Heard>>, voice: Voice) {
    let mut changes = watcher(api, watcher::Config::default()).default_backoff().applied_objects().boxed();
    // An error is a watch that ended; it is begun anew.
    while let Some(change) = changes.next().await {
        let Ok(VaultTransitUnseal { status: Some(status), .. }) = change else { continue };
        let mut heard = lock(&heard);
        for line in news(heard.statuses.last(), &status) {
            voice.heard(&line);
        }
        heard.statuses.push(status);
    }
}

async fn events(api: Api<Event>, heard: Arc<Mutex<Heard>>, voice: Voice) {
    let changes = watcher(api, watcher::Config::default()).default_backoff().applied_objects();
    let mut ours = changes.map_err(drop).boxed();
    while let Some(event) = ours.next().await {
        let Ok(event) = event else { continue };
        let about = event.regarding.as_ref().and_then(|object| object.kind.as_deref());
        if about != Some("VaultTransitUnseal") {
            continue;
        }
        let (kind, reason) = (event.type_.as_deref().unwrap_or_default(), event.reason.as_deref().unwrap_or_default());
        voice.heard(&match (event.action.as_deref(), &event.note) {
            (Some(DIAGNOSE), _) | (_, None) => format!("event {kind} {reason}"),
            (_, Some(note)) => format!("event {kind} {reason}: {note}"),
        });
        lock(&heard).events.push(event);
    }
}

fn lock(heard: &Mutex<Heard>) -> MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}
