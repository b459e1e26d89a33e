//! What this resource names beside itself: Secrets and ServiceAccounts, all in its own namespace.
//!
//! [`REFERENCES`] lists each field that names one. The chart's admission policy is made from it (whoever writes the
//! resource must be allowed to use what it names), and a test walks the schema for fields that are missing from it.

use kube_derive::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{VaultTransitUnsealSpec, shape};

/// One key of a Secret in the resource's namespace.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize, KubeSchema)]
#[x_kube(crates(kube_core = "::kube_core"))]
pub struct SecretKeyRef {
    /// The name of the Secret.
    #[schemars(schema_with = "shape::object")]
    pub name: String,
    /// The key in its data.
    #[schemars(schema_with = "shape::data_key")]
    pub key: String,
}

/// A ServiceAccount in the resource's namespace.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize, KubeSchema)]
#[x_kube(crates(kube_core = "::kube_core"))]
pub struct ServiceAccountRef {
    /// The name of the ServiceAccount.
    #[schemars(schema_with = "shape::object")]
    pub name: String,
}

/// The kinds that a field can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, JsonSchema)]
pub enum Named {
    /// A Secret: whoever names it must be allowed to `get` it.
    Secret,
    /// A ServiceAccount: whoever names it must be allowed to `create` its `serviceaccounts/token`.
    ServiceAccount,
}

/// A field of the spec that names something, and how it is read.
#[derive(Clone, Copy, Debug)]
pub struct Reference {
    /// The field below `spec`, with dots.
    pub field: &'static str,
    /// What it names.
    pub named: Named,
    read: fn(&VaultTransitUnsealSpec) -> Option<&str>,
}

impl Reference {
    /// The name that a spec gives there.
    #[must_use]
    pub fn read<'a>(&self, spec: &'a VaultTransitUnsealSpec) -> Option<&'a str> {
        (self.read)(spec)
    }
}

/// Every field that names a Secret or a ServiceAccount.
pub const REFERENCES: [Reference; 10] = [
    Reference {
        field: "target.tls.caSecretRef.name",
        named: Named::Secret,
        read: |spec| Some(&spec.target.tls.as_ref()?.ca_secret_ref.as_ref()?.name),
    },
    Reference {
        field: "target.auth.serviceAccount.name",
        named: Named::ServiceAccount,
        read: |spec| Some(&spec.target.auth.as_ref()?.service_account.name),
    },
    Reference {
        field: "seal.transit.tls.caSecretRef.name",
        named: Named::Secret,
        read: |spec| Some(&spec.seal.transit.as_ref()?.tls.as_ref()?.ca_secret_ref.as_ref()?.name),
    },
    Reference {
        field: "seal.transit.auth.serviceAccount.name",
        named: Named::ServiceAccount,
        read: |spec| Some(&spec.seal.transit.as_ref()?.auth.as_ref()?.service_account.as_ref()?.name),
    },
    Reference {
        field: "seal.transit.auth.appRole.secretIdRef.name",
        named: Named::Secret,
        read: |spec| Some(&spec.seal.transit.as_ref()?.auth.as_ref()?.app_role.as_ref()?.secret_id_ref.name),
    },
    Reference {
        field: "seal.transit.auth.tokenRef.name",
        named: Named::Secret,
        read: |spec| Some(&spec.seal.transit.as_ref()?.auth.as_ref()?.token_ref.as_ref()?.name),
    },
    Reference {
        field: "token.secretRef.name",
        named: Named::Secret,
        read: |spec| Some(&spec.token.secret_ref.as_ref()?.name),
    },
    Reference {
        field: "initialization.keyStore.secretName",
        named: Named::Secret,
        read: |spec| Some(&spec.initialization.key_store.as_ref()?.secret_name),
    },
    Reference {
        field: "initialization.admin.serviceAccountRef.name",
        named: Named::ServiceAccount,
        read: |spec| Some(&spec.initialization.admin.as_ref()?.service_account_ref.name),
    },
    Reference {
        field: "initialization.admin.login.kubernetes.caSecretRef.name",
        named: Named::Secret,
        read: |spec| {
            let login = &spec.initialization.admin.as_ref()?.login;
            Some(&login.kubernetes.as_ref()?.ca_secret_ref.as_ref()?.name)
        },
    },
];
