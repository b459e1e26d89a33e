//! Events, of which only one thing is read: that pods were refused by Pod Security.
//!
//! A StatefulSet, a DaemonSet or a Job says so nowhere else.

use k8s_openapi::api::core::v1 as api;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube_derive::Resource;
use serde::Deserialize;

use super::{Shape, meta};
use crate::facts::{Fact, Rejection};
use crate::{Kind, Text};

/// With what the words begin by which Pod Security refuses a pod (`pod-security-admission/admission/admission.go`).
const VIOLATES: &str = "violates PodSecurity";

/// An Event of the core API.
#[derive(Clone, Debug, Deserialize, Resource)]
#[resource(inherit = "api::Event", crates(kube_core = "::kube_core"))]
#[serde(rename_all = "camelCase")]
pub struct Event {
    #[serde(deserialize_with = "meta::slim")]
    metadata: ObjectMeta,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    involved_object: Involved,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Involved {
    kind: Text,
    name: Text,
}

impl Shape for Event {
    const KIND: Kind = Kind::Event;

    fn fact(self) -> Fact {
        let message = self.message.unwrap_or_default();
        let since = self.metadata.creation_timestamp.map(|time| time.0);
        let rejection = message.find(VIOLATES).map(|at| Rejection {
            kind: self.involved_object.kind,
            name: self.involved_object.name,
            message: message[at..].into(),
            since,
        });
        Fact::Rejection(rejection)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(message: &str) -> Option<Rejection> {
        let event = json!({
            "metadata": { "name": "web-1.18", "namespace": "shop", "creationTimestamp": "2026-11-26T08:00:00Z" },
            "involvedObject": { "kind": "ReplicaSet", "name": "web-1" }, "reason": "FailedCreate", "message": message,
        });
        let Fact::Rejection(rejection) = serde_json::from_value::<Event>(event).unwrap().fact() else {
            panic!("an event is a rejection or nothing")
        };
        rejection
    }

    #[test]
    fn only_a_refusal_by_pod_security_is_kept_and_without_the_name_of_the_pod() {
        let said = "Error creating: pods \"web-1-x2x\" is forbidden: violates PodSecurity \"baseline:latest\": host namespaces (hostNetwork=true)";
        let rejection = read(said).unwrap();
        assert_eq!((rejection.kind.as_str(), rejection.name.as_str()), ("ReplicaSet", "web-1"));
        assert_eq!(&*rejection.message, "violates PodSecurity \"baseline:latest\": host namespaces (hostNetwork=true)");
        assert!(rejection.since.is_some());
        assert_eq!(read("Error creating: pods \"web-1-x2x\" is forbidden: exceeded quota: q"), None);
    }
}
