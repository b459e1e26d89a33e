//! The standards as ValidatingAdmissionPolicies, for clusters in which nothing else looks: an API server says with each
//! pod and pod template that is made what a level of a version forbids.
//!
//! A policy for each check: it can be left out, or bound otherwise, by itself, and the server's metrics count by check.
//! Each names who is wrong in a list called `offenders`; nothing is wrong when that is empty. A binding warns and writes
//! into the audit log. Deliberately absent: denying. Whoever wants that labels namespaces, which the server enforces.
//!
//! Invariant: a policy complains of the pods that [`evaluate`](fn@crate::evaluate) finds its check broken by, and of no
//! others. A pod is judged when it is made and when an ephemeral container joins it; nothing else that a check reads of a
//! pod can change what runs.

mod check;
mod manifest;
mod rule;

use crate::check::Check;
use crate::evaluate::made;
use crate::level::Level;
use crate::version::Version;

pub use manifest::{ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding};

/// Namespaces of Kubernetes itself, of which its administrators know what they run.
pub const EXEMPT: [&str; 3] = ["kube-node-lease", "kube-public", "kube-system"];

/// A check as a policy, and where and how it holds.
#[derive(Debug, Clone)]
pub struct AdmissionPolicy {
    /// The check.
    pub check: Check,
    /// What is forbidden.
    pub policy: ValidatingAdmissionPolicy,
    /// Where, and what happens then: a warning and an entry in the audit log.
    pub binding: ValidatingAdmissionPolicyBinding,
}

/// The policies for everything that a level and version forbid, in the server's order, for all namespaces but these.
///
/// As for [`evaluate`](fn@crate::evaluate), what is newer than [`Version::NEWEST_KNOWN`] is that one.
///
/// ```
/// use holdfast_pod_security::{Level, Version, admission};
///
/// let policies = admission::policies(Level::Baseline, Version::Minor(35), &admission::EXEMPT);
/// let policy = serde_json::to_value(&policies[0].policy)?;
/// assert_eq!(policy["metadata"]["name"], "holdfast-baseline-app-armor-profile");
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn policies(level: Level, version: Version, exempt: &[&str]) -> Vec<AdmissionPolicy> {
    let minor = version.minor();
    let policies = made(level, version).map(|(row, _)| {
        let rule = check::rule(row.check, minor);
        let about = manifest::About { check: row.check, level, version: Version::Minor(minor) };
        AdmissionPolicy {
            check: row.check,
            policy: ValidatingAdmissionPolicy::new(&about, &rule),
            binding: ValidatingAdmissionPolicyBinding::new(&about, exempt),
        }
    });
    policies.collect()
}

#[cfg(test)]
mod tests;
