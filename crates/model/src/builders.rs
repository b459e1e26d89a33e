//! Builders for tests: objects as the API server would show them, in words.
//!
//! A builder only writes JSON. It becomes facts through the same shapes as a watch event or a file, so that every test
//! that uses one tests the decoding too. Names are given as `namespace/name`. Only for tests (feature `builders`).

mod budget;
mod flux;
mod namespace;
mod node;
mod observe;
mod pod;
mod scaler;
mod unseal;
mod upgrade;
mod workload;

pub use budget::{BudgetBuilder, budget};
pub use flux::{FluxBuilder, helm_release, kustomization};
pub use namespace::{NamespaceBuilder, failed_create, namespace};
pub use node::{NodeBuilder, VolumeBuilder, claim, node, volume};
pub use observe::{observe, observe_all};
pub use pod::{PodBuilder, pod};
pub use scaler::{ScalerBuilder, hpa, scaled_object};
pub use unseal::{UnsealBuilder, unseal};
pub use upgrade::{UpgradeBuilder, kubernetes_upgrade, talos_control_plane, talos_upgrade, upgrade_plan};
pub use workload::{WorkloadBuilder, cron_job, daemon_set, deployment, job, replica_set, stateful_set};

use serde_json::{Map, Value, json};

use crate::{Cluster, Kind};

/// An object under construction.
pub trait Manifest: Sized {
    /// The object so far.
    fn json(&mut self) -> &mut Value;

    /// The finished object.
    fn build(mut self) -> Value {
        self.json().take()
    }

    /// Sets labels of the object itself, beside those it has.
    #[must_use]
    fn labels<'a>(mut self, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        merge(&mut self.json()["metadata"]["labels"], pairs);
        self
    }

    /// Sets an annotation.
    #[must_use]
    fn annotated(mut self, key: &str, value: &str) -> Self {
        merge(&mut self.json()["metadata"]["annotations"], [(key, value)]);
        self
    }

    /// Adds an owner, as its controller: `owned_by("postgresql.cnpg.io/v1", "Cluster", "db")`.
    #[must_use]
    fn owned_by(mut self, api_version: &str, kind: &str, name: &str) -> Self {
        let owner = json!({
            "apiVersion": api_version, "kind": kind, "name": name, "uid": uid_of(kind, name), "controller": true,
        });
        push(&mut self.json()["metadata"]["ownerReferences"], owner);
        self
    }

    /// Sets the UID.
    #[must_use]
    fn uid(mut self, uid: &str) -> Self {
        self.json()["metadata"]["uid"] = uid.into();
        self
    }

    /// Sets the resourceVersion.
    #[must_use]
    fn version(mut self, version: &str) -> Self {
        self.json()["metadata"]["resourceVersion"] = version.into();
        self
    }

    /// Sets when it was created.
    #[must_use]
    fn created(mut self, time: &str) -> Self {
        self.json()["metadata"]["creationTimestamp"] = time.into();
        self
    }

    /// Marks it as being deleted.
    #[must_use]
    fn terminating(mut self) -> Self {
        self.json()["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
        self
    }

    /// Sets any field, by its JSON pointer: `with("/spec/strategy/type", "Recreate")`.
    #[must_use]
    fn with(mut self, pointer: &str, value: impl Into<Value>) -> Self {
        let steps = pointer.split('/').skip(1);
        *steps.fold(self.json(), |at, step| &mut at[step]) = value.into();
        self
    }
}

impl Manifest for Value {
    fn json(&mut self) -> &mut Value {
        self
    }
}

impl Cluster {
    /// The cluster with one more object.
    ///
    /// # Panics
    /// When the object is of a kind that isn't observed.
    #[must_use]
    pub fn with(mut self, object: impl Manifest) -> Self {
        observe(&mut self, &object.build());
        self
    }
}

/// An empty object of a kind; `path` is `namespace/name`, or just the name.
fn object(kind: Kind, path: &str) -> Value {
    let (namespace, name) = path.split_once('/').map_or((None, path), |(namespace, name)| (Some(namespace), name));
    let mut meta = json!({ "name": name, "uid": uid_of(kind.as_str(), name), "resourceVersion": "1", "generation": 1 });
    if let Some(namespace) = namespace {
        meta["namespace"] = namespace.into();
    }
    json!({ "apiVersion": kind.api_version(), "kind": kind.as_str(), "metadata": meta })
}

/// The UID that a builder gives to an object: the same wherever it is named.
fn uid_of(kind: &str, name: &str) -> String {
    format!("uid-{}-{name}", kind.to_ascii_lowercase())
}

fn merge<'a>(at: &mut Value, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) {
    if at.is_null() {
        *at = Value::Object(Map::new());
    }
    for (key, value) in pairs {
        at[key] = value.into();
    }
}

fn push(at: &mut Value, item: Value) {
    match at.as_array_mut() {
        Some(list) => list.push(item),
        None => *at = json!([item]),
    }
}

/// The pairs as a JSON object.
fn map<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Value {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), Value::from(value))).collect::<Map<_, _>>().into()
}

/// The name within `namespace/name`.
fn name_of(path: &str) -> &str {
    path.split_once('/').map_or(path, |(_, name)| name)
}
