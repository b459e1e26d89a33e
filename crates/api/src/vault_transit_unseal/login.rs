//! How the controller proves to a server who it is.

use kube_derive::KubeSchema;
use serde::{Deserialize, Serialize};

use super::{SecretKeyRef, shape};

/// A login with a token of a ServiceAccount, at a mount of type kubernetes or jwt.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(crates(kube_core = "::kube_core"))]
pub struct ServiceAccountLogin {
    /// The ServiceAccount in the resource's namespace; never the controller's own.
    #[schemars(schema_with = "shape::object")]
    pub name: String,
    /// Where the authentication method is mounted on the server, without `auth/`.
    #[serde(default = "kubernetes")]
    #[schemars(schema_with = "shape::mount")]
    pub mount: String,
    /// The role on the server.
    #[serde(default = "holdfast")]
    #[schemars(schema_with = "shape::name")]
    pub role: String,
    /// For whom the token is made out. There is no default: a token for the API server's audience would let the server act on
    /// this cluster as the ServiceAccount.
    #[schemars(schema_with = "shape::audience")]
    pub audience: String,
}

/// A login with a role ID and a secret ID.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(crates(kube_core = "::kube_core"))]
pub struct AppRoleLogin {
    /// Where the authentication method is mounted on the server, without `auth/`.
    #[serde(default = "approle")]
    #[schemars(schema_with = "shape::mount")]
    pub mount: String,
    /// The role ID, which isn't secret.
    #[schemars(length(min = 1, max = 256))]
    pub role_id: String,
    /// The Secret that holds the secret ID.
    pub secret_id_ref: SecretKeyRef,
}

fn holdfast() -> String {
    "holdfast".to_owned()
}

/// The mount at which most servers have the method.
pub(super) fn kubernetes() -> String {
    "kubernetes".to_owned()
}

fn approle() -> String {
    "approle".to_owned()
}
