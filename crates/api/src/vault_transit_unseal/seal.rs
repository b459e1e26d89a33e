//! The seal: what the target unseals itself with.

use kube_derive::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AppRoleLogin, SecretKeyRef, ServiceAccountLogin, Tls, shape};

/// What the target unseals itself with: exactly one kind of seal.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[x_kube(
    crates(kube_core = "::kube_core"),
    validation = kube_core::Rule::new("has(self.transit)")
        .message("exactly one seal is needed: write seal.transit with the address of the other server and the key")
)]
pub struct Seal {
    /// A transit key of another Vault or OpenBao.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transit: Option<Transit>,
}

/// A transit key of another Vault or OpenBao.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    crates(kube_core = "::kube_core"),
    validation = kube_core::Rule::new("self.allowHTTP || !self.address.startsWith('http://')")
        .message("over http:// the token can be read on its way: write https://, or seal.transit.allowHTTP: true"),
    validation = kube_core::Rule::new("self.provision == 'Verify' || has(self.auth)")
        .message("provision Token and All need a login: write seal.transit.auth, or provision: Verify")
)]
pub struct Transit {
    /// Where the other server is: scheme, host and port, such as `https://a.example.net:8200`. Loopback and link-local
    /// addresses are refused when they are resolved.
    #[schemars(schema_with = "shape::address")]
    pub address: String,
    /// The namespace on the other server, where it has namespaces. Absent: the root.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(schema_with = "shape::vault_namespace")]
    pub namespace: String,
    /// Where the transit engine is mounted. It can't be changed.
    #[serde(default = "transit")]
    #[schemars(schema_with = "shape::lasting_mount")]
    pub mount: String,
    /// The name of the key. It can't be changed.
    #[schemars(schema_with = "shape::lasting_key")]
    pub key: String,
    /// Whether an `http://` address is accepted. Whoever is on the path can then read the token.
    #[serde(default, rename = "allowHTTP")]
    pub allow_http: bool,
    /// How the other server's certificate is verified. Absent: by the public authorities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// What is kept up on the other server. Verify only renews the target's token. Token also replaces a dead one, in
    /// mode Manage. All also writes the mount, the key, the policy and the role, which takes rights there that are as good as root's.
    #[serde(default)]
    pub provision: Provision,
    /// How to log in to the other server, for a token of our own. Absent: only what the target's token can see is seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<SealAuth>,
}

/// What is kept up on the other server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
pub enum Provision {
    /// Nothing: it is only looked at.
    #[default]
    Verify,
    /// The token.
    Token,
    /// Mount, key, policy, role and token.
    All,
}

/// How to log in to the other server: exactly one way.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    crates(kube_core = "::kube_core"),
    validation = kube_core::Rule::new("[has(self.serviceAccount), has(self.appRole), has(self.tokenRef)].filter(given, given).size() == 1")
        .message("log in in exactly one way: write one of serviceAccount, appRole and tokenRef")
)]
pub struct SealAuth {
    /// With a token of a ServiceAccount. Nothing that can expire is kept anywhere: prefer it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account: Option<ServiceAccountLogin>,
    /// With a role ID and a secret ID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_role: Option<AppRoleLogin>,
    /// With a token that somebody else keeps alive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_ref: Option<SecretKeyRef>,
}

fn transit() -> String {
    "transit".to_owned()
}
