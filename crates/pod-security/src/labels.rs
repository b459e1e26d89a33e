//! Which level and version the labels of a namespace ask for, in each of the three modes.
//!
//! Bad labels never open a namespace: an unreadable `enforce` means restricted. They don't fill logs either: an
//! unreadable `audit` or `warn` means privileged. The server refuses them on a namespace that is made or changed, with
//! the words of [`LabelError`].

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::level::Level;
use crate::version::Version;
use crate::wording::go_quoted;

/// The level that pods are refused for.
pub const ENFORCE: &str = "pod-security.kubernetes.io/enforce";
/// The version of that level.
pub const ENFORCE_VERSION: &str = "pod-security.kubernetes.io/enforce-version";
/// The level that the audit log tells of.
pub const AUDIT: &str = "pod-security.kubernetes.io/audit";
/// The version of that level.
pub const AUDIT_VERSION: &str = "pod-security.kubernetes.io/audit-version";
/// The level that users are warned for.
pub const WARN: &str = "pod-security.kubernetes.io/warn";
/// The version of that level.
pub const WARN_VERSION: &str = "pod-security.kubernetes.io/warn-version";

/// A level as it is in a version. Printed as in the server's messages: `restricted:v1.35`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LevelVersion {
    /// The level.
    pub level: Level,
    /// The version of it.
    pub version: Version,
}

/// What a namespace asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Policy {
    /// Pods are refused for.
    pub enforce: LevelVersion,
    /// The audit log tells of.
    pub audit: LevelVersion,
    /// Users are warned for.
    pub warn: LevelVersion,
}

impl Policy {
    /// Privileged in all modes, with the latest version: what a server does that isn't configured otherwise.
    pub const PRIVILEGED: Self = {
        let privileged = LevelVersion { level: Level::Privileged, version: Version::Latest };
        Self { enforce: privileged, audit: privileged, warn: privileged }
    };

    /// The policy of a namespace with these labels, of which `label` finds one by its key, and what is wrong with them.
    ///
    /// What no label says is as in `defaults`, which an administrator can set. A namespace that enforces more than it
    /// would warn of warns of that, unless a label says otherwise.
    ///
    /// ```
    /// use holdfast_pod_security::{Level, labels::{ENFORCE, Policy}};
    ///
    /// let labels = std::collections::BTreeMap::from([(ENFORCE, "baseline")]);
    /// let (policy, errors) = Policy::of(|key| labels.get(key).copied(), Policy::PRIVILEGED);
    /// assert_eq!(policy.warn.level, Level::Baseline);
    /// assert!(errors.is_empty());
    /// ```
    pub fn of<'a>(label: impl Fn(&str) -> Option<&'a str>, defaults: Self) -> (Self, Vec<LabelError>) {
        let mut policy = defaults;
        let mut errors = Vec::new();
        let mut note = |label, value: &str, reason: String| {
            errors.push(LabelError { label, value: value.to_owned(), reason });
        };
        let modes = [
            (&mut policy.enforce, ENFORCE, ENFORCE_VERSION, Level::Restricted),
            (&mut policy.audit, AUDIT, AUDIT_VERSION, Level::Privileged),
            (&mut policy.warn, WARN, WARN_VERSION, Level::Privileged),
        ];
        for (mode, level_label, version_label, otherwise) in modes {
            if let Some(value) = label(level_label) {
                let level =
                    value.parse().map_err(|error: crate::InvalidLevel| note(level_label, value, error.to_string()));
                mode.level = level.unwrap_or(otherwise);
            }
            if let Some(value) = label(version_label) {
                let version =
                    value.parse().map_err(|error: crate::InvalidVersion| note(version_label, value, error.to_string()));
                mode.version = version.unwrap_or(Version::Latest);
            }
        }
        // Only what somebody asked for in words that can be read, and only upwards.
        let enforces = label(ENFORCE).is_some_and(|value| value.parse::<Level>().is_ok());
        if label(WARN).is_none() && enforces && policy.warn.level < policy.enforce.level {
            policy.warn.level = policy.enforce.level;
            if label(WARN_VERSION).is_none() {
                policy.warn.version = policy.enforce.version;
            }
        }
        (policy, errors)
    }
}

impl fmt::Display for LevelVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.level, self.version)
    }
}

/// A label that can't be read. Printed as in the server's refusal of the namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelError {
    /// The key.
    pub label: &'static str,
    /// What it says.
    pub value: String,
    /// What it has to say.
    pub reason: String,
}

impl fmt::Display for LabelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "metadata.labels[{}]: Invalid value: {}: {}", self.label, go_quoted(&self.value), self.reason)
    }
}

impl std::error::Error for LabelError {}

#[cfg(test)]
mod tests;
