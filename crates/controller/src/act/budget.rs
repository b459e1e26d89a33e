//! One write of a budget: create, change or delete, each bound to the object that the plan saw.
//!
//! Created by server-side apply with resourceVersion "1", which the API server answers with 409 when the object exists;
//! changed with the uid, so that nothing is ever made again by a late change; deleted with uid and resourceVersion. Never
//! forced.

use holdfast_model::ObjectKey;
use holdfast_model::shapes::FIELD_MANAGER;
use holdfast_policy::disruption::{Preconditions, Wanted, Write};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::api::{Api, DeleteParams, Patch, PatchParams};
use kube::core::{Request, Status};
use kube::{Client, Error, Resource as _};
use serde::Deserialize;

/// What a write left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Written {
    /// The object, at this resourceVersion.
    There { version: Box<str>, created: bool },
    /// Nothing: the object of this UID is gone.
    Gone { uid: Box<str> },
}

/// What matters of the answer: all else comes with the watch.
#[derive(Deserialize)]
struct Applied {
    metadata: AppliedMeta,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AppliedMeta {
    resource_version: Box<str>,
}

/// Carries out one write.
pub(super) async fn execute(client: &Client, write: &Write) -> Result<Written, Error> {
    match write {
        Write::Create(wanted) => apply(client, wanted, None).await,
        Write::Update { wanted, seen } => apply(client, wanted, Some(seen)).await,
        Write::Withdraw { key, seen, .. } => delete(client, key, seen).await,
    }
}

async fn apply(client: &Client, wanted: &Wanted, seen: Option<&Preconditions>) -> Result<Written, Error> {
    let mut manifest = wanted.manifest();
    match seen {
        None => manifest.metadata.resource_version = Some("1".to_owned()),
        Some(seen) => manifest.metadata.uid = Some(seen.uid.to_string()),
    }
    let budgets = Request::new(PodDisruptionBudget::url_path(&(), Some(&wanted.key.namespace)));
    let request = budgets.patch(&wanted.key.name, &PatchParams::apply(FIELD_MANAGER), &Patch::Apply(&manifest));
    let applied: Applied = client.request(request.map_err(Error::BuildRequest)?).await?;
    Ok(Written::There { version: applied.metadata.resource_version, created: seen.is_none() })
}

/// Something that is gone already is what was wanted.
async fn delete(client: &Client, key: &ObjectKey, seen: &Preconditions) -> Result<Written, Error> {
    let preconditions =
        kube::api::Preconditions { uid: Some(seen.uid.to_string()), resource_version: Some(seen.version.to_string()) };
    let params = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() };
    let gone = Ok(Written::Gone { uid: seen.uid.clone() });
    match api(client, key).delete(&key.name, &params).await {
        Ok(_) => gone,
        Err(Error::Api(status)) if is_gone(&status) => gone,
        Err(error) => Err(error),
    }
}

fn is_gone(status: &Status) -> bool {
    status.code == 404
}

fn api(client: &Client, key: &ObjectKey) -> Api<PodDisruptionBudget> {
    Api::namespaced(client.clone(), &key.namespace)
}
