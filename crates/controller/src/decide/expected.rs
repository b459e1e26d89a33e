//! Writes that were acknowledged but whose own watch event hasn't come yet.
//!
//! Until it comes the object isn't written again: the view still shows what was before. Not a second truth: nothing is
//! decided from it, and after a while without the event the view counts again.

use std::collections::HashMap;
use std::time::Duration;

use holdfast_model::{NamespaceView, ObjectKey, Text};
use tokio::time::Instant;

use crate::act::Written;

/// How long an event may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// What the view will show soon, by namespace and name.
#[derive(Debug, Default)]
pub(super) struct Expected(HashMap<Text, HashMap<Text, (Written, Instant)>>);

impl Expected {
    /// From now on the event of this write is awaited.
    pub(super) fn expect(&mut self, key: ObjectKey, written: Written, now: Instant) {
        self.0.entry(key.namespace).or_default().insert(key.name, (written, now + PATIENCE));
    }

    /// Drops what the view of a namespace shows by now, and what took too long.
    pub(super) fn settle(&mut self, view: NamespaceView<'_>) {
        let Some(expected) = self.0.get_mut(view.name()) else { return };
        let now = Instant::now();
        expected.retain(|name, (written, patience)| now < *patience && !is_shown(view, name, written));
        if expected.is_empty() {
            self.0.remove(view.name());
        }
    }

    /// A namespace is gone, and with it whatever was written there.
    pub(super) fn forget(&mut self, namespace: &Text) {
        self.0.remove(namespace);
    }

    /// Whether the event of a write of this object is still awaited.
    pub(super) fn awaits(&self, key: &ObjectKey, now: Instant) -> bool {
        let expected = self.0.get(&key.namespace).and_then(|expected| expected.get(&key.name));
        expected.is_some_and(|(_, patience)| now < *patience)
    }
}

fn is_shown(view: NamespaceView<'_>, name: &Text, written: &Written) -> bool {
    let known = view.budget(name);
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
