//! Objects of the kinds that Kustomize knows something about, and of two that it doesn't.

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::{one_of, some_of};

/// What there is: kind and name of each, so that patches can be for one.
pub(super) const ALL: [(&str, &str); 23] = [
    ("Deployment", "web"),
    ("Deployment", "api"),
    ("StatefulSet", "db"),
    ("DaemonSet", "agent"),
    ("CronJob", "backup"),
    ("Job", "setup"),
    ("Pod", "probe"),
    ("Service", "web"),
    ("ConfigMap", "settings"),
    ("Secret", "keys"),
    ("ServiceAccount", "runner"),
    ("Role", "reader"),
    ("RoleBinding", "reader"),
    ("ClusterRole", "watcher"),
    ("ClusterRoleBinding", "watcher"),
    ("PersistentVolumeClaim", "data"),
    ("Ingress", "web"),
    ("HorizontalPodAutoscaler", "web"),
    ("PodDisruptionBudget", "web"),
    ("NetworkPolicy", "web"),
    ("Namespace", "shop"),
    ("HelmRelease", "chart"),
    ("Widget", "thing"),
];

pub(super) fn api_version(kind: &str) -> &'static str {
    match kind {
        "Deployment" | "StatefulSet" | "DaemonSet" => "apps/v1",
        "CronJob" | "Job" => "batch/v1",
        "Role" | "RoleBinding" | "ClusterRole" | "ClusterRoleBinding" => "rbac.authorization.k8s.io/v1",
        "Ingress" | "NetworkPolicy" => "networking.k8s.io/v1",
        "HorizontalPodAutoscaler" => "autoscaling/v2",
        "PodDisruptionBudget" => "policy/v1",
        "HelmRelease" => "helm.toolkit.fluxcd.io/v2",
        "Widget" => "example.com/v1alpha1",
        _ => "v1",
    }
}

/// An object of a kind.
pub(super) fn object(random: &mut Rng, kind: &str, name: &str) -> Value {
    let mut object = json!({ "apiVersion": api_version(kind), "kind": kind, "metadata": metadata(random, kind, name) });
    for (field, value) in body(random, kind) {
        object[field] = value;
    }
    object
}

fn metadata(random: &mut Rng, kind: &str, name: &str) -> Value {
    let mut metadata = json!({ "name": name });
    if random.bool() {
        metadata["labels"] = json!({ "app": name, "tier": one_of(random, &["front", "back"]) });
    }
    if random.u8(..4) == 0 {
        metadata["annotations"] = json!({ "note": "x", "example.com/a.b": "yes" });
    }
    if random.u8(..12) == 0 {
        metadata["annotations"] = json!({});
    }
    if random.u8(..10) == 0 {
        metadata["finalizers"] = json!(["example.com/a", "example.com/b"]);
    }
    let is_global = ["Namespace", "ClusterRole", "ClusterRoleBinding"].contains(&kind);
    if !is_global && random.u8(..6) == 0 {
        metadata["namespace"] = json!(one_of(random, &["shop", "default"]));
    }
    metadata
}

fn body(random: &mut Rng, kind: &str) -> Vec<(&'static str, Value)> {
    let role = json!([{ "apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["settings", "other"], "verbs": ["get"] }]);
    match kind {
        "Deployment" | "DaemonSet" => vec![("spec", workload(random))],
        "StatefulSet" => vec![("spec", stateful(random))],
        "CronJob" => vec![(
            "spec",
            json!({ "schedule": "0 * * * *", "jobTemplate": { "spec": { "template": template(random) } } }),
        )],
        "Job" => vec![("spec", json!({ "template": template(random) }))],
        "Pod" => vec![("spec", pod_spec(random))],
        "Service" => vec![(
            "spec",
            json!({ "selector": { "app": "web" }, "ports": [{ "port": 80, "targetPort": "http" }, { "port": 443, "protocol": "TCP", "name": "tls" }] }),
        )],
        "ConfigMap" => vec![("data", json!({ "a": "1", "b.txt": "two\nlines\n", "host": "web.shop.svc:8080" }))],
        "Secret" => vec![("type", json!("Opaque")), ("data", json!({ "k": "dg==" }))],
        "ServiceAccount" => vec![("imagePullSecrets", json!([{ "name": "keys" }]))],
        "Role" | "ClusterRole" => vec![("rules", role)],
        "RoleBinding" | "ClusterRoleBinding" => binding(kind, random),
        "PersistentVolumeClaim" => vec![(
            "spec",
            json!({ "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "1Gi" } } }),
        )],
        "Ingress" => vec![("spec", ingress())],
        "HorizontalPodAutoscaler" => vec![(
            "spec",
            json!({ "scaleTargetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "web" }, "minReplicas": 2, "maxReplicas": 5 }),
        )],
        "PodDisruptionBudget" => {
            vec![("spec", json!({ "minAvailable": 1, "selector": { "matchLabels": { "app": "web" } } }))]
        }
        "NetworkPolicy" => vec![(
            "spec",
            json!({ "podSelector": { "matchLabels": { "app": "web" } }, "ingress": [{ "from": [{ "podSelector": { "matchLabels": { "app": "api" } } }] }] }),
        )],
        "HelmRelease" => vec![("spec", release(random))],
        "Widget" => vec![("spec", widget(random))],
        _ => vec![],
    }
}

fn binding(kind: &str, random: &mut Rng) -> Vec<(&'static str, Value)> {
    let (role, name) = match kind {
        "RoleBinding" => ("Role", "reader"),
        _ => ("ClusterRole", "watcher"),
    };
    let mut subject = json!({ "kind": "ServiceAccount", "name": one_of(random, &["runner", "default"]) });
    if kind == "ClusterRoleBinding" || random.bool() {
        subject["namespace"] = json!(one_of(random, &["shop", "default"]));
    }
    vec![
        ("roleRef", json!({ "apiGroup": "rbac.authorization.k8s.io", "kind": role, "name": name })),
        ("subjects", json!([subject])),
    ]
}

fn ingress() -> Value {
    json!({
        "tls": [{ "hosts": ["a.example.com"], "secretName": "keys" }],
        "rules": [{ "host": "a.example.com", "http": { "paths": [
            { "path": "/", "pathType": "Prefix", "backend": { "service": { "name": "web", "port": { "number": 80 } } } },
        ] } }],
    })
}

fn release(random: &mut Rng) -> Value {
    json!({
        "interval": "1h",
        "chartRef": { "kind": "OCIRepository", "name": "chart" },
        "values": {
            "controllers": { "main": {
                "replicas": random.u8(1..4),
                "containers": { "app": { "image": { "repository": "nginx", "tag": "1.27" }, "env": { "A": "1", "B": null, "C": true } } },
            } },
            "extra": [{ "name": "a", "value": 1 }, { "name": "b", "value": 2.5 }],
            "off": null, "port": 8080, "mode": "0644", "words": ["yes", "no", "on", "1.0"],
        },
    })
}

fn widget(random: &mut Rng) -> Value {
    json!({
        "size": random.i32(-5..50), "ratio": 0.25, "tags": ["a", "b"], "parts": [{ "name": "x", "count": 1 }, { "name": "y" }],
        "containers": [{ "name": "c", "image": "nginx:1.25" }],
        "template": { "spec": { "containers": [{ "name": "d", "image": "docker.io/library/redis:7@sha256:0a" }] } },
        "deep": { "er": { "est": { "value": "v", "list": [] } } }, "ref": { "name": "settings" },
    })
}

fn workload(random: &mut Rng) -> Value {
    let mut spec = json!({ "selector": { "matchLabels": { "app": "web" } }, "template": template(random) });
    if random.bool() {
        spec["replicas"] = json!(random.u8(..4));
    }
    if random.u8(..4) == 0 {
        spec["strategy"] =
            json!({ "type": "RollingUpdate", "rollingUpdate": { "maxSurge": "25%", "maxUnavailable": 0 } });
    }
    spec
}

fn stateful(random: &mut Rng) -> Value {
    let mut spec = workload(random);
    spec["serviceName"] = json!("web");
    if random.bool() {
        spec["volumeClaimTemplates"] = json!([{ "metadata": { "name": "data" }, "spec": { "accessModes": ["ReadWriteOnce"], "storageClassName": "fast" } }]);
    }
    spec
}

fn template(random: &mut Rng) -> Value {
    let mut template = json!({ "spec": pod_spec(random) });
    if 0 < random.u8(..5) {
        template["metadata"] = json!({ "labels": { "app": "web" } });
    }
    template
}

fn pod_spec(random: &mut Rng) -> Value {
    let mut spec = Map::new();
    let names = some_of(random, &["app", "proxy", "log"], 2);
    let names = if names.is_empty() { vec!["app"] } else { names };
    spec.insert("containers".into(), names.iter().map(|name| container(random, name)).collect());
    if random.u8(..4) == 0 {
        spec.insert("initContainers".into(), json!([container(random, "init")]));
    }
    let volumes = [
        json!({ "name": "settings", "configMap": { "name": "settings" } }),
        json!({ "name": "keys", "secret": { "secretName": "keys" } }),
        json!({ "name": "data", "persistentVolumeClaim": { "claimName": "data" } }),
        json!({ "name": "tmp", "emptyDir": {} }),
        json!({ "name": "all", "projected": { "sources": [{ "configMap": { "name": "settings" } }, { "secret": { "name": "keys" } }] } }),
    ];
    let extras = [
        ("volumes", Value::Array(some_of(random, &volumes, 2))),
        (
            "tolerations",
            json!([{ "key": "a", "operator": "Exists" }, { "key": "b", "value": "c", "effect": "NoSchedule" }]),
        ),
        ("imagePullSecrets", json!([{ "name": "keys" }, { "name": "pull" }])),
        ("serviceAccountName", json!("runner")),
        ("priorityClassName", json!("high")),
        ("hostAliases", json!([{ "ip": "10.0.0.1", "hostnames": ["a"] }])),
        ("nodeSelector", json!({ "disk": "ssd" })),
        (
            "affinity",
            json!({ "podAntiAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": [
            { "topologyKey": "kubernetes.io/hostname", "labelSelector": { "matchLabels": { "app": "web" } } } ] } }),
        ),
        (
            "topologySpreadConstraints",
            json!([
            { "maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": { "matchLabels": { "app": "web" } } },
            { "maxSkew": 2, "topologyKey": "host", "whenUnsatisfiable": "ScheduleAnyway" } ]),
        ),
        ("terminationGracePeriodSeconds", json!(30)),
        ("securityContext", json!({ "runAsNonRoot": true, "fsGroup": 1000 })),
    ];
    for (field, value) in some_of(random, &extras, 3) {
        spec.insert(field.into(), value);
    }
    Value::Object(spec)
}

fn container(random: &mut Rng, name: &str) -> Value {
    let images =
        ["nginx", "nginx:1.25", "docker.io/library/redis:7@sha256:0a", "ghcr.io:443/a/b:v1", "busybox@sha256:1b"];
    let mut container = json!({ "name": name, "image": one_of(random, &images) });
    let extras = [
        (
            "env",
            json!([
            { "name": "A", "value": "1" },
            { "name": "B", "valueFrom": { "configMapKeyRef": { "name": "settings", "key": "a" } } },
            { "name": "C", "valueFrom": { "secretKeyRef": { "name": "keys", "key": "k" } } } ]),
        ),
        ("envFrom", json!([{ "configMapRef": { "name": "settings" } }, { "secretRef": { "name": "keys" } }])),
        (
            "ports",
            json!([{ "containerPort": 8080, "name": "http" }, { "containerPort": 53, "protocol": "UDP" }, { "containerPort": 53, "protocol": "TCP" }]),
        ),
        (
            "volumeMounts",
            json!([{ "name": "settings", "mountPath": "/etc/a" }, { "name": "tmp", "mountPath": "/tmp", "readOnly": true }]),
        ),
        ("resources", json!({ "requests": { "cpu": "100m", "memory": "64Mi" }, "limits": { "memory": "64Mi" } })),
        ("args", json!(["--a", "--b=c", "-v"])),
        ("command", json!(["run"])),
        ("readinessProbe", json!({ "httpGet": { "path": "/", "port": "http" }, "periodSeconds": 5 })),
        ("securityContext", json!({ "capabilities": { "drop": ["ALL"], "add": ["NET_ADMIN"] }, "privileged": null })),
    ];
    for (field, value) in some_of(random, &extras, 3) {
        container[field] = value;
    }
    container
}
