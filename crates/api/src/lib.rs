//! The custom resources of `holdfast.dev/v1alpha1`, as they are written and as they answer.
//!
//! Raw types only: what a spec *means* is parsed where it is used (`policy`). Nothing here knows a client. The CRDs are
//! generated from these types; every field carries its description, and what can't work is rejected by the API server
//! (CEL) with a sentence that says what to write instead.

#![warn(missing_docs, clippy::wildcard_enum_match_arm)]
#![expect(
    clippy::duplicated_attributes,
    reason = "each printcolumn has a type_ of its own; clippy sees only the words"
)]
#![expect(unreachable_pub, reason = "KubeSchema derives a private twin of each type, with the type's visibility")]

pub mod access;
mod condition;
mod disruption_policy;
mod drain_readiness;
mod namespace_security_policy;
mod policy_exception;
mod selector;
pub mod vault_transit_unseal;

pub use condition::{Change, ConditionType, Lifecycle, Wanted, merge_conditions};
pub use disruption_policy::{
    DisruptionPolicy, DisruptionPolicySpec, DisruptionPolicyStatus, FindingStatus, Mode, UnhealthyPodEviction,
    WorkloadKind,
};
pub use drain_readiness::{
    Accepted, BlockerStatus, CLUSTER, DrainReadiness, DrainReadinessSpec, DrainReadinessStatus, Drainer, NodeStatus,
    UpgradeStatus,
};
pub use namespace_security_policy::{
    NAMESPACES, NamespaceLevel, NamespaceSecurityPolicy, NamespaceSecurityPolicySpec, NamespaceSecurityPolicyStatus,
    NamespaceState, SecurityLevel, ViolationStatus,
};
pub use policy_exception::{ExceptionTarget, PolicyException, PolicyExceptionSpec, PolicyExceptionStatus};
pub use selector::{LabelSelector, Operator, SelectorRequirement};
pub use vault_transit_unseal::{VaultTransitUnseal, VaultTransitUnsealSpec, VaultTransitUnsealStatus};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{CustomResourceDefinition, ValidationRule};
use kube_core::CustomResourceExt;

/// The API group of all custom resources.
pub const GROUP: &str = "holdfast.dev";

/// The annotation by which Flux and people ask for a reconciliation now.
pub const REQUESTED_AT: &str = "reconcile.fluxcd.io/requestedAt";

/// Every custom resource definition, with its name in the order of the documents.
#[must_use]
pub fn crds() -> Vec<CustomResourceDefinition> {
    vec![
        disruption_policy::definition(),
        namespace_security_policy::definition(),
        PolicyException::crd(),
        drain_readiness::definition(),
        vault_transit_unseal::definition(),
    ]
}

/// The definition with a rule about the whole object, such as its name.
fn with_rule(mut crd: CustomResourceDefinition, rule: &str, message: &str) -> CustomResourceDefinition {
    let rule = ValidationRule { rule: rule.to_owned(), message: Some(message.to_owned()), ..ValidationRule::default() };
    for version in &mut crd.spec.versions {
        let schema = version.schema.as_mut().and_then(|validation| validation.open_api_v3_schema.as_mut());
        if let Some(schema) = schema {
            schema.x_kubernetes_validations = Some(vec![rule.clone()]);
        }
    }
    crd
}
