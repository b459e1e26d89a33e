//! Pods that nobody else has, and everything that pods are made from.

use holdfast_e2e::set;
use serde_json::{Value, json};

/// As it was done before there were fields.
pub(super) fn annotated() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "annotated", "annotations": {
            "seccomp.security.alpha.kubernetes.io/pod": "unconfined",
            "container.seccomp.security.alpha.kubernetes.io/a": "localhost/a",
            "container.apparmor.security.beta.kubernetes.io/a": "unconfined",
        }},
        "spec": {"containers": [{"name": "a", "image": "i"}]},
    })
}

/// So large that its expressions cost what they can.
pub(super) fn large() -> Value {
    let containers: Vec<Value> = (0..250)
        .map(|number| {
            json!({
                "name": format!("c{number}"), "image": "i",
                "ports": (1..20).map(|port| json!({"containerPort": number * 20 + port})).collect::<Vec<_>>(),
                "livenessProbe": {"httpGet": {"port": 80}}, "readinessProbe": {"tcpSocket": {"port": 80}},
                "securityContext": {
                    "seccompProfile": {"type": "RuntimeDefault"}, "seLinuxOptions": {"type": "container_t"},
                    "capabilities": {"drop": ["KILL", "CHOWN", "ALL"], "add": vec!["NET_BIND_SERVICE"; 20]},
                },
            })
        })
        .collect();
    let volumes: Vec<Value> =
        (0..500).map(|number| json!({"name": format!("v{number}"), "secret": {"secretName": "s"}})).collect();
    // Others than the checks read: of each of those the server would warn by itself, until there is room for no more.
    let annotation = |number| (format!("example.org/a{number}"), json!("runtime/default"));
    let annotations: serde_json::Map<String, Value> = (0..250).map(annotation).collect();
    let metadata = json!({"name": "large", "annotations": annotations});
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": containers, "volumes": volumes}})
}

/// How many kinds of objects pods are made from.
pub(super) const KINDS: usize = 8;

/// A pod as the template of something that makes pods.
pub(super) fn wrap(pod: &Value, kind: usize) -> (&'static str, Value) {
    let labels = json!({"app": "t"});
    let mut template = json!({"metadata": {"labels": labels}, "spec": pod["spec"]});
    template["metadata"]["annotations"] = pod["metadata"]["annotations"].clone();
    template["spec"]["restartPolicy"] = json!(if kind < 2 { "Never" } else { "Always" });
    let metadata = json!({"name": "t"});
    let of = |version: &str, kind: &str, spec: Value| json!({"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec});
    let selected = json!({"selector": {"matchLabels": labels}, "template": template});
    match kind {
        0 => ("/apis/batch/v1/namespaces/NS/jobs", of("batch/v1", "Job", json!({"template": template}))),
        1 => {
            let spec = json!({"schedule": "@daily", "jobTemplate": {"spec": {"template": template}}});
            ("/apis/batch/v1/namespaces/NS/cronjobs", of("batch/v1", "CronJob", spec))
        }
        2 => ("/apis/apps/v1/namespaces/NS/deployments", of("apps/v1", "Deployment", selected)),
        3 => ("/apis/apps/v1/namespaces/NS/replicasets", of("apps/v1", "ReplicaSet", selected)),
        4 => ("/apis/apps/v1/namespaces/NS/daemonsets", of("apps/v1", "DaemonSet", selected)),
        5 => {
            let spec = set(selected, "/serviceName", json!("t"));
            ("/apis/apps/v1/namespaces/NS/statefulsets", of("apps/v1", "StatefulSet", spec))
        }
        6 => {
            let spec = json!({"selector": labels, "template": template});
            ("/api/v1/namespaces/NS/replicationcontrollers", of("v1", "ReplicationController", spec))
        }
        _ => {
            let object = json!({"apiVersion": "v1", "kind": "PodTemplate", "metadata": metadata, "template": template});
            ("/api/v1/namespaces/NS/podtemplates", object)
        }
    }
}
