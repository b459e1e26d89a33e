//! Takes everything back: `holdfast withdraw`, which the chart's pre-delete hook runs, and a person from a laptop.
//!
//! The Lease is taken first, for longer than this needs, and nothing is deleted before its former holder has stopped, so
//! that no controller makes again what is deleted: each honours the time that the holder asks for. If the release stays
//! after all, they go on when that time is over. Labels are taken back as the controller would, where that tightens nothing. Where the Lease's namespace is gone, as after a deletion by hand, no
//! controller can hold it, and one that did stops in the same time. Deletes only what is ours by label and field manager; lists again until
//! nothing is left.

use std::ops::ControlFlow;
use std::time::Duration;

use holdfast_api::DrainReadiness;
use holdfast_model::facts::{Budget, Fact};
use holdfast_model::shapes::{MANAGED_BY, PodDisruptionBudget, Shape as _};
use holdfast_policy::Policies;
use holdfast_policy::pod_security::{JUDGED, Moment, Progress, advise};
use holdfast_runtime::lease::{self, DURATION, LeaseError};
use jiff::Timestamp;
use kube::api::{Api, DeleteParams, ListParams, Preconditions};
use kube::{Client, Resource as _};
use tokio::time::sleep;

use crate::lease::candidacy;
use crate::look::{LookError, look};
use crate::pod_security::finalizer;
use crate::pod_security::labels::{self, Executed};

/// For how long the controllers are to keep still.
const HOLD: Duration = Duration::from_secs(300);
/// How often it is listed again at most.
const ROUNDS: usize = 10;

/// Why not everything could be taken back.
#[derive(Debug, thiserror::Error)]
pub enum WithdrawError {
    /// The Lease could not be taken, so a controller might make again what is deleted.
    #[error("the controllers can't be stopped")]
    Lease(#[from] LeaseError),
    /// The API server refused or failed.
    #[error("budgets can't be withdrawn")]
    Api(#[source] Box<kube::Error>),
    /// What runs can't be seen, so nobody can tell which labels may go.
    #[error("labels can't be withdrawn")]
    Look(#[from] LookError),
    /// Somebody makes them again.
    #[error("{0} budgets came back again and again: is a controller running that uses another Lease?")]
    ComingBack(usize),
}

impl From<kube::Error> for WithdrawError {
    fn from(error: kube::Error) -> Self {
        Self::Api(Box::new(error))
    }
}

/// Withdraws every budget of ours; returns how many there were.
///
/// # Errors
/// When the Lease can't be taken, the API server refuses, or budgets come back.
pub async fn withdraw(client: Client, lease_namespace: &str, identity: &str) -> Result<usize, WithdrawError> {
    match lease::take(client.clone(), &candidacy(lease_namespace, identity.to_owned()), HOLD).await {
        Ok(()) => {
            tracing::info!(namespace = lease_namespace, "lease taken; waiting until no controller writes any more");
        }
        Err(LeaseError::NoNamespace { .. }) => {
            tracing::warn!(
                namespace = lease_namespace,
                "no such namespace; waiting until no controller writes any more"
            );
        }
        Err(error) => return Err(error.into()),
    }
    // A leader that sees who holds the Lease stops at its next renewal, one that can't see it by itself; either way the last
    // of its writes has come to its end within this time.
    sleep(DURATION).await;
    let mut withdrawn = 0;
    for round in 0..ROUNDS {
        let ours = list(&client).await?;
        tracing::info!(round, budgets = ours.len(), "budgets of ours");
        if ours.is_empty() && 0 < round {
            withdraw_labels(&client).await?;
            forget_readiness(&client).await?;
            return Ok(withdrawn);
        }
        withdrawn += ours.len();
        for budget in ours {
            delete(&client, &budget).await?;
        }
    }
    Err(WithdrawError::ComingBack(list(&client).await?.len()))
}

/// Takes the Pod Security labels back that are ours, where that doesn't tighten a namespace, and lets the policies go that
/// would wait for it.
async fn withdraw_labels(client: &Client) -> Result<(), WithdrawError> {
    let mut cluster = None;
    look(client.clone(), &JUDGED, |seen| {
        cluster = Some(seen.clone());
        ControlFlow::Break(())
    })
    .await?;
    let cluster = cluster.unwrap_or_default();
    let moment = Moment { watched: Duration::ZERO, now: Timestamp::now(), frozen: false };
    for name in cluster.namespace_names() {
        let Some(view) = cluster.namespace(name) else { continue };
        let advice = advise(view, None, &Policies::default(), &mut Progress::default(), moment);
        let Some(step) = advice.and_then(|advice| advice.step) else { continue };
        match labels::execute(client, name, &step).await? {
            Executed::Written { labels, .. } if labels.is_empty() => {
                tracing::info!(namespace = %name, "pod security labels withdrawn");
            }
            Executed::Written { .. } | Executed::Objected(_) | Executed::Exempt => {
                tracing::warn!(namespace = %name, "its enforce label stays: what holds without it might refuse pods");
            }
        }
    }
    finalizer::release_all(client).await?;
    Ok(())
}

/// Nobody keeps the drain forecast any more, and an upgrade must not begin by an old one. One that a person wrote stays:
/// whoever waits for it is told to look after our Deployment too.
async fn forget_readiness(client: &Client) -> Result<(), kube::Error> {
    let labelled = ListParams::default().labels(&format!("{}={}", MANAGED_BY.0, MANAGED_BY.1));
    let api: Api<DrainReadiness> = Api::all(client.clone());
    let found = match api.list_metadata(&labelled).await {
        Ok(found) => found.items,
        Err(kube::Error::Api(status)) if status.code == 404 => return Ok(()),
        Err(error) => return Err(error),
    };
    for object in found {
        match api.delete(object.metadata.name.as_deref().unwrap_or_default(), &DeleteParams::default()).await {
            Err(kube::Error::Api(status)) if status.code == 404 => {}
            outcome => drop(outcome?),
        }
    }
    Ok(())
}

struct Ours {
    namespace: String,
    name: String,
    uid: String,
}

async fn list(client: &Client) -> Result<Vec<Ours>, kube::Error> {
    let labelled = ListParams::default().labels(&format!("{}={}", MANAGED_BY.0, MANAGED_BY.1));
    let budgets: Api<PodDisruptionBudget> = Api::all(client.clone());
    let found = budgets.list(&labelled).await?;
    Ok(found.into_iter().filter_map(ours).collect())
}

fn ours(object: PodDisruptionBudget) -> Option<Ours> {
    let meta = object.meta().clone();
    let Fact::Budget(budget) = object.fact() else { return None };
    Budget::is_ours(&budget).then(|| Ours {
        namespace: meta.namespace.unwrap_or_default(),
        name: meta.name.unwrap_or_default(),
        uid: meta.uid.unwrap_or_default(),
    })
}

async fn delete(client: &Client, ours: &Ours) -> Result<(), kube::Error> {
    let budgets: Api<PodDisruptionBudget> = Api::namespaced(client.clone(), &ours.namespace);
    let preconditions = Preconditions { uid: Some(ours.uid.clone()), resource_version: None };
    let params = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() };
    match budgets.delete(&ours.name, &params).await {
        Ok(_) => Ok(()),
        // Gone already, or another object under its name by now.
        Err(kube::Error::Api(status)) if status.code == 404 || status.code == 409 => Ok(()),
        Err(error) => Err(error),
    }
}
