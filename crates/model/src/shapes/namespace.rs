//! Namespaces.

use k8s_openapi::api::core::v1 as api;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube_derive::Resource;
use serde::Deserialize;
use serde::de::Deserializer;

use super::managers::Entries;
use super::{Shape, meta, uid};
use crate::facts::{Fact, FluxHints, Namespace as NamespaceFact, OfFiles, OptOut, Writers};
use crate::{Kind, Labels};

/// The field manager of the Pod Security labels that we write.
pub const SECURITY_MANAGER: &str = "holdfast/pod-security";

/// With what the Pod Security labels begin.
const PREFIX: &str = "pod-security.kubernetes.io/";

/// A Namespace.
#[derive(Clone, Debug, Resource)]
#[resource(inherit = "api::Namespace", crates(kube_core = "::kube_core"))]
pub struct Namespace {
    metadata: ObjectMeta,
    writers: Writers,
}

impl<'de> Deserialize<'de> for Namespace {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Raw { metadata } = Raw::deserialize(deserializer)?;
        let (metadata, entries) = metadata.split();
        Ok(Self {
            metadata,
            writers: entries.map(|entries| entries.writers(SECURITY_MANAGER, PREFIX)).unwrap_or_default(),
        })
    }
}

#[derive(Deserialize)]
struct Raw {
    metadata: meta::Slim<Entries>,
}

impl Shape for Namespace {
    const KIND: Kind = Kind::Namespace;

    fn fact(self) -> Fact {
        Fact::Namespace(Box::new(NamespaceFact {
            uid: uid(&self.metadata),
            labels: Labels::of(self.metadata.labels.as_ref()),
            terminating: self.metadata.deletion_timestamp.is_some(),
            assumed: false,
            opt_out: OptOut::of(&self.metadata),
            flux: FluxHints::of(&self.metadata),
            writers: self.writers,
            of_files: OfFiles::default(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Text;

    #[test]
    fn whose_a_label_is_is_read_from_its_managers() {
        let namespace = json!({ "metadata": {
            "name": "shop", "uid": "u", "labels": { "pod-security.kubernetes.io/enforce": "baseline" },
            "managedFields": [
                { "manager": "holdfast/pod-security", "operation": "Apply", "fieldsV1": { "f:metadata": { "f:labels": {
                    "f:pod-security.kubernetes.io/warn": {}, "f:team": {} } } } },
                // The same name, but not by apply.
                { "manager": "holdfast/pod-security", "operation": "Update", "fieldsV1": { "f:metadata": { "f:labels": {
                    "f:pod-security.kubernetes.io/audit": {} } } } },
                { "manager": "kustomize-controller", "operation": "Apply", "fieldsV1": { "f:metadata": { "f:labels": {
                    ".": {}, "f:pod-security.kubernetes.io/enforce": {} }, "f:annotations": {} } } },
                { "manager": "kube-controller-manager", "fieldsV1": { "f:status": {} } }, {},
            ],
        } });
        let Fact::Namespace(fact) = serde_json::from_value::<Namespace>(namespace).unwrap().fact() else {
            panic!("it is a namespace")
        };
        let writers = &fact.writers;
        assert_eq!(*writers.ours, ["pod-security.kubernetes.io/warn"]);
        let other = |label: &str| writers.other(&format!("{PREFIX}{label}")).map(Text::as_str);
        assert_eq!(other("enforce"), Some("kustomize-controller"));
        assert_eq!(other("audit"), Some(SECURITY_MANAGER));
        assert_eq!(other("warn"), None);
        assert_eq!(&*fact.uid, "u");
    }

    #[test]
    fn a_file_has_no_managers() {
        let namespace: Namespace = serde_json::from_value(json!({ "metadata": { "name": "shop" } })).unwrap();
        assert_eq!(namespace.writers, Writers::default());
    }
}
