//! Who is to look again, since something changed: only whom it concerns, and never because of a status of our own.

use std::collections::BTreeMap;
use std::sync::Arc;

use holdfast_api::{REQUESTED_AT, VaultTransitUnseal};
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::keeper::Key;

/// Who waits.
#[derive(Default)]
pub(crate) struct Wakes(Mutex<BTreeMap<Key, Sleeper>>);

struct Sleeper {
    notify: Arc<Notify>,
    /// The StatefulSet whose pods concern it.
    set: String,
    /// What of the resource it saw last.
    asked: Asked,
}

impl Wakes {
    /// Someone who waits for changes of this resource and of the pods of its StatefulSet.
    pub(crate) fn join(&self, resource: &VaultTransitUnseal) -> Arc<Notify> {
        let notify = Arc::new(Notify::new());
        let set = resource.spec.target.stateful_set_ref.name.clone();
        let sleeper = Sleeper { notify: Arc::clone(&notify), set, asked: asked(resource) };
        self.0.lock().insert(key(resource), sleeper);
        notify
    }

    pub(crate) fn leave(&self, key: &Key) {
        self.0.lock().remove(key);
    }

    /// A resource changed, or is gone.
    pub(crate) fn resource(&self, resource: &VaultTransitUnseal) {
        let mut sleepers = self.0.lock();
        let Some(sleeper) = sleepers.get_mut(&key(resource)) else { return };
        let now = asked(resource);
        if sleeper.asked != now || resource.metadata.deletion_timestamp.is_some() {
            sleeper.asked = now;
            sleeper.notify.notify_one();
        }
    }

    /// A pod changed, or is gone.
    pub(crate) fn pod(&self, pod: &Pod) {
        let namespace = pod.namespace().unwrap_or_default();
        let owners = pod.metadata.owner_references.iter().flatten();
        let Some(owner) = owners.into_iter().find(|owner| owner.controller == Some(true)) else { return };
        for ((of, _), sleeper) in &*self.0.lock() {
            if *of == namespace && sleeper.set == owner.name {
                sleeper.notify.notify_one();
            }
        }
    }
}

fn key(resource: &VaultTransitUnseal) -> Key {
    (resource.namespace().unwrap_or_default(), resource.name_any())
}

/// What a person changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Which resource it is: one that was deleted and made anew has the name of the one before, and nothing else of it.
    pub(crate) uid: Option<String>,
    /// The generation of the spec.
    generation: Option<i64>,
    /// The annotation that asks for a look.
    look: Option<String>,
}

/// What a person asked for last.
pub(crate) fn asked(resource: &VaultTransitUnseal) -> Asked {
    let look = resource.annotations().get(REQUESTED_AT).cloned();
    Asked { uid: resource.uid(), generation: resource.metadata.generation, look }
}
