//! Watches the pods, and gives each a worker that lives as long as the pod.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Result;
use futures::StreamExt as _;
use k8s_openapi::api::core::v1::Pod;
use kube::runtime::watcher::{self, Event};
use kube::runtime::{WatchStreamExt as _, watcher as watch};
use kube::{Api, ResourceExt as _};
use tokio::sync::watch::Sender;
use tokio::task::JoinSet;

use super::worker::Worker;
use super::{LABEL, Shared};
use crate::cache::say;

/// Never ends. The workers end when this does.
pub(super) async fn run_pods(shared: Arc<Shared>) {
    let pods: Api<Pod> = Api::namespaced(shared.client.clone(), &shared.namespace);
    let selected = watcher::Config::default().labels(&format!("{LABEL}=true"));
    let mut events = watch(pods, selected).default_backoff().boxed();
    let mut workers = Workers { shared, pods: BTreeMap::new(), listed: BTreeSet::new(), tasks: JoinSet::new() };
    while let Some(event) = events.next().await {
        // The API server may be stopped by the test; the watch is made again.
        let Ok(event) = event else { continue };
        if let Err(error) = workers.observe(event) {
            say(&format!("a pod has no kubelet: {error:#}"));
        }
    }
}

struct Workers {
    shared: Arc<Shared>,
    /// By UID; `None` in the channel is a pod that is gone.
    pods: BTreeMap<String, Sender<Option<Pod>>>,
    /// The UIDs of the list that is under way.
    listed: BTreeSet<String>,
    tasks: JoinSet<()>,
}

impl Workers {
    fn observe(&mut self, event: Event<Pod>) -> Result<()> {
        match event {
            Event::Init => self.listed.clear(),
            Event::InitApply(pod) => {
                self.listed.extend(pod.uid());
                self.apply(pod)?;
            }
            Event::InitDone => {
                let missed = self.pods.extract_if(.., |uid, _| !self.listed.contains(uid));
                missed.for_each(|(_, pod)| drop(pod.send_replace(None)));
            }
            Event::Apply(pod) => self.apply(pod)?,
            Event::Delete(pod) => {
                let known = pod.uid().and_then(|uid| self.pods.remove(&uid));
                known.iter().for_each(|pod| drop(pod.send_replace(None)));
            }
        }
        Ok(())
    }

    fn apply(&mut self, pod: Pod) -> Result<()> {
        let bound = pod.spec.as_ref().is_some_and(|spec| spec.node_name.is_some());
        let Some(uid) = pod.uid().filter(|_| bound) else { return Ok(()) };
        if let Some(known) = self.pods.get(&uid) {
            known.send_replace(Some(pod));
            return Ok(());
        }
        let seat = self.shared.seat(&pod.name_any())?;
        let (sender, receiver) = tokio::sync::watch::channel(Some(pod));
        self.tasks.spawn(Worker::new(Arc::clone(&self.shared), seat, uid.clone(), receiver).live());
        self.pods.insert(uid, sender);
        Ok(())
    }
}
