//! The token with which the target asks the other server to encrypt and decrypt.

use kube_derive::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{SecretKeyRef, duration, shape};

/// The token with which the target uses the key, and how it gets there.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    crates(kube_core = "::kube_core"),
    validation = kube_core::Rule::new("has(self.secretRef) || self.delivery == 'External'")
        .message("the token is in a Secret unless somebody else delivers it: write token.secretRef, or delivery: External")
)]
pub struct Token {
    /// The Secret that holds the token, written without a newline where the token is ours. Absent only with delivery External.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretKeyRef>,
    /// How the token reaches the target's process. Auto, Env and File mean the same: the pod template shows it.
    #[serde(default)]
    pub delivery: Delivery,
    /// The token role on the other server. Absent: `holdfast-` and ten hexadecimal digits that are this resource's own.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(schema_with = "shape::optional_name")]
    pub role: String,
    /// How long the token lives without a renewal, and so how long an outage of ours it survives: from 10s to 8760h.
    #[serde(default = "month")]
    #[schemars(schema_with = "duration::period")]
    pub period: String,
    /// After which part of its life the token is renewed, in percent, from 10 to 90.
    #[serde(default = "half")]
    #[schemars(range(min = 10, max = 90))]
    pub renew_at: u8,
    /// How often the token is replaced by a new one, from 1m to 8760h. Absent: only when it is dead. The target reads a new one when
    /// it starts. The old one isn't revoked; it dies of not being renewed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(schema_with = "duration::rotation")]
    pub rotate_every: String,
}

/// How the token reaches the target's process. Auto, Env and File mean the same: the pod template shows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
pub enum Delivery {
    /// As the pod template shows: in the environment or in a file.
    #[default]
    Auto,
    /// In the environment: `VAULT_TOKEN` for Vault, `VAULT_TRANSIT_SEAL_TOKEN` for OpenBao.
    Env,
    /// In a file of a Secret volume, which the stanza names as `file://`.
    File,
    /// By somebody else, such as a literal in the stanza: it is only watched.
    External,
}

fn month() -> String {
    "720h".to_owned()
}

fn half() -> u8 {
    50
}
