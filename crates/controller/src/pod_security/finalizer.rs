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
use jiff::{SignedDuration, Timestamp};
use kube::api::{Api, Patch, PatchParams};
use serde_json::json;
use tokio::time::timeout;

use super::Parts;
use crate::access::Concern;
use crate::write::{Failure, said};

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
        let api: Api<NamespaceSecurityPolicy> = Api::all(parts.writes.clone());
        let manifest = json!({
            "apiVersion": format!("{}/v1alpha1", holdfast_api::GROUP),
            "kind": "NamespaceSecurityPolicy",
            "metadata": { "name": name.as_str(), "uid": uid, "finalizers": finalizers },
        });
        let params = PatchParams::apply(SECURITY_MANAGER);
        match timeout(ANSWER, api.patch_metadata(&name, &params, &Patch::Apply(manifest))).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) if Failure::of(&error) == Failure::NotFound => {}
            Ok(Err(error)) => tracing::warn!(policy = %name, error = said(&error), "a finalizer could not be written"),
            Err(_) => tracing::warn!(policy = %name, "a finalizer could not be written: no answer in time"),
        }
    }
}

fn due(raw: &NamespaceSecurityPolicy, now: Timestamp, is_settled: bool) -> Option<Due> {
    let is_held = raw.metadata.finalizers.iter().flatten().any(|finalizer| finalizer == WITHDRAW);
    match (&raw.metadata.deletion_timestamp, is_held) {
        (None, false) => (raw.spec.mode == Mode::Enforce).then_some(Due::Hold),
        (None, true) => (raw.spec.mode == Mode::Report && is_settled).then_some(Due::LetGo { late: false }),
        (Some(_), false) => None,
        (Some(since), true) => {
            let late = DEADLINE <= now.duration_since(since.0);
            (late || is_settled).then_some(Due::LetGo { late })
        }
    }
}
