//! VaultTransitUnseal: one Vault or OpenBao that seals itself with another's transit key.
//!
//! The *target* is the server that must unseal; the *other server* holds the key. The resource, the target, its Secrets and
//! its ServiceAccounts share a namespace. The API server refuses what can't work (CEL); what depends on the world (whether the
//! Secret exists, what an address resolves to) is judged by the controller.

mod target;

mod login;
mod reference;
mod seal;
mod token;

mod initialization;
mod recovery;
mod restart;

mod cold_start;
mod timing;

mod condition;
mod status;

mod duration;
mod shape;

pub use cold_start::ColdStart;
pub use condition::{Tristate, VaultCondition, WantedCondition, merge_vault_conditions};
pub use duration::parse_duration;
pub use initialization::{
    Admin, AdminLogin, AgeKeys, Initialization, JwtLogin, KeyStore, KubernetesLogin, PgpKeys, Plaintext,
};
pub use login::{AppRoleLogin, ServiceAccountLogin};
pub use recovery::{Custody, OnApiSeal, Recovery};
pub use reference::{Named, REFERENCES, Reference, SecretKeyRef, ServiceAccountRef};
pub use restart::{Restart, RestartPolicy};
pub use seal::{Provision, Seal, SealAuth, Transit};
pub use status::{
    CANARIES, CanaryStatus, DiagnosisStatus, InitializationPhase, InitializationStatus, NextStepStatus, PODS, PodState,
    PodStatus, Product, RehearsalResult, RehearsalStatus, RunningStatus, ServerStatus, TokenStatus, TransitStatus,
    VaultTransitUnsealStatus,
};
pub use target::{StatefulSetRef, Target, TargetAuth, Tls};
pub use timing::Timing;
pub use token::{Delivery, Token};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube_core::CustomResourceExt;
use kube_derive::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::with_rule;

/// One Vault or OpenBao that seals itself with another's transit key: whether it would start, and what keeps it so.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, CustomResource, KubeSchema)]
#[kube(
    group = "holdfast.dev",
    version = "v1alpha1",
    kind = "VaultTransitUnseal",
    plural = "vaulttransitunseals",
    shortname = "vtu",
    category = "holdfast",
    namespaced,
    status = "VaultTransitUnsealStatus",
    derive = "PartialEq",
    doc = "One Vault or OpenBao (the target) that seals itself with a transit key of another: whether it would start, and what keeps it so. In mode Observe nothing is written but the renewal of its token.",
    crates(kube_core = "::kube_core"),
    printcolumn(name = "Mode", type_ = "string", json_path = ".spec.mode"),
    printcolumn(
        name = "WouldStart",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"WouldStart\")].status",
        description = "whether the target would unseal if it started now"
    ),
    printcolumn(
        name = "Unsealed",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Unsealed\")].status",
        description = "whether the target is unsealed"
    ),
    printcolumn(
        name = "Cause",
        type_ = "string",
        json_path = ".status.diagnosis.cause",
        description = "what is wrong; empty when nothing is"
    ),
    printcolumn(
        name = "Token expiry",
        type_ = "string",
        json_path = ".status.token.expireTime",
        description = "when the token dies unless it is renewed"
    ),
    printcolumn(
        name = "Next",
        type_ = "string",
        json_path = ".status.nextStep.action",
        description = "what is done next",
        priority = 1
    ),
    printcolumn(
        name = "Remedy",
        type_ = "string",
        json_path = ".status.diagnosis.remedy",
        description = "what a person does about it",
        priority = 1
    ),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status",
        priority = 1
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    crates(kube_core = "::kube_core"),
    validation = kube_core::Rule::new("self.mode == 'Manage' || !self.initialization.enabled")
        .message("only mode Manage initialises: write mode: Manage, or initialization.enabled: false"),
    validation = kube_core::Rule::new("!self.initialization.enabled || !self.target.allowHTTP || self.initialization.allowHTTPInit")
        .message("over HTTP recovery keys and root token can be read on their way: write target.allowHTTP: false, or initialization.allowHTTPInit: true"),
    validation = kube_core::Rule::new("self.deletionPolicy != 'Revoke' || (has(self.seal.transit) && self.seal.transit.provision != 'Verify')")
        .message("deletionPolicy Revoke takes back what we made: write seal.transit.provision: Token or All, or deletionPolicy: Retain"),
    validation = kube_core::Rule::new("self.token.delivery != 'External' || !has(self.seal.transit) || self.seal.transit.provision == 'Verify'")
        .message("a token that somebody else delivers isn't made by us: write seal.transit.provision: Verify, or another token.delivery"),
    validation = kube_core::Rule::new("!has(self.initialization.keyStore) || !has(self.token.secretRef) || \
            self.initialization.keyStore.secretName != self.token.secretRef.name")
        .message("the recovery keys need a Secret of their own: write another initialization.keyStore.secretName than the token's")
)]
pub struct VaultTransitUnsealSpec {
    /// Observe only looks, and renews the target's token. Manage also makes tokens (seal.transit.provision), deletes stuck pods, and
    /// initialises a server that never was (initialization.enabled).
    #[serde(default)]
    pub mode: VaultMode,
    /// What becomes of role, policy and token on the other server when this resource is deleted. Revoke takes them back once the
    /// StatefulSet and its claims are gone; the key always stays.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,
    /// The server that is to unseal itself.
    pub target: Target,
    /// What it unseals itself with.
    pub seal: Seal,
    /// The token with which it uses the key.
    pub token: Token,
    /// Whether and how it is initialised.
    #[serde(default)]
    pub initialization: Initialization,
    /// When its pods are restarted.
    #[serde(default)]
    pub restart: Restart,
    /// What is done when a person sealed it, and who keeps the recovery keys.
    #[serde(default)]
    pub recovery: Recovery,
    /// What is declared about a start from nothing.
    #[serde(default)]
    pub cold_start: ColdStart,
    /// How often the servers are asked.
    #[serde(default)]
    pub timing: Timing,
}

impl VaultTransitUnsealSpec {
    /// What the spec names of one kind, each name once, sorted.
    #[must_use]
    pub fn names(&self, named: Named) -> Vec<&str> {
        let of_kind = REFERENCES.iter().filter(|reference| reference.named == named);
        let mut names: Vec<&str> = of_kind.filter_map(|reference| reference.read(self)).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// Whether pods are restarted and targets initialised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
pub enum VaultMode {
    /// Neither.
    #[default]
    Observe,
    /// Pods are restarted, and a target is initialised where that is asked for.
    Manage,
}

/// What becomes of what we made on the other server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
pub enum DeletionPolicy {
    /// It stays, and the token dies when nobody renews it.
    #[default]
    Retain,
    /// It is taken back once the StatefulSet and its claims are gone.
    Revoke,
}

/// The definition, with what the derive macro can't say without the whole of `kube`: the name becomes a label value.
pub(crate) fn definition() -> CustomResourceDefinition {
    let message = "the name becomes a label value: use at most 63 characters";
    with_rule(VaultTransitUnseal::crd(), "size(self.metadata.name) <= 63", message)
}

#[cfg(test)]
mod tests;
