//! Which lists of Kubernetes' own kinds are merged by a key, as Kustomize 5 knows it (from the schema of Kubernetes 1.21).
//!
//! Every other list is replaced as a whole, and so is every list of a custom resource. `x-kubernetes-list-map-keys` wins
//! over the merge key where a list has both.

/// A list that is merged: its keys (none: a set of scalars), and what its items are.
pub(super) type List = (&'static [&'static str], Shape);

/// What is known of a value.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    /// Nothing: an object inside, with its own kind, may be known again.
    Unknown,
    /// The fields in which something is merged.
    Fields(&'static [(&'static str, Field)]),
}

/// A field in which something is merged.
#[derive(Clone, Copy)]
pub(super) enum Field {
    /// A mapping.
    Map(&'static [(&'static str, Field)]),
    /// A list that is merged.
    Merged(&'static [&'static str], &'static [(&'static str, Field)]),
}

impl Shape {
    /// Of an object.
    pub(super) fn of(api_version: &str, kind: &str) -> Self {
        let found = KINDS.iter().find(|(versions, kinds, _)| versions.contains(&api_version) && kinds.contains(&kind));
        found.map_or(Self::Unknown, |(_, _, fields)| Self::Fields(fields))
    }

    /// Of a field of a mapping.
    pub(super) fn field(self, name: &str) -> Self {
        match self.find(name) {
            Some(Field::Map(fields)) => Self::Fields(fields),
            Some(Field::Merged(..)) | None => Self::Unknown,
        }
    }

    /// How a list is merged that stands in a field.
    pub(super) fn list(self, name: &str) -> Option<List> {
        match self.find(name) {
            Some(Field::Merged(keys, fields)) => Some((keys, Self::Fields(fields))),
            Some(Field::Map(_)) | None => None,
        }
    }

    fn find(self, name: &str) -> Option<Field> {
        match self {
            Self::Unknown => None,
            Self::Fields(fields) => fields.iter().find(|(field, _)| *field == name).map(|(_, field)| *field),
        }
    }

    pub(super) fn is_known(self) -> bool {
        matches!(self, Self::Fields(_))
    }
}

type Fields = &'static [(&'static str, Field)];

use Field::{Map, Merged};

const METADATA: Fields = &[("finalizers", Merged(&[], &[])), ("ownerReferences", Merged(&["uid"], &[]))];
const STATUS: Fields = &[("conditions", Merged(&["type"], &[]))];
const CONTAINER: Fields = &[
    ("env", Merged(&["name"], &[])),
    ("ports", Merged(&["containerPort", "protocol"], &[])),
    ("volumeDevices", Merged(&["devicePath"], &[])),
    ("volumeMounts", Merged(&["mountPath"], &[])),
];
const EPHEMERAL_CONTAINER: Fields = &[
    ("env", Merged(&["name"], &[])),
    ("volumeDevices", Merged(&["devicePath"], &[])),
    ("volumeMounts", Merged(&["mountPath"], &[])),
];
const VOLUME: Fields = &[("ephemeral", Map(&[("volumeClaimTemplate", Map(&[("metadata", Map(METADATA))]))]))];
const POD_SPEC: Fields = &[
    ("containers", Merged(&["name"], CONTAINER)),
    ("ephemeralContainers", Merged(&["name"], EPHEMERAL_CONTAINER)),
    ("hostAliases", Merged(&["ip"], &[])),
    ("imagePullSecrets", Merged(&["name"], &[])),
    ("initContainers", Merged(&["name"], CONTAINER)),
    ("topologySpreadConstraints", Merged(&["topologyKey", "whenUnsatisfiable"], &[])),
    ("volumes", Merged(&["name"], VOLUME)),
];
const TEMPLATE: Fields = &[("metadata", Map(METADATA)), ("spec", Map(POD_SPEC))];
const WORKLOAD: Fields =
    &[("metadata", Map(METADATA)), ("spec", Map(&[("template", Map(TEMPLATE))])), ("status", Map(STATUS))];
const CRON_JOB: Fields = &[
    ("metadata", Map(METADATA)),
    (
        "spec",
        Map(&[("jobTemplate", Map(&[("metadata", Map(METADATA)), ("spec", Map(&[("template", Map(TEMPLATE))]))]))]),
    ),
];
const POD: Fields = &[
    ("metadata", Map(METADATA)),
    ("spec", Map(POD_SPEC)),
    ("status", Map(&[("conditions", Merged(&["type"], &[])), ("podIPs", Merged(&["ip"], &[]))])),
];
const SERVICE: Fields = &[
    ("metadata", Map(METADATA)),
    ("spec", Map(&[("ports", Merged(&["port", "protocol"], &[]))])),
    ("status", Map(STATUS)),
];
const SERVICE_ACCOUNT: Fields = &[("metadata", Map(METADATA)), ("secrets", Merged(&["name"], &[]))];
const WEBHOOKS: Fields = &[("metadata", Map(METADATA)), ("webhooks", Merged(&["name"], &[]))];
const WITH_CONDITIONS: Fields = &[("metadata", Map(METADATA)), ("status", Map(STATUS))];
const PLAIN: Fields = &[("metadata", Map(METADATA))];
const NODE: Fields = &[
    ("metadata", Map(METADATA)),
    ("spec", Map(&[("podCIDRs", Merged(&[], &[]))])),
    ("status", Map(&[("addresses", Merged(&["type"], &[])), ("conditions", Merged(&["type"], &[]))])),
];

/// Versions, kinds, and what is merged in them.
const KINDS: &[(&[&str], &[&str], Fields)] = &[
    (&["apps/v1"], &["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"], WORKLOAD),
    (&["batch/v1"], &["Job"], WORKLOAD),
    (&["batch/v1", "batch/v1beta1"], &["CronJob"], CRON_JOB),
    (&["v1"], &["ReplicationController"], WORKLOAD),
    (&["v1"], &["Pod"], POD),
    (&["v1"], &["PodTemplate"], &[("metadata", Map(METADATA)), ("template", Map(TEMPLATE))]),
    (&["v1"], &["Service"], SERVICE),
    (&["v1"], &["ServiceAccount"], SERVICE_ACCOUNT),
    (&["v1"], &["Node"], NODE),
    (&["v1"], &["Namespace", "PersistentVolumeClaim"], WITH_CONDITIONS),
    (&["v1"], &["ConfigMap", "Endpoints", "Event", "LimitRange", "PersistentVolume", "ResourceQuota", "Secret"], PLAIN),
    (&["policy/v1", "policy/v1beta1"], &["PodDisruptionBudget"], WITH_CONDITIONS),
    (&["apiregistration.k8s.io/v1", "apiregistration.k8s.io/v1beta1"], &["APIService"], WITH_CONDITIONS),
    (
        &["admissionregistration.k8s.io/v1", "admissionregistration.k8s.io/v1beta1"],
        &["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"],
        WEBHOOKS,
    ),
    (
        &["rbac.authorization.k8s.io/v1", "rbac.authorization.k8s.io/v1beta1"],
        &["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"],
        PLAIN,
    ),
    (&["networking.k8s.io/v1"], &["Ingress", "IngressClass", "NetworkPolicy"], PLAIN),
    (&["autoscaling/v1", "autoscaling/v2beta1", "autoscaling/v2beta2"], &["HorizontalPodAutoscaler"], PLAIN),
    (&["storage.k8s.io/v1", "storage.k8s.io/v1beta1"], &["StorageClass", "CSIDriver", "VolumeAttachment"], PLAIN),
    (&["scheduling.k8s.io/v1", "scheduling.k8s.io/v1beta1"], &["PriorityClass"], PLAIN),
    (&["apiextensions.k8s.io/v1", "apiextensions.k8s.io/v1beta1"], &["CustomResourceDefinition"], PLAIN),
    (&["coordination.k8s.io/v1", "coordination.k8s.io/v1beta1"], &["Lease"], PLAIN),
];
