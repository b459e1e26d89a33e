//! Initialisation: the one act that can't be undone, and what must be said before it is done.

use kube_derive::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::login::kubernetes;
use super::{SecretKeyRef, ServiceAccountRef, shape};

/// Whether and how a target that was never initialised is. Only in mode Manage.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    crates(kube_core = "::kube_core"),
    validation = kube_core::Rule::new("self.threshold <= self.shares")
        .message("nobody could reach a threshold above shares: write a threshold of at most shares"),
    validation = kube_core::Rule::new("self.shares == 1 || self.threshold >= 2")
        .message("of several shares at least two are needed together: write a threshold of 2 or more, or shares: 1"),
    validation = kube_core::Rule::new("!self.enabled || has(self.keyStore)")
        .message("the recovery keys exist only once: write initialization.keyStore, which says where they go"),
    validation = kube_core::Rule::new("!self.enabled || !has(self.keyStore) || \
            [has(self.keyStore.age), has(self.keyStore.pgp), has(self.keyStore.plaintext)].filter(given, given).size() == 1")
        .message("recovery keys are kept in exactly one way: write one of keyStore.age, keyStore.pgp and keyStore.plaintext"),
    validation = kube_core::Rule::new("!self.enabled || !has(self.keyStore) || !has(self.keyStore.age) || \
            (has(self.keyStore.age.recipients) ? size(self.keyStore.age.recipients) : 0) == self.shares")
        .message("each share goes to one recipient: write as many keyStore.age.recipients as shares"),
    validation = kube_core::Rule::new("!self.enabled || !has(self.keyStore) || !has(self.keyStore.pgp) || \
            (has(self.keyStore.pgp.keys) ? size(self.keyStore.pgp.keys) : 0) == self.shares")
        .message("each share goes to one key: write as many keyStore.pgp.keys as shares"),
    validation = kube_core::Rule::new("!self.enabled || has(self.admin)")
        .message("the root token is revoked, so somebody else must get in: write initialization.admin.serviceAccountRef")
)]
pub struct Initialization {
    /// Whether it is initialised when it never was.
    #[serde(default)]
    pub enabled: bool,
    /// Whether that may be done over HTTP too, where target.allowHTTP is true: recovery keys and root token can then be read on
    /// their way.
    #[serde(default, rename = "allowHTTPInit")]
    pub allow_http_init: bool,
    /// Into how many shares the recovery key is split, from 1 to 255.
    #[serde(default = "three")]
    #[schemars(range(min = 1, max = 255))]
    pub shares: u8,
    /// How many shares are needed together, from 1 to shares; at least 2 of several.
    #[serde(default = "two")]
    #[schemars(range(min = 1, max = 255))]
    pub threshold: u8,
    /// Where the recovery keys go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_store: Option<KeyStore>,
    /// Who gets in when the root token is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admin: Option<Admin>,
    /// The attempt that a person has looked into and gives up, as status.initialization.attempt tells it: its storage was wiped,
    /// and its keys are worth nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(schema_with = "shape::attempt")]
    pub discard_attempt: String,
}

/// Where the recovery keys go, and for whose eyes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(crates(kube_core = "::kube_core"))]
pub struct KeyStore {
    /// The Secret that they are written to. It survives this resource, not its namespace. No other field names it.
    #[schemars(schema_with = "shape::object")]
    pub secret_name: String,
    /// Encrypted for people with age.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age: Option<AgeKeys>,
    /// Encrypted for people with OpenPGP, by the server itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pgp: Option<PgpKeys>,
    /// As they are: whoever can read the Secret has them all. Written only as `IUnderstand`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plaintext: Option<Plaintext>,
}

/// The people who get a share each, by their age keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct AgeKeys {
    /// Their public keys (`age1...`), as many as shares. The first share goes to the first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "recipients")]
    pub recipients: Vec<String>,
}

/// The people who get a share each, by their OpenPGP keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct PgpKeys {
    /// Their public keys in base64 of the binary form, as many as shares. Each needs a subkey for encryption.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "keys")]
    pub keys: Vec<String>,
}

/// The keys as they are: whoever can read the Secret has them all. Written only as `IUnderstand`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
pub enum Plaintext {
    /// Whoever can read the Secret, or a backup of etcd, has all recovery keys.
    IUnderstand,
}

/// Who gets in when the root token is gone. Their login is proven before the root token is revoked.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(crates(kube_core = "::kube_core"))]
pub struct Admin {
    /// The ServiceAccount that a person uses to log in.
    pub service_account_ref: ServiceAccountRef,
    /// Where the authentication method is mounted on the target, without `auth/`.
    #[serde(default = "kubernetes")]
    #[schemars(schema_with = "shape::mount")]
    pub mount: String,
    /// The role of the person.
    #[serde(default = "admin")]
    #[schemars(schema_with = "shape::name")]
    pub role: String,
    /// The policy of that role. It is made with every right where it isn't there.
    #[serde(default = "admin")]
    #[schemars(schema_with = "shape::name")]
    pub policy: String,
    /// For whom the person's token is made out when the login is proven.
    #[serde(default = "vault")]
    #[schemars(schema_with = "shape::audience")]
    pub audience: String,
    /// What the authentication method knows this cluster's tokens by. Absent: jwt.
    #[serde(default)]
    pub login: AdminLogin,
}

/// What the authentication method knows this cluster's tokens by: exactly one way.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[x_kube(
    crates(kube_core = "::kube_core"),
    validation = kube_core::Rule::new("has(self.jwt) != has(self.kubernetes)")
        .message("people log in in exactly one way: write either login.jwt: {} or login.kubernetes")
)]
pub struct AdminLogin {
    /// By the cluster's signing keys, as the API server publishes them: the target needn't reach the API server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwt: Option<JwtLogin>,
    /// By asking the API server; the target's ServiceAccount needs the ClusterRole `system:auth-delegator`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubernetes: Option<KubernetesLogin>,
}

/// A login that is verified by the cluster's signing keys. There is nothing to say about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct JwtLogin {}

/// A login that is verified by asking the API server.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    crates(kube_core = "::kube_core"),
    validation = kube_core::Rule::new("self.host.startsWith('https://')")
        .message("the API server is asked over TLS: write an address that begins with https://")
)]
pub struct KubernetesLogin {
    /// Where the target reaches the API server.
    #[serde(default = "api_server")]
    #[schemars(schema_with = "shape::address")]
    pub host: String,
    /// The Secret with the certificate, in PEM, of the API server's authority. Absent: that of the target's own ServiceAccount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_secret_ref: Option<SecretKeyRef>,
}

impl Default for Initialization {
    /// Not asked for.
    fn default() -> Self {
        Self {
            enabled: false,
            allow_http_init: false,
            shares: three(),
            threshold: two(),
            key_store: None,
            admin: None,
            discard_attempt: String::new(),
        }
    }
}

impl Default for AdminLogin {
    fn default() -> Self {
        Self { jwt: Some(JwtLogin {}), kubernetes: None }
    }
}

fn recipients(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "type": "array", "maxItems": 255, "items": shape::age_recipient(generator) })
}

fn keys(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "type": "array", "maxItems": 255, "items": shape::pgp_key(generator) })
}

fn three() -> u8 {
    3
}

fn two() -> u8 {
    2
}

fn admin() -> String {
    "admin".to_owned()
}

fn vault() -> String {
    "vault".to_owned()
}

fn api_server() -> String {
    "https://kubernetes.default.svc".to_owned()
}
