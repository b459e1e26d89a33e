//! The target: the server that is to unseal itself, found by the StatefulSet that runs it.

use kube_derive::KubeSchema;
use serde::{Deserialize, Serialize};

use super::{SecretKeyRef, ServiceAccountLogin, shape};

/// The server that seals itself with the other's transit key.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    crates(kube_core = "::kube_core"),
    validation = kube_core::Rule::new("!self.allowHTTP || !has(self.tls)")
        .message("allowHTTP means that the pods serve without TLS: leave tls out, or write allowHTTP: false")
)]
pub struct Target {
    /// The StatefulSet, in the resource's namespace. Its pods are those that it owns; each is asked at its own address.
    pub stateful_set_ref: StatefulSetRef,
    /// The container that serves, where a pod has several. Absent: the one whose ports have `port`, else the only one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(schema_with = "shape::container")]
    pub container: String,
    /// The port of the API in each pod, 1 to 65535.
    #[serde(default = "port")]
    #[schemars(range(min = 1, max = 65535))]
    pub port: u16,
    /// Whether the pods are asked by HTTP instead of HTTPS. Whoever is on the path can then read what is sent.
    #[serde(default, rename = "allowHTTP")]
    pub allow_http: bool,
    /// How the pods' certificates are verified. Absent: by the public authorities, as `<pod>.<serviceName>.<namespace>.svc`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// How to log in, to see which pods vote. Absent: that isn't seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<TargetAuth>,
}

/// A StatefulSet in the resource's namespace.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[x_kube(crates(kube_core = "::kube_core"))]
pub struct StatefulSetRef {
    /// The name of the StatefulSet. It can't be changed.
    #[schemars(schema_with = "shape::lasting_object")]
    pub name: String,
}

/// How a server's certificate is verified. It can't be switched off.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(crates(kube_core = "::kube_core"))]
pub struct Tls {
    /// The Secret with the certificates, in PEM, of the authorities that are trusted instead of the public ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_secret_ref: Option<SecretKeyRef>,
    /// The name that the certificate must have. Absent: the name by which the server is asked.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(schema_with = "shape::server_name")]
    pub server_name: String,
}

/// How to log in to the target.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(crates(kube_core = "::kube_core"))]
pub struct TargetAuth {
    /// With a token of this ServiceAccount.
    pub service_account: ServiceAccountLogin,
}

fn port() -> u16 {
    8200
}
