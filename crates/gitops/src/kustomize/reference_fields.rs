//! Which fields of which kinds name other objects, as Kustomize knows it.

use std::sync::LazyLock;

use super::field_spec::FieldSpec;

/// Group, version and kind of what is named; an empty part is any.
pub(super) type Target = (&'static str, &'static str, &'static str);

/// The fields that name objects of one kind.
#[derive(Debug)]
pub(super) struct References {
    pub(super) target: Target,
    /// Kinds and paths.
    pub(super) fields: Vec<FieldSpec>,
}

/// Kinds and paths in them that name objects of one kind.
struct Row {
    target: Target,
    /// Where pods are described, and the fields there.
    holders: &'static [(&'static str, &'static str)],
    in_pods: &'static [&'static str],
    /// Group, kind and path of the others.
    others: &'static [(&'static str, &'static str, &'static str)],
}

/// All of them.
pub(super) static ALL: LazyLock<Vec<References>> = LazyLock::new(|| ROWS.iter().map(references).collect());

fn references(row: &'static Row) -> References {
    let of_pods = row.holders.iter().flat_map(|(kind, prefix)| {
        let field = move |path: &&str| FieldSpec {
            path: format!("{prefix}/{path}").into(),
            ..FieldSpec::new("", kind, "", false)
        };
        row.in_pods.iter().map(field)
    });
    let others = row.others.iter().map(|(group, kind, path)| FieldSpec::new(group, kind, path, false));
    References { target: row.target, fields: of_pods.chain(others).collect() }
}

const TEMPLATE: &str = "spec/template/spec";
const CRON_TEMPLATE: &str = "spec/jobTemplate/spec/template/spec";

/// Kinds that hold pods, as ConfigMaps and Secrets are looked for.
const MOUNTING: &[(&str, &str)] = &[
    ("Pod", "spec"),
    ("PodTemplate", "template/spec"),
    ("Deployment", TEMPLATE),
    ("ReplicaSet", TEMPLATE),
    ("DaemonSet", TEMPLATE),
    ("StatefulSet", TEMPLATE),
    ("Job", TEMPLATE),
    ("CronJob", CRON_TEMPLATE),
];

/// Kinds that hold pods, as everything else is looked for.
const RUNNING: &[(&str, &str)] = &[
    ("Pod", "spec"),
    ("StatefulSet", TEMPLATE),
    ("Deployment", TEMPLATE),
    ("ReplicationController", TEMPLATE),
    ("CronJob", CRON_TEMPLATE),
    ("Job", TEMPLATE),
    ("DaemonSet", TEMPLATE),
];

const AUTOSCALED: &[(&str, &str, &str)] = &[("", "HorizontalPodAutoscaler", "spec/scaleTargetRef/name")];
const RBAC: &str = "rbac.authorization.k8s.io";
const ADMISSION: &str = "admissionregistration.k8s.io";

const fn scaled(kind: &'static str) -> Row {
    Row { target: ("", "", kind), holders: &[], in_pods: &[], others: AUTOSCALED }
}

const fn other(
    target: (&'static str, &'static str, &'static str),
    others: &'static [(&'static str, &'static str, &'static str)],
) -> Row {
    Row { target, holders: &[], in_pods: &[], others }
}

const ROWS: &[Row] = &[
    scaled("Deployment"),
    scaled("ReplicationController"),
    scaled("ReplicaSet"),
    scaled("StatefulSet"),
    Row {
        target: ("", "v1", "ConfigMap"),
        holders: MOUNTING,
        in_pods: &[
            "volumes/configMap/name",
            "containers/env/valueFrom/configMapKeyRef/name",
            "initContainers/env/valueFrom/configMapKeyRef/name",
            "containers/envFrom/configMapRef/name",
            "initContainers/envFrom/configMapRef/name",
            "volumes/projected/sources/configMap/name",
        ],
        others: &[
            ("", "Node", "spec/configSource/configMap"),
            ("", "Role", "rules/resourceNames"),
            ("", "ClusterRole", "rules/resourceNames"),
            ("", "Ingress", "metadata/annotations/nginx.ingress.kubernetes.io\\/fastcgi-params-configmap"),
        ],
    },
    Row {
        target: ("", "v1", "Secret"),
        holders: MOUNTING,
        in_pods: &[
            "volumes/secret/secretName",
            "containers/env/valueFrom/secretKeyRef/name",
            "initContainers/env/valueFrom/secretKeyRef/name",
            "containers/envFrom/secretRef/name",
            "initContainers/envFrom/secretRef/name",
            "imagePullSecrets/name",
            "volumes/projected/sources/secret/name",
        ],
        others: &[
            ("", "Ingress", "spec/tls/secretName"),
            ("", "Ingress", "metadata/annotations/ingress.kubernetes.io\\/auth-secret"),
            ("", "Ingress", "metadata/annotations/nginx.ingress.kubernetes.io\\/auth-secret"),
            ("", "Ingress", "metadata/annotations/nginx.ingress.kubernetes.io\\/auth-tls-secret"),
            ("", "ServiceAccount", "imagePullSecrets/name"),
            ("", "StorageClass", "parameters/secretName"),
            ("", "StorageClass", "parameters/adminSecretName"),
            ("", "StorageClass", "parameters/userSecretName"),
            ("", "StorageClass", "parameters/secretRef"),
            ("", "Role", "rules/resourceNames"),
            ("", "ClusterRole", "rules/resourceNames"),
            ("serving.knative.dev", "Service", "spec/template/spec/containers/env/valueFrom/secretKeyRef/name"),
            ("", "PersistentVolume", "spec/azureFile/secretName"),
        ],
    },
    other(
        ("", "v1", "Service"),
        &[
            ("apps", "StatefulSet", "spec/serviceName"),
            ("", "Ingress", "spec/rules/http/paths/backend/serviceName"),
            ("", "Ingress", "spec/backend/serviceName"),
            ("", "Ingress", "spec/rules/http/paths/backend/service/name"),
            ("", "Ingress", "spec/defaultBackend/service/name"),
            ("apiregistration.k8s.io", "APIService", "spec/service/name"),
            (ADMISSION, "ValidatingWebhookConfiguration", "webhooks/clientConfig/service"),
            (ADMISSION, "MutatingWebhookConfiguration", "webhooks/clientConfig/service"),
        ],
    ),
    other((RBAC, "", "Role"), &[(RBAC, "RoleBinding", "roleRef/name")]),
    other(
        (RBAC, "", "ClusterRole"),
        &[(RBAC, "RoleBinding", "roleRef/name"), (RBAC, "ClusterRoleBinding", "roleRef/name")],
    ),
    Row {
        target: ("", "v1", "ServiceAccount"),
        holders: RUNNING,
        in_pods: &["serviceAccountName"],
        others: &[(RBAC, "RoleBinding", "subjects"), (RBAC, "ClusterRoleBinding", "subjects")],
    },
    Row {
        target: ("", "v1", "PersistentVolumeClaim"),
        holders: RUNNING,
        in_pods: &["volumes/persistentVolumeClaim/claimName"],
        others: &[],
    },
    other(
        ("", "v1", "PersistentVolume"),
        &[("", "PersistentVolumeClaim", "spec/volumeName"), ("", "ClusterRole", "rules/resourceNames")],
    ),
    other(
        ("storage.k8s.io", "v1", "StorageClass"),
        &[
            ("", "PersistentVolume", "spec/storageClassName"),
            ("", "PersistentVolumeClaim", "spec/storageClassName"),
            ("", "StatefulSet", "spec/volumeClaimTemplates/spec/storageClassName"),
        ],
    ),
    Row {
        target: ("scheduling.k8s.io", "v1", "PriorityClass"),
        holders: RUNNING,
        in_pods: &["priorityClassName"],
        others: &[],
    },
    // Kustomize looks for the group `networking.k8s.io/v1`, which is none, so that no IngressClass is ever followed.
    other(
        (ADMISSION, "", "ValidatingAdmissionPolicy"),
        &[(ADMISSION, "ValidatingAdmissionPolicyBinding", "spec/policyName")],
    ),
];
