//! Manifests as people write them, applied by server-side apply: definitions and namespaces first, then the rest.
//!
//! Kinds are looked up where they are needed, so a file may define a kind and use it. Fields of other managers are taken
//! over, as Flux does. Objects that name no namespace go to `default`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, Patch, PatchParams};
use kube::core::GroupVersionKind;
use kube::discovery::{self, ApiCapabilities, Scope};
use kube::{Client, ResourceExt as _};
use serde_json::Value;

use crate::eventually::eventually;

/// How long a new kind may take to be served.
const ESTABLISHED: Duration = Duration::from_secs(60);

/// Objects, in the order in which they were written.
#[derive(Debug, Clone, Default)]
pub struct Manifests {
    objects: Vec<DynamicObject>,
}

impl Manifests {
    /// Reads YAML or JSON with any number of documents; lists are unpacked, empty documents skipped.
    pub fn parse(text: &str) -> Result<Self> {
        // Else `n` would be a boolean, which it is in no reader of Kubernetes manifests.
        let options = serde_saphyr::options! { strict_booleans: true };
        let documents: Vec<Value> =
            serde_saphyr::from_multiple_with_options(text, options).context("parsing manifests")?;
        let mut objects = Vec::new();
        for document in documents.into_iter().flat_map(unpack) {
            let kind = document.get("kind").cloned();
            objects.push(serde_json::from_value(document).with_context(|| format!("an object of kind {kind:?}"))?);
        }
        Ok(Self { objects })
    }

    /// Reads a file, or every `.yaml`, `.yml` and `.json` below a folder, sorted by path.
    pub fn read(path: &Path) -> Result<Self> {
        let mut objects = Vec::new();
        for file in files_below(path)? {
            let text = fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
            objects.extend(Self::parse(&text).with_context(|| format!("reading {}", file.display()))?.objects);
        }
        Ok(Self { objects })
    }

    /// The objects.
    pub fn objects(&self) -> &[DynamicObject] {
        &self.objects
    }

    /// Applies all of them as this field manager; what the server made of them, in the order they were applied.
    pub async fn apply(&self, client: &Client, manager: &str) -> Result<Vec<DynamicObject>> {
        let parameters = PatchParams::apply(manager).force();
        let mut applied = Vec::with_capacity(self.objects.len());
        for (phase, object) in self.in_order() {
            let api = api_for(client, object).await?;
            let answer = api.patch(&object.name_any(), &parameters, &Patch::Apply(object)).await;
            applied.push(answer.with_context(|| format!("applying {}", describe(object)))?);
            if phase == Phase::Definition {
                await_established(client, &object.name_any()).await?;
            }
        }
        Ok(applied)
    }

    /// Deletes all of them, in the opposite order; those that are gone already are fine.
    pub async fn delete(&self, client: &Client) -> Result<()> {
        for (_, object) in self.in_order().into_iter().rev() {
            let api = api_for(client, object).await?;
            match api.delete(&object.name_any(), &DeleteParams::default()).await {
                Ok(_) => {}
                Err(kube::Error::Api(status)) if status.code == 404 => {}
                Err(error) => return Err(error).with_context(|| format!("deleting {}", describe(object))),
            }
        }
        Ok(())
    }

    fn in_order(&self) -> Vec<(Phase, &DynamicObject)> {
        let mut objects: Vec<_> = self.objects.iter().map(|object| (Phase::of(object), object)).collect();
        // Stable: within a phase the order stays as written.
        objects.sort_by_key(|(phase, _)| *phase);
        objects
    }
}

/// What must be there before what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Definition,
    Namespace,
    Rest,
}

impl Phase {
    fn of(object: &DynamicObject) -> Self {
        match object.types.as_ref().map(|types| types.kind.as_str()) {
            Some("CustomResourceDefinition") => Self::Definition,
            Some("Namespace") => Self::Namespace,
            _ => Self::Rest,
        }
    }
}

/// The objects of a document: none in an empty one, several in a list.
fn unpack(document: Value) -> Vec<Value> {
    let is_list = document.get("kind").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("List"));
    match (document, is_list) {
        (Value::Null, _) => Vec::new(),
        (Value::Object(mut list), true) if list.contains_key("items") => match list.remove("items") {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        },
        (document, _) => vec![document],
    }
}

fn files_below(path: &Path) -> Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = fs::read_dir(path).with_context(|| format!("reading the folder {}", path.display()))?;
    let mut entries: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    entries.sort();
    let mut files = Vec::new();
    for entry in entries {
        if entry.is_dir() {
            files.extend(files_below(&entry)?);
        } else if entry
            .extension()
            .is_some_and(|extension| ["yaml", "yml", "json"].iter().any(|known| extension == *known))
        {
            files.push(entry);
        }
    }
    Ok(files)
}

async fn api_for(client: &Client, object: &DynamicObject) -> Result<Api<DynamicObject>> {
    let (resource, capabilities) = resource_of(client, object).await?;
    Ok(match capabilities.scope {
        Scope::Cluster => Api::all_with(client.clone(), &resource),
        Scope::Namespaced => {
            let namespace = object.namespace().unwrap_or_else(|| "default".to_owned());
            Api::namespaced_with(client.clone(), &namespace, &resource)
        }
    })
}

async fn resource_of(client: &Client, object: &DynamicObject) -> Result<(ApiResource, ApiCapabilities)> {
    let Some(types) = &object.types else { bail!("{} has no apiVersion and kind", object.name_any()) };
    let kind = GroupVersionKind::try_from(types)?;
    // A kind that was just defined may be established and not yet listed.
    let looked_up = async || Ok(discovery::pinned_kind(client, &kind).await?);
    eventually(&format!("the kind of {}", describe(object)), Duration::from_secs(10), looked_up).await
}

async fn await_established(client: &Client, name: &str) -> Result<()> {
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    eventually(&format!("the definition {name} to be established"), ESTABLISHED, async || {
        let status = definitions.get(name).await?.status.unwrap_or_default();
        let mut conditions = status.conditions.iter().flatten();
        let established = conditions.any(|condition| condition.type_ == "Established" && condition.status == "True");
        ensure!(established, "its conditions are {:?}", status.conditions);
        Ok(())
    })
    .await
}

fn describe(object: &DynamicObject) -> String {
    let kind = object.types.as_ref().map_or("object", |types| types.kind.as_str());
    match object.namespace() {
        Some(namespace) => format!("{kind} {namespace}/{}", object.name_any()),
        None => format!("{kind} {}", object.name_any()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let manifests = Manifests::parse(text).unwrap();
        let described: Vec<String> = manifests.in_order().into_iter().map(|(_, object)| describe(object)).collect();
        assert_eq!(described, expected);
    }

    const POLICY: &str = "{apiVersion: holdfast.dev/v1alpha1, kind: DisruptionPolicy, metadata: {name: p}}";

    #[test]
    fn definitions_and_namespaces_come_first_whatever_the_order() {
        let text = format!(
            "{POLICY}\n---\n{{apiVersion: v1, kind: ConfigMap, metadata: {{name: c, namespace: n}}}}\n---\n\
             {{apiVersion: v1, kind: Namespace, metadata: {{name: n}}}}\n---\n\
             {{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {{name: d}}}}\n"
        );
        check(&text, &["CustomResourceDefinition d", "Namespace n", "DisruptionPolicy p", "ConfigMap n/c"]);
    }

    #[test]
    fn lists_are_unpacked_and_empty_documents_skipped() {
        check(
            &format!("---\n# nothing\n---\napiVersion: v1\nkind: List\nitems:\n- {POLICY}\n"),
            &["DisruptionPolicy p"],
        );
    }

    #[test]
    fn text_that_is_no_object_is_an_error() {
        assert!(Manifests::parse("just: a map: with a mistake").is_err());
        assert!(Manifests::parse("[1, 2]").is_err());
    }
}
