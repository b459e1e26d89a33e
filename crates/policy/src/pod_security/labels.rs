//! What the Pod Security labels of a namespace mean (`pod-security-admission/api/helpers.go`).

use holdfast_model::facts::Namespace;
use holdfast_pod_security::labels::{ENFORCE, LabelError, LevelVersion, Policy};
use holdfast_pod_security::{Level, Version};

use super::Server;

/// What the labels of a namespace say, and what holds there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labelled {
    /// What holds, with what isn't labelled as the cluster has it; `privileged` where that isn't known.
    pub policy: Policy,
    /// The level that its own label enforces; none without a label.
    pub enforce: Option<LevelVersion>,
    /// What can't be read.
    pub errors: Vec<LabelError>,
    /// Whether what holds without a label isn't known.
    pub is_unknown: bool,
    /// Whether a variable stands for what it enforces: in files only, where its value isn't known.
    pub is_variable: bool,
}

/// With what a variable begins. Nothing that the API server takes as a label has it.
const VARIABLE: &str = "${";

impl Labelled {
    /// Reads the labels of a namespace.
    #[must_use]
    pub fn of(namespace: &Namespace, server: &Server) -> Self {
        let default = LevelVersion { level: server.default.unwrap_or(Level::Privileged), version: Version::Latest };
        // What it warns of by default isn't known, and decides nothing here.
        let defaults = Policy { enforce: default, ..Policy::PRIVILEGED };
        let written = |key: &str| namespace.labels.get(key).map(|value| value.as_str());
        let label = |key: &str| written(key).filter(|value| !value.contains(VARIABLE));
        let (policy, errors) = Policy::of(label, defaults);
        let enforce = label(ENFORCE).map(|_| policy.enforce);
        let is_variable = written(ENFORCE).is_some_and(|value| value.contains(VARIABLE));
        Self { policy, enforce, errors, is_unknown: enforce.is_none() && server.default.is_none(), is_variable }
    }
}
