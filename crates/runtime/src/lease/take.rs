//! Taking the Lease away from whoever holds it, for work that no controller may interfere with.
//!
//! `holdfast withdraw` does this: it asks for a long duration, and every controller honours that of the holder. A leader
//! that can't see the Lease stops by itself, and its last writes end in time, so after `DURATION` nobody else writes.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use kube::{Api, Client};
use tokio::time::{Instant, sleep, timeout};

use super::{ANSWER, Candidacy, params, record};
use crate::failure::{Class, Failure};

/// How long to go on trying while the server doesn't answer or others are faster.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(500);

/// Why the Lease couldn't be taken or released.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// The API server refused.
    #[error("lease {namespace}/{name} was refused")]
    Refused {
        /// Of the Lease.
        namespace: String,
        /// Of the Lease.
        name: String,
        /// What the API server said.
        #[source]
        source: Box<kube::Error>,
    },
    /// Its namespace isn't there or is being deleted, so nobody can hold or renew it.
    #[error("lease {namespace}/{name} can't be: the namespace is gone")]
    NoNamespace {
        /// Of the Lease.
        namespace: String,
        /// Of the Lease.
        name: String,
    },
    /// There was no answer, or others were faster, for too long.
    #[error("lease {namespace}/{name} could not be written within {PATIENCE:?}")]
    TimedOut {
        /// Of the Lease.
        namespace: String,
        /// Of the Lease.
        name: String,
    },
}

/// Takes the Lease for `duration`, whoever holds it; returns once it is held. The former holder may go on writing for
/// up to [`DURATION`](super::DURATION) if it can't see the Lease. Controllers honour an hour at most.
///
/// # Errors
/// When the API server refuses, the namespace is gone, or it takes longer than a minute.
pub async fn take(client: Client, candidacy: &Candidacy, duration: Duration) -> Result<(), LeaseError> {
    let api = Api::namespaced(client, &candidacy.namespace);
    persist(candidacy, || take_once(&api, candidacy, duration)).await
}

/// Hands the Lease back if the candidate holds it.
///
/// # Errors
/// As [`take`].
pub async fn release(client: Client, candidacy: &Candidacy) -> Result<(), LeaseError> {
    let api = Api::namespaced(client, &candidacy.namespace);
    persist(candidacy, || release_once(&api, candidacy)).await
}

async fn persist<F>(candidacy: &Candidacy, attempt: impl Fn() -> F) -> Result<(), LeaseError>
where
    F: Future<Output = kube::Result<()>>,
{
    let (namespace, name) = (candidacy.namespace.clone(), candidacy.name.clone());
    let give_up = Instant::now() + PATIENCE;
    while Instant::now() < give_up {
        match timeout(ANSWER, attempt()).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) if lacks_namespace(&error) => {
                return Err(LeaseError::NoNamespace { namespace, name });
            }
            Ok(Err(error)) => match Failure::of(&error).class() {
                Class::Retry | Class::Wait(_) | Class::Conflict => {}
                Class::Forbidden | Class::Terminal => {
                    return Err(LeaseError::Refused { namespace, name, source: Box::new(error) });
                }
            },
            Err(_) => {}
        }
        sleep(PAUSE).await;
    }
    Err(LeaseError::TimedOut { namespace, name })
}

/// A Lease that vanished meanwhile is answered with 404 too, but about a Lease.
fn lacks_namespace(error: &kube::Error) -> bool {
    let kube::Error::Api(status) = error else { return false };
    let about_it = status.details.as_ref().is_some_and(|details| details.kind == "namespaces");
    let failure = Failure::of_status(status);
    failure == Failure::NamespaceTerminating || (failure == Failure::NotFound && about_it)
}

async fn take_once(api: &Api<Lease>, candidacy: &Candidacy, duration: Duration) -> kube::Result<()> {
    let (now, params) = (Timestamp::now(), params(candidacy));
    match api.get_opt(&candidacy.name).await? {
        None => api.create(&params, &record::first(candidacy, duration, now, false)).await?,
        Some(lease) => {
            let lease = record::next(lease, &candidacy.identity, duration, now, false);
            api.replace(&candidacy.name, &params, &lease).await?
        }
    };
    Ok(())
}

async fn release_once(api: &Api<Lease>, candidacy: &Candidacy) -> kube::Result<()> {
    let Some(lease) = api.get_opt(&candidacy.name).await? else { return Ok(()) };
    if lease.spec.as_ref().and_then(record::holder) == Some(&candidacy.identity) {
        let lease = record::released(lease, Timestamp::now());
        api.replace(&candidacy.name, &params(candidacy), &lease).await?;
    }
    Ok(())
}
