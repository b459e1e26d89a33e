//! The objects of `admissionregistration.k8s.io/v1`, with the fields that we fill in.

use serde::Serialize;

use super::rule::Rule;
use crate::check::Check;
use crate::level::Level;
use crate::version::Version;

const API_VERSION: &str = "admissionregistration.k8s.io/v1";

/// What a policy is about.
pub(super) struct About {
    pub(super) check: Check,
    pub(super) level: Level,
    pub(super) version: Version,
}

/// What is forbidden.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ValidatingAdmissionPolicy {
    api_version: &'static str,
    kind: &'static str,
    metadata: Metadata,
    spec: PolicySpec,
}

/// Where it is forbidden, and what happens then.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ValidatingAdmissionPolicyBinding {
    api_version: &'static str,
    kind: &'static str,
    metadata: Metadata,
    spec: BindingSpec,
}

#[derive(Debug, Clone, Serialize)]
struct Metadata {
    name: String,
    labels: Labels,
}

#[derive(Debug, Clone, Serialize)]
struct Labels {
    #[serde(rename = "app.kubernetes.io/part-of")]
    part_of: &'static str,
    #[serde(rename = "holdfast.dev/pod-security-level")]
    level: Level,
    #[serde(rename = "holdfast.dev/pod-security-version")]
    version: Version,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct PolicySpec {
    /// Nobody is kept from working because an expression can't be evaluated.
    failure_policy: &'static str,
    match_constraints: MatchConstraints,
    variables: Vec<Variable>,
    validations: [Validation; 1],
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct MatchConstraints {
    resource_rules: &'static [ResourceRule],
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceRule {
    api_groups: &'static [&'static str],
    api_versions: &'static [&'static str],
    operations: &'static [&'static str],
    resources: &'static [&'static str],
}

#[derive(Debug, Clone, Serialize)]
struct Variable {
    name: &'static str,
    expression: String,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Validation {
    expression: &'static str,
    message: &'static str,
    message_expression: String,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct BindingSpec {
    policy_name: String,
    validation_actions: [&'static str; 2],
    #[serde(skip_serializing_if = "Option::is_none")]
    match_resources: Option<MatchResources>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct MatchResources {
    namespace_selector: Selector,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Selector {
    match_expressions: [Requirement; 1],
}

#[derive(Debug, Clone, Serialize)]
struct Requirement {
    key: &'static str,
    operator: &'static str,
    values: Vec<String>,
}

/// Pods when something begins to run in them, and everything that pods are made from.
const RESOURCES: &[ResourceRule] = &[
    ResourceRule { api_groups: &[""], api_versions: &["v1"], operations: &["CREATE"], resources: &["pods"] },
    ResourceRule {
        api_groups: &[""],
        api_versions: &["v1"],
        operations: &["UPDATE"],
        resources: &["pods/ephemeralcontainers"],
    },
    ResourceRule {
        api_groups: &[""],
        api_versions: &["v1"],
        operations: &["CREATE", "UPDATE"],
        resources: &["podtemplates", "replicationcontrollers"],
    },
    ResourceRule {
        api_groups: &["apps"],
        api_versions: &["v1"],
        operations: &["CREATE", "UPDATE"],
        resources: &["daemonsets", "deployments", "replicasets", "statefulsets"],
    },
    ResourceRule {
        api_groups: &["batch"],
        api_versions: &["v1"],
        operations: &["CREATE", "UPDATE"],
        resources: &["cronjobs", "jobs"],
    },
];

impl ValidatingAdmissionPolicy {
    pub(super) fn new(about: &About, rule: &Rule) -> Self {
        let given = rule.variables().into_iter().map(|(name, expression)| (name, expression.to_owned()));
        let all = given.chain([("offenders", rule.offenders.clone())]);
        Self {
            api_version: API_VERSION,
            kind: "ValidatingAdmissionPolicy",
            metadata: about.metadata(),
            spec: PolicySpec {
                failure_policy: "Ignore",
                match_constraints: MatchConstraints { resource_rules: RESOURCES },
                variables: all.map(|(name, expression)| Variable { name, expression }).collect(),
                validations: [Validation {
                    expression: "variables.offenders.size() == 0",
                    message: rule.reason,
                    message_expression: format!("'{} (' + variables.offenders.join(', ') + ')'", rule.reason),
                }],
            },
        }
    }
}

impl ValidatingAdmissionPolicyBinding {
    pub(super) fn new(about: &About, exempt: &[&str]) -> Self {
        let names: Vec<String> = exempt.iter().map(|name| (*name).to_owned()).collect();
        // An empty list of values is invalid.
        let match_resources = (!names.is_empty()).then_some(MatchResources {
            namespace_selector: Selector {
                match_expressions: [Requirement { key: NAME_OF_NAMESPACE, operator: "NotIn", values: names }],
            },
        });
        Self {
            api_version: API_VERSION,
            kind: "ValidatingAdmissionPolicyBinding",
            metadata: about.metadata(),
            spec: BindingSpec { policy_name: about.name(), validation_actions: ["Warn", "Audit"], match_resources },
        }
    }
}

/// The server labels every namespace with it.
const NAME_OF_NAMESPACE: &str = "kubernetes.io/metadata.name";

impl About {
    /// `holdfast-restricted-run-as-non-root`: without the version, so that another one takes its place.
    fn name(&self) -> String {
        format!("holdfast-{}-{}", self.level, kebab(self.check.id()))
    }

    fn metadata(&self) -> Metadata {
        let labels = Labels { part_of: "holdfast", level: self.level, version: self.version };
        Metadata { name: self.name(), labels }
    }
}

/// `seccompProfile_restricted` as an object may be called.
fn kebab(id: &str) -> String {
    let mut name = String::with_capacity(id.len() + 4);
    for c in id.chars() {
        if c.is_ascii_uppercase() {
            name.push('-');
        }
        name.push(if c == '_' { '-' } else { c.to_ascii_lowercase() });
    }
    name
}
