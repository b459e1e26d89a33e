//! Writes that were acknowledged but whose own watch event hasn't come yet.
//!
//! Until it comes the object isn't written again: the view still shows what was before. Not a second truth: nothing is
//! decided from it, and after a while without the event the view counts again.

use std::collections::HashMap;
use std::time::Duration;

use holdfast_model::{NamespaceView, ObjectKey};
use tokio::time::Instant;

use crate::act::Written;

/// How long an event may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// What the view will show soon.
#[derive(Debug, Default)]
pub(super) struct Expected(HashMap<ObjectKey, (Written, Instant)>);

impl Expected {
    /// From now on the event of this write is awaited.
    pub(super) fn expect(&mut self, key: ObjectKey, written: Written, now: Instant) {
        self.0.insert(key, (written, now + PATIENCE));
    }

    /// Drops what the view of a namespace shows by now, and what took too long.
    pub(super) fn settle(&mut self, view: NamespaceView<'_>) {
        let now = Instant::now();
        self.0.retain(|key, (written, patience)| {
            let ours = key.namespace == *view.name();
            !(ours && is_shown(view, key, written)) && now < *patience
        });
    }

    /// Whether the event of a write of this object is still awaited.
    pub(super) fn awaits(&self, key: &ObjectKey, now: Instant) -> bool {
        self.0.get(key).is_some_and(|(_, patience)| now < *patience)
    }
}

fn is_shown(view: NamespaceView<'_>, key: &ObjectKey, written: &Written) -> bool {
    let known = view.budget(&key.name);
    match written {
        Written::Gone { uid } => known.is_none_or(|budget| budget.uid != *uid),
        Written::There { version, .. } => known.is_some_and(|budget| reaches(&budget.version, version)),
    }
}

/// Resource versions of one kind are numbers that grow (Kubernetes says so since 1.35, KEP-5504, and etcd always did);
/// anything else only counts when it is the very same.
fn reaches(known: &str, awaited: &str) -> bool {
    match (known.parse::<u128>(), awaited.parse::<u128>()) {
        (Ok(known), Ok(awaited)) => awaited <= known,
        (Ok(_) | Err(_), Ok(_) | Err(_)) => known == awaited,
    }
}
