//! The Kubernetes [Pod Security Standards]: every check of every version, in the words of the API server.
//!
//! [`evaluate()`] says what a level and a version of the standards forbid of a pod: the check, the server's own message,
//! every place that has to change, and the smallest change that cures it. [`labels`] says which level and version a
//! namespace asks for. [`PodFacts`] is what the checks read of a pod, decoded from any format that serde knows.
//!
//! Verdicts and messages are those of the [upstream package] up to [`Version::NEWEST_KNOWN`], down to the order. Pure:
//! no clock, no files, no network, and no dependency but serde. Deliberately absent: who is exempt (see
//! [`PodFacts::runtime_class_name`]), and whether a pod is valid at all.
//!
//! ```
//! use holdfast_pod_security::{Level, PodFacts, Version, evaluate, fixes, forbidden_detail, strictest};
//!
//! let pod: PodFacts = serde_json::from_str(
//!     r#"{"spec": {
//!         "containers": [{"name": "app", "securityContext": {
//!             "allowPrivilegeEscalation": false,
//!             "capabilities": {"drop": ["ALL"]}
//!         }}],
//!         "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}
//!     }}"#,
//! )?;
//! let version = Version::Minor(35);
//! assert_eq!(strictest(version, &pod), Level::Baseline);
//!
//! let violations = evaluate(Level::Restricted, version, &pod);
//! assert_eq!(
//!     forbidden_detail(&violations),
//!     r#"runAsNonRoot != true (pod or container "app" must set securityContext.runAsNonRoot=true)"#,
//! );
//! assert_eq!(violations[0].check.id(), "runAsNonRoot");
//! let fixes: Vec<_> = fixes(&violations).into_iter().map(ToString::to_string).collect();
//! assert_eq!(fixes, ["set spec.securityContext.runAsNonRoot to true"]);
//! # Ok::<(), serde_json::Error>(())
//! ```
//!
//! [Pod Security Standards]: https://kubernetes.io/docs/concepts/security/pod-security-standards/
//! [upstream package]: https://github.com/kubernetes/pod-security-admission

#![warn(missing_docs, clippy::wildcard_enum_match_arm)]

mod level;
mod version;

pub mod shape;

mod facts;

mod check;
mod fix;
mod path;
mod violation;

mod checks;
mod table;
mod wording;

mod evaluate;

pub mod labels;

pub mod admission;

pub use check::Check;
pub use checks::capabilities::is_usual;
pub use evaluate::{allows, evaluate, strictest};
pub use facts::PodFacts;
pub use fix::Fix;
pub use level::{InvalidLevel, Level};
pub use path::{Path, Segment};
pub use version::{InvalidVersion, Version};
pub use violation::{Offence, Violation, fixes, forbidden_detail, forbidden_reason};

/// The examples of the README are tests too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
