//! Loads a folder of manifests as a cluster would hold them, for the demo and for scenarios that need many workloads.
//!
//! Manifests alone can't say everything: the owner of an object is named by a UID that isn't known before, and a status is
//! written through its own subresource. So the annotation `demo.holdfast.dev/owned-by: group/Kind/name` becomes the
//! owner reference of a controller, and a `status` in a manifest is applied as its controller would. Order matters only between
//! the steps (what is needed by others, the rest, what is owned, the statuses); within one, requests overlap.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use holdfast_testkit::Manifests;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams};
use kube::core::GroupVersionKind;
use kube::discovery::{self, ApiCapabilities, Scope};
use kube::{Client, ResourceExt as _};
use serde_json::json;

/// Names the controller of an object, as `group/Kind/name` in its namespace.
pub const OWNED_BY: &str = "demo.holdfast.dev/owned-by";
/// Who applies.
const FIELD_MANAGER: &str = "sample";
/// So many requests at a time.
const AT_ONCE: usize = 16;
/// What others need before they can work: namespaces to be in, volumes and claims to mount.
const FIRST: [&str; 4] = ["Namespace", "StorageClass", "PersistentVolume", "PersistentVolumeClaim"];
/// What runs pods that a person thinks of as an application.
const WORKLOADS: [&str; 3] = ["Deployment", "StatefulSet", "DaemonSet"];

/// What was loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// How many objects of each kind.
    pub kinds: BTreeMap<String, usize>,
    /// How many of them got their owner from the annotation.
    pub owned: usize,
    /// How many of them got the status of their manifest.
    pub statuses: usize,
}

impl Loaded {
    /// How many objects of a kind.
    #[must_use]
    pub fn count(&self, kind: &str) -> usize {
        self.kinds.get(kind).copied().unwrap_or(0)
    }

    /// How many Deployments, StatefulSets and DaemonSets.
    #[must_use]
    pub fn workloads(&self) -> usize {
        WORKLOADS.iter().map(|kind| self.count(kind)).sum()
    }

    /// How many objects.
    #[must_use]
    pub fn objects(&self) -> usize {
        self.kinds.values().sum()
    }
}

/// Applies every manifest of the folder; the kinds they need have to be served already.
///
/// # Errors
/// When a manifest can't be read or is refused, or an owner isn't among the objects of the folder.
pub async fn load(client: &Client, folder: &Path) -> Result<Loaded> {
    let manifests = Manifests::read(folder)?;
    let objects = manifests.objects();
    ensure!(!objects.is_empty(), "{} has no manifests", folder.display());
    let kinds = Kinds::of(client, objects).await?;
    let (owned, free): (Vec<_>, Vec<_>) = objects.iter().cloned().partition(|object| owner_of(object).is_some());
    let (first, rest): (Vec<_>, Vec<_>) = free.into_iter().partition(|object| FIRST.contains(&kind_of(object)));
    // Claims need their namespace, so namespaces have a step of their own.
    let (namespaces, first): (Vec<_>, Vec<_>) = first.into_iter().partition(|object| kind_of(object) == "Namespace");
    let mut applied = Vec::with_capacity(objects.len());
    for step in [namespaces, first, rest] {
        applied.extend(kinds.apply(step).await?);
    }
    let owned: Vec<_> = owned.into_iter().map(|object| with_owner(object, &applied)).collect::<Result<_>>()?;
    let loaded = Loaded { owned: owned.len(), statuses: 0, kinds: count(objects) };
    kinds.apply(owned).await?;
    let statuses = kinds.apply_statuses(objects).await?;
    Ok(Loaded { statuses, ..loaded })
}

/// How the kinds of the manifests are reached.
struct Kinds {
    client: Client,
    known: BTreeMap<(String, String), (ApiResource, ApiCapabilities)>,
}

impl Kinds {
    /// Each kind is looked up once.
    async fn of(client: &Client, objects: &[DynamicObject]) -> Result<Self> {
        let mut known = BTreeMap::new();
        for object in objects {
            let types = object.types.as_ref().with_context(|| format!("{} has no kind", object.name_any()))?;
            if let Entry::Vacant(unknown) = known.entry((types.api_version.clone(), types.kind.clone())) {
                let found = discovery::pinned_kind(client, &GroupVersionKind::try_from(types)?).await;
                unknown.insert(found.with_context(|| format!("{} {} isn't served", types.api_version, types.kind))?);
            }
        }
        Ok(Self { client: client.clone(), known })
    }

    async fn apply(&self, objects: Vec<DynamicObject>) -> Result<Vec<DynamicObject>> {
        let parameters = PatchParams::apply(FIELD_MANAGER).force();
        let requests = stream::iter(objects).map(|object| {
            let parameters = &parameters;
            async move {
                let answer = self.api(&object)?.patch(&object.name_any(), parameters, &Patch::Apply(&object)).await;
                answer.with_context(|| format!("applying {}", describe(&object)))
            }
        });
        requests.buffered(AT_ONCE).try_collect().await
    }

    async fn apply_statuses(&self, objects: &[DynamicObject]) -> Result<usize> {
        let parameters = PatchParams::apply(FIELD_MANAGER).force();
        let told: Vec<_> = objects.iter().filter(|object| object.data.get("status").is_some()).cloned().collect();
        let count = told.len();
        let requests = stream::iter(told).map(|object| {
            let parameters = &parameters;
            async move {
                let metadata = json!({ "name": object.name_any(), "namespace": object.namespace() });
                let mut status = json!({ "metadata": metadata, "status": object.data["status"] });
                status["apiVersion"] = json!(object.types.as_ref().map(|types| &types.api_version));
                status["kind"] = json!(kind_of(&object));
                let api = self.api(&object)?;
                let answer = api.patch_status(&object.name_any(), parameters, &Patch::Apply(&status)).await;
                answer.map(drop).with_context(|| format!("applying the status of {}", describe(&object)))
            }
        });
        requests.buffered(AT_ONCE).try_collect::<()>().await?;
        Ok(count)
    }

    fn api(&self, object: &DynamicObject) -> Result<Api<DynamicObject>> {
        let id = object.types.as_ref().map(|types| (types.api_version.clone(), types.kind.clone()));
        let (resource, capabilities) =
            id.and_then(|id| self.known.get(&id)).with_context(|| format!("{} has no kind", object.name_any()))?;
        Ok(match capabilities.scope {
            Scope::Cluster => Api::all_with(self.client.clone(), resource),
            Scope::Namespaced => {
                let namespace = object.namespace().unwrap_or_else(|| "default".to_owned());
                Api::namespaced_with(self.client.clone(), &namespace, resource)
            }
        })
    }
}

/// `group/Kind/name`, when the manifest names an owner.
fn owner_of(object: &DynamicObject) -> Option<&str> {
    object.annotations().get(OWNED_BY).map(String::as_str)
}

fn with_owner(mut object: DynamicObject, applied: &[DynamicObject]) -> Result<DynamicObject> {
    let wanted = owner_of(&object).unwrap_or_default().to_owned();
    let parts: Vec<&str> = wanted.split('/').collect();
    let [group, kind, name] = parts.as_slice() else {
        anyhow::bail!("{}: {OWNED_BY} is {wanted:?}, not group/Kind/name", describe(&object));
    };
    let is_owner = |candidate: &&DynamicObject| {
        let of_group =
            candidate.types.as_ref().is_some_and(|types| types.api_version.starts_with(&format!("{group}/")));
        of_group
            && kind_of(candidate) == *kind
            && candidate.name_any() == *name
            && candidate.namespace() == object.namespace()
    };
    let owner = applied.iter().find(is_owner);
    let owner = owner.with_context(|| format!("{} is owned by {wanted}, which isn't there", describe(&object)))?;
    let reference = OwnerReference {
        api_version: owner.types.as_ref().map(|types| types.api_version.clone()).unwrap_or_default(),
        kind: (*kind).to_owned(),
        name: owner.name_any(),
        uid: owner.uid().with_context(|| format!("{wanted} has no UID"))?,
        controller: Some(true),
        ..OwnerReference::default()
    };
    object.metadata.owner_references = Some(vec![reference]);
    Ok(object)
}

fn count(objects: &[DynamicObject]) -> BTreeMap<String, usize> {
    let mut kinds = BTreeMap::new();
    for object in objects {
        *kinds.entry(kind_of(object).to_owned()).or_default() += 1;
    }
    kinds
}

fn kind_of(object: &DynamicObject) -> &str {
    object.types.as_ref().map_or("", |types| types.kind.as_str())
}

fn describe(object: &DynamicObject) -> String {
    format!("{} {}/{}", kind_of(object), object.namespace().unwrap_or_default(), object.name_any())
}
