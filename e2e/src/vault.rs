//! What the stories of the Vault controller and the demo share: a sealed server as the pod of a StatefulSet, the resource that
//! looks after it, and the login by which the controller makes tokens on the other server.

mod login;
mod people;
pub mod set;

use holdfast_api::VaultTransitUnsealStatus;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use serde_json::{Value, json};

pub use login::{ACCOUNT, AUDIENCE, admit, minting_policy, trust_accounts};
pub use people::{ADMIN, KEYS, People};
pub use set::{Delivery, Set};

/// The transit key.
pub const KEY: &str = "b";
/// The resource, and the StatefulSet.
pub const NAME: &str = "vault";

/// What the chart gives the controller in each namespace.
pub fn values(namespaces: &[&str]) -> Value {
    let granted = namespaces.iter().map(|name| {
        json!({
            "name": name, "statefulSets": [NAME], "secrets": ["seal", "ca", "tls", KEYS],
            "serviceAccounts": [ACCOUNT, ADMIN], "manage": {"token": true, "initialize": true, "restart": true},
        })
    });
    json!({"vault": {"enabled": true, "replicas": 1, "namespaces": granted.collect::<Vec<_>>()}})
}

/// The resource that looks after a [`Set`] that is sealed with [`KEY`] of the server at this address; `spec` is merged into
/// what every story has.
pub fn resource(transit: &str, spec: &Value) -> Value {
    let mut resource = json!({
        "apiVersion": "holdfast.dev/v1alpha1", "kind": "VaultTransitUnseal", "metadata": {"name": NAME},
        "spec": {
            "target": {"statefulSetRef": {"name": NAME}, "port": 8200, "allowHTTP": true},
            "seal": {"transit": {"address": transit, "allowHTTP": true, "key": KEY}},
            "token": {"secretRef": {"name": "seal", "key": "token"}},
            "timing": {"interval": "1s", "requestTimeout": "3s"},
        },
    });
    merge(&mut resource["spec"], spec);
    resource
}

/// The status and reason of a condition; empty when there is none of this kind.
pub fn condition<'a>(status: &'a VaultTransitUnsealStatus, kind: &str) -> (&'a str, &'a str) {
    let found: Option<&Condition> = status.conditions.iter().find(|condition| condition.type_ == kind);
    found.map_or(("", ""), |condition| (condition.status.as_str(), condition.reason.as_str()))
}

/// `with` wins where both say something.
pub fn merge(base: &mut Value, with: &Value) {
    match (base, with) {
        (Value::Object(base), Value::Object(with)) => {
            for (key, value) in with {
                merge(base.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (base, with) => *base = with.clone(),
    }
}
