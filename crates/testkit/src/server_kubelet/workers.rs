//! Gives each pod a worker that lives as long as the pod.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Result;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;
use tokio::sync::mpsc::Receiver;
use tokio::sync::watch::{Sender, channel};
use tokio::task::JoinSet;

use super::Shared;
use super::watch::Event;
use super::worker::Worker;
use crate::cache::say;

/// Ends with the events, and the workers with it.
pub(super) async fn run_pods(shared: Arc<Shared>, mut events: Receiver<Event<Pod>>) {
    let mut workers = Workers { shared, pods: BTreeMap::new(), tasks: JoinSet::new() };
    while let Some(event) = events.recv().await {
        if let Err(error) = workers.observe(event) {
            say(&format!("a pod has no kubelet: {error:#}"));
        }
    }
}

struct Workers {
    shared: Arc<Shared>,
    /// By UID; `None` in the channel is a pod that is gone.
    pods: BTreeMap<String, Sender<Option<Pod>>>,
    tasks: JoinSet<()>,
}

impl Workers {
    fn observe(&mut self, event: Event<Pod>) -> Result<()> {
        match event {
            Event::Listed(pods) => {
                let there: BTreeSet<String> = pods.iter().filter_map(Pod::uid).collect();
                let missed = self.pods.extract_if(.., |uid, _| !there.contains(uid));
                missed.for_each(|(_, pod)| drop(pod.send_replace(None)));
                pods.into_iter().try_for_each(|pod| self.apply(pod))
            }
            Event::Applied(pod) => self.apply(pod),
            Event::Deleted(pod) => {
                let known = pod.uid().and_then(|uid| self.pods.remove(&uid));
                known.iter().for_each(|pod| drop(pod.send_replace(None)));
                Ok(())
            }
        }
    }

    fn apply(&mut self, pod: Pod) -> Result<()> {
        let bound = pod.spec.as_ref().is_some_and(|spec| spec.node_name.is_some());
        let Some(uid) = pod.uid().filter(|_| bound) else { return Ok(()) };
        if let Some(known) = self.pods.get(&uid) {
            known.send_replace(Some(pod));
            return Ok(());
        }
        let seat = self.shared.seat(&pod.name_any())?;
        let (sender, receiver) = channel(Some(pod));
        self.tasks.spawn(Worker::new(Arc::clone(&self.shared), seat, uid.clone(), receiver).live());
        self.pods.insert(uid, sender);
        Ok(())
    }
}
