//! Keeps a policy until its labels are withdrawn, for a limited time.
//!
//! Garbage collection can't take a label back. So a policy that writes gets a finalizer, and is let go when nothing of it is
//! left, or when that takes too long: a namespace that hangs must not keep it for ever.

use std::sync::Arc;
use std::time::Duration;

use holdfast_api::{Mode, NamespaceSecurityPolicy};
use holdfast_model::Text;
use holdfast_model::shapes::SECURITY_MANAGER;
use holdfast_policy::Policies;
use holdfast_runtime::failure::{Failure, said};
use jiff::{SignedDuration, Timestamp};
use kube::Client;
use kube::api::{Api, ListParams, Patch, PatchParams};
use serde_json::json;
use tokio::time::timeout;

use super::Parts;
use crate::access::Concern;
use crate::view::Facts;

/// The finalizer.
pub(crate) const WITHDRAW: &str = "holdfast.dev/withdraw";
/// For how long a policy waits for its labels to be withdrawn.
const DEADLINE: SignedDuration = SignedDuration::from_mins(10);
/// How long one write may take.
const ANSWER: Duration = Duration::from_secs(5);

/// What a policy needs.
enum Due {
    Hold,
    LetGo { late: bool },
}

/// Gives finalizers to those that write, and takes them from those that are done.
///
/// `settled` are the policies by which nothing is left to be withdrawn; what was changed since isn't settled.
pub(super) async fn settle(parts: &Parts, settled: Option<&Arc<Policies>>) {
    if !parts.leadership.is_leader() || !parts.permissions.may_write(Concern::PodSecurity) {
        return;
    }
    let now = Timestamp::now();
    let due: Vec<(Text, String, Due)> = parts.view.read(|facts| {
        let policies = facts.policies.security.iter().filter_map(|(name, known)| Some((name, known.raw()?)));
        let is_settled = settled.is_some_and(|settled| Arc::ptr_eq(settled, &facts.policies.parsed()));
        let due = |(name, raw): (&Text, &NamespaceSecurityPolicy)| {
            let due = due(raw, now, is_settled)?;
            Some((name.clone(), raw.metadata.uid.clone().unwrap_or_default(), due))
        };
        policies.filter_map(due).collect()
    });
    for (name, uid, due) in due {
        let finalizers: &[&str] = match due {
            Due::Hold => &[WITHDRAW],
            Due::LetGo { late } => {
                if late {
                    tracing::warn!(policy = %name, "labels could not all be withdrawn in time: the policy is let go all the same");
                }
                &[]
            }
        };
        match timeout(ANSWER, write(&parts.writes, &name, &uid, finalizers)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) if Failure::of(&error) == Failure::NotFound => {}
            Ok(Err(error)) => tracing::warn!(policy = %name, error = said(&error), "a finalizer could not be written"),
            Err(_) => tracing::warn!(policy = %name, "a finalizer could not be written: no answer in time"),
        }
    }
}

/// Whether any policy waits for its labels to be withdrawn, or will.
pub(super) fn is_held(facts: &Facts) -> bool {
    facts.policies.security.iter().filter_map(|(_, known)| known.raw()).any(has)
}

fn has(policy: &NamespaceSecurityPolicy) -> bool {
    policy.metadata.finalizers.iter().flatten().any(|finalizer| finalizer == WITHDRAW)
}

/// Lets all policies go: nobody is left to withdraw anything for them.
pub(crate) async fn release_all(client: &Client) -> Result<(), kube::Error> {
    let api: Api<NamespaceSecurityPolicy> = Api::all(client.clone());
    let found = match api.list_metadata(&ListParams::default()).await {
        Ok(found) => found.items,
        Err(kube::Error::Api(status)) if status.code == 404 => return Ok(()),
        Err(error) => return Err(error),
    };
    for policy in found {
        let meta = policy.metadata;
        if meta.finalizers.iter().flatten().any(|finalizer| finalizer == WITHDRAW) {
            let (name, uid) = (meta.name.unwrap_or_default(), meta.uid.unwrap_or_default());
            match write(client, &name, &uid, &[]).await {
                Err(kube::Error::Api(status)) if status.code == 404 => {}
                outcome => outcome?,
            }
        }
    }
    Ok(())
}

async fn write(client: &Client, name: &str, uid: &str, finalizers: &[&str]) -> Result<(), kube::Error> {
    let manifest = json!({
        "apiVersion": format!("{}/v1alpha1", holdfast_api::GROUP),
        "kind": "NamespaceSecurityPolicy",
        "metadata": { "name": name, "uid": uid, "finalizers": finalizers },
    });
    let api: Api<NamespaceSecurityPolicy> = Api::all(client.clone());
    api.patch_metadata(name, &PatchParams::apply(SECURITY_MANAGER), &Patch::Apply(manifest)).await.map(drop)
}

fn due(raw: &NamespaceSecurityPolicy, now: Timestamp, is_settled: bool) -> Option<Due> {
    match (&raw.metadata.deletion_timestamp, has(raw)) {
        (None, false) => (raw.spec.mode == Mode::Enforce).then_some(Due::Hold),
        (None, true) => (raw.spec.mode == Mode::Report && is_settled).then_some(Due::LetGo { late: false }),
        (Some(_), false) => None,
        (Some(since), true) => {
            let late = DEADLINE <= now.duration_since(since.0);
            (late || is_settled).then_some(Due::LetGo { late })
        }
    }
}
