//! One thing that somebody does to the cluster, and doing it.
//!
//! A step is refused where something else was faster: its object, namespace or kind is going or gone. That is counted
//! and part of the story; every other failure is an error, because then the churn isn't what it says.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use holdfast_testkit::{Manifests, eventually};
use jiff::Timestamp;
use kube::Client;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, Patch, PatchParams, PropagationPolicy};
use kube::core::{GroupVersionKind, Status};
use serde_json::{Value, json};

use crate::checkout;

const FIELD_MANAGER: &str = "churn";
/// Who edits what isn't theirs.
const PERSON: &str = "kubectl-edit";
/// A namespace or a kind with objects takes a while to go. The namespace controller tries again after 5 s, doubling up to a minute
/// (`nsControllerRateLimiter` in `pkg/controller/namespace/namespace_controller.go`), and each kind that comes or goes meanwhile has a try
/// fail: five in a row are 135 s.
const GOING: Duration = Duration::from_secs(300);

/// What the API server says where a namespace or a kind is going, and where a namespace has no account for pods yet.
const OVERTAKEN: [&str; 3] = ["being terminated", "definition is terminating", "service account"];

/// The kinds that change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Namespace,
    Deployment,
    StatefulSet,
    Autoscaler,
    ScaledObject,
    Budget,
    Pod,
    Policy,
    Exception,
    Release,
    Kustomization,
}

impl Kind {
    const fn names(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Namespace => ("v1", "Namespace", "namespaces"),
            Self::Deployment => ("apps/v1", "Deployment", "deployments"),
            Self::StatefulSet => ("apps/v1", "StatefulSet", "statefulsets"),
            Self::Autoscaler => ("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
            Self::ScaledObject => ("keda.sh/v1alpha1", "ScaledObject", "scaledobjects"),
            Self::Budget => ("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets"),
            Self::Pod => ("v1", "Pod", "pods"),
            Self::Policy => ("holdfast.dev/v1alpha1", "DisruptionPolicy", "disruptionpolicies"),
            Self::Exception => ("holdfast.dev/v1alpha1", "PolicyException", "policyexceptions"),
            Self::Release => ("helm.toolkit.fluxcd.io/v2", "HelmRelease", "helmreleases"),
            Self::Kustomization => ("kustomize.toolkit.fluxcd.io/v1", "Kustomization", "kustomizations"),
        }
    }

    /// As the API spells it.
    pub(super) const fn as_str(self) -> &'static str {
        self.names().1
    }

    const fn is_namespaced(self) -> bool {
        !matches!(self, Self::Namespace | Self::Policy)
    }

    fn resource(self) -> ApiResource {
        let (version, kind, plural) = self.names();
        let (group, version) = version.split_once('/').unwrap_or(("", version));
        ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural)
    }
}

/// Which object.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Id {
    pub(super) kind: Kind,
    /// Ignored where the kind has none.
    pub(super) namespace: String,
    pub(super) name: String,
}

impl Id {
    pub(super) fn new(kind: Kind, namespace: &str, name: impl Into<String>) -> Self {
        Self { kind, namespace: namespace.to_owned(), name: name.into() }
    }

    fn api(&self, client: &Client) -> Api<DynamicObject> {
        let resource = self.kind.resource();
        match self.kind.is_namespaced() {
            true => Api::namespaced_with(client.clone(), &self.namespace, &resource),
            false => Api::all_with(client.clone(), &resource),
        }
    }
}

/// One request, or waiting for the end of what an earlier one began.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    /// Makes the object or changes it into this. An `expiresAt` of `+7` means seven seconds from now.
    Apply(Id, Value),
    /// Writes its status, as its own controller would.
    Tell(Id, Value),
    /// Changes fields of an object that belongs to somebody else.
    Edit(Id, Value),
    /// Deletes it, with what it owns.
    Delete(Id),
    /// Waits until it is gone.
    AwaitGone(Id),
    /// Installs a definition of `e2e/crds`.
    Define(&'static str),
    /// Deletes it with all its objects, and waits until it is gone.
    Undefine(&'static str),
}

/// What a person would call one change; its steps are done one after the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    pub(super) what: &'static str,
    pub(super) steps: Vec<Step>,
}

impl Operation {
    pub(super) fn new(what: &'static str, steps: Vec<Step>) -> Self {
        Self { what, steps }
    }
}

/// What was done so far.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// How many operations of each name.
    pub operations: BTreeMap<&'static str, usize>,
    /// How many steps were refused, by the code and reason of the answer.
    pub refused: BTreeMap<String, usize>,
}

impl Tally {
    /// How many operations.
    #[must_use]
    pub fn total(&self) -> usize {
        self.operations.values().sum()
    }

    pub(super) async fn perform(&mut self, client: &Client, operation: &Operation) -> Result<()> {
        *self.operations.entry(operation.what).or_default() += 1;
        for step in &operation.steps {
            match perform(client, step).await {
                Ok(()) => {}
                Err(error) => self.note(error).with_context(|| format!("{}: {step:?}", operation.what))?,
            }
        }
        Ok(())
    }

    /// Counts a refusal that is part of the story.
    fn note(&mut self, error: anyhow::Error) -> Result<()> {
        let Some(kube::Error::Api(status)) = error.downcast_ref() else { return Err(error) };
        ensure!(is_overtaken(status), "{status:?}");
        *self.refused.entry(format!("{} {}", status.code, status.reason)).or_default() += 1;
        Ok(())
    }

    pub(super) fn add(&mut self, other: Self) {
        for (what, count) in other.operations {
            *self.operations.entry(what).or_default() += count;
        }
        for (answer, count) in other.refused {
            *self.refused.entry(answer).or_default() += count;
        }
    }
}

/// Whether something else was faster: gone (404), going (403, 409), a kind that comes or goes (429, 405, 503), a budget of ours whose
/// workload is gone and that isn't yet, with the other of the two limits (422).
fn is_overtaken(status: &Status) -> bool {
    match status.code {
        404 | 405 | 409 | 429 | 503 => true,
        403 => OVERTAKEN.iter().any(|words| status.message.contains(words)),
        422 => status.message.ends_with("minAvailable and maxUnavailable cannot be both set"),
        _ => false,
    }
}

pub(super) async fn perform(client: &Client, step: &Step) -> Result<()> {
    match step {
        Step::Apply(id, object) => {
            let params = PatchParams::apply(FIELD_MANAGER).force();
            id.api(client).patch(&id.name, &params, &Patch::Apply(whole(id, object))).await?;
        }
        Step::Tell(id, status) => {
            let status = Patch::Merge(json!({ "status": status }));
            id.api(client).patch_status(&id.name, &PatchParams::default(), &status).await?;
        }
        Step::Edit(id, patch) => {
            let params = PatchParams { field_manager: Some(PERSON.to_owned()), ..PatchParams::default() };
            id.api(client).patch(&id.name, &params, &Patch::Merge(patch)).await?;
        }
        Step::Delete(id) => {
            let background =
                DeleteParams { propagation_policy: Some(PropagationPolicy::Background), ..DeleteParams::default() };
            id.api(client).delete(&id.name, &background).await?;
        }
        Step::AwaitGone(id) => await_gone(client, id).await?,
        Step::Define(file) => drop(definition(file)?.apply(client, FIELD_MANAGER).await?),
        Step::Undefine(file) => undefine(client, &definition(file)?).await?,
    }
    Ok(())
}

async fn await_gone(client: &Client, id: &Id) -> Result<()> {
    eventually(&format!("the end of {} {}", id.kind.as_str(), id.name), GOING, async || {
        let left = id.api(client).get_opt(&id.name).await?;
        ensure!(left.is_none(), "{left:?}");
        Ok(())
    })
    .await
}

fn definition(file: &str) -> Result<Manifests> {
    Manifests::read(&checkout().join("e2e/crds").join(file))
}

async fn undefine(client: &Client, definition: &Manifests) -> Result<()> {
    definition.delete(client).await?;
    let resource =
        ApiResource::from_gvk(&GroupVersionKind::gvk("apiextensions.k8s.io", "v1", "CustomResourceDefinition"));
    let definitions: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
    for object in definition.objects() {
        let Some(name) = &object.metadata.name else { bail!("a definition without a name") };
        eventually(&format!("the end of the definition {name}"), GOING, async || {
            ensure!(definitions.get_opt(name).await?.is_none(), "it is still there");
            Ok(())
        })
        .await?;
    }
    Ok(())
}

/// With kind, name, and times instead of spans of time.
fn whole(id: &Id, object: &Value) -> Value {
    let (version, kind, _) = id.kind.names();
    let mut object = object.clone();
    object["apiVersion"] = json!(version);
    object["kind"] = json!(kind);
    object["metadata"]["name"] = json!(id.name);
    if id.kind.is_namespaced() {
        object["metadata"]["namespace"] = json!(id.namespace);
    }
    let span = object.pointer("/spec/expiresAt").and_then(Value::as_str).and_then(|text| text.strip_prefix('+'));
    if let Some(seconds) = span.and_then(|text| text.parse::<i64>().ok()) {
        // Whole seconds, as the API server keeps them.
        let end = Timestamp::from_second(Timestamp::now().as_second() + seconds);
        object["spec"]["expiresAt"] = json!(end.map(|end| end.to_string()).unwrap_or_default());
    }
    object
}
