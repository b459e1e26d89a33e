//! Patches for those objects: strategic merges with every directive, and JSON patches.

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::objects::api_version;
use super::{one_of, some_of, text};

/// An entry of `patches`.
pub(super) fn entry(random: &mut Rng, objects: &[(&str, &str)]) -> Value {
    let (kind, name) = one_of(random, objects);
    match random.u8(..10) {
        0..=3 => json!({ "patch": text(&merge(random, kind, name)) }),
        4..=6 => json!({ "patch": text(&merge(random, kind, "any")), "target": target(random, kind, name) }),
        7 => json!({
            "patch": text(&merge(random, kind, "renamed")), "target": { "kind": kind, "name": name },
            "options": { "allowNameChange": random.bool(), "allowKindChange": false },
        }),
        _ => json!({ "patch": text(&operations(random, kind)), "target": target(random, kind, name) }),
    }
}

pub(super) fn target(random: &mut Rng, kind: &str, name: &str) -> Value {
    match random.u8(..8) {
        0 => json!({ "kind": kind }),
        1 => json!({ "kind": kind, "name": format!("{}.*", &name[..1]) }),
        2 => {
            json!({ "kind": format!("{kind}|Widget"), "labelSelector": one_of(random, &["app", "tier=front", "tier in (back, front),app", "!tier"]) })
        }
        3 => json!({ "kind": kind, "annotationSelector": "note=x" }),
        4 => {
            json!({ "group": api_version(kind).split_once('/').map_or("", |(group, _)| group), "version": "v1.*", "kind": kind })
        }
        5 => json!({ "kind": kind, "name": name, "namespace": one_of(random, &["shop", "default"]) }),
        _ => json!({ "kind": kind, "name": name }),
    }
}

/// A strategic merge for an object of a kind.
pub(super) fn merge(random: &mut Rng, kind: &str, name: &str) -> Value {
    let mut patch = json!({ "apiVersion": api_version(kind), "kind": kind, "metadata": { "name": name } });
    if random.u8(..25) == 0 {
        patch["$patch"] = json!("delete");
        return patch;
    }
    if random.u8(..3) == 0 {
        patch["metadata"]["annotations"] = json!({ "patched": "true", "note": null });
    }
    if random.u8(..6) == 0 {
        patch["metadata"]["labels"] = json!({ "tier": "patched" });
    }
    if random.u8(..8) == 0 {
        patch["metadata"]["finalizers"] = json!(["example.com/c", "example.com/a"]);
    }
    match kind {
        "Deployment" | "StatefulSet" | "DaemonSet" | "Job" => {
            patch["spec"] = json!({ "template": { "spec": pod_spec(random) } });
            if random.bool() && kind != "Job" && kind != "DaemonSet" {
                patch["spec"]["replicas"] = one_of(random, &[json!(3), json!(null), json!(0)]);
            }
            if random.u8(..5) == 0 {
                patch["spec"]["template"]["metadata"] =
                    json!({ "labels": { "added": "x" }, "annotations": { "a": "b" } });
            }
            if random.u8(..6) == 0 {
                patch["spec"]["strategy"] = json!({ "$patch": "replace", "type": "Recreate" });
            }
        }
        "CronJob" => {
            patch["spec"] =
                json!({ "jobTemplate": { "spec": { "template": { "spec": pod_spec(random) } } }, "suspend": true })
        }
        "Pod" => patch["spec"] = pod_spec(random),
        "Service" => {
            patch["spec"] =
                json!({ "ports": service_ports(random), "type": one_of(random, &["ClusterIP", "LoadBalancer"]) })
        }
        "ConfigMap" => patch["data"] = json!({ "a": one_of(random, &[json!("2"), json!(null)]), "c": "x", "z": null }),
        "HelmRelease" => patch["spec"] = release(random),
        "Widget" => patch["spec"] = widget(random),
        "ServiceAccount" => patch["imagePullSecrets"] = json!([{ "name": "more" }]),
        "Ingress" => {
            patch["spec"] = json!({ "ingressClassName": "internal", "tls": one_of(random, &[json!(null), json!([{ "hosts": ["b"] }])]) })
        }
        "PodDisruptionBudget" => patch["spec"] = json!({ "minAvailable": null, "maxUnavailable": 1 }),
        _ => patch["extra"] = json!({ "a": [1, 2], "b": { "c": null, "d": {} } }),
    }
    patch
}

fn service_ports(random: &mut Rng) -> Value {
    let ports = [
        json!({ "port": 80, "name": "http" }),
        json!({ "port": 443, "protocol": "TCP", "targetPort": 8443 }),
        json!({ "port": 443, "protocol": "UDP" }),
        json!({ "port": 9000, "protocol": "TCP" }),
        json!({ "port": 80, "protocol": "TCP", "$patch": "delete" }),
    ];
    Value::Array(some_of(random, &ports, 2))
}

fn pod_spec(random: &mut Rng) -> Value {
    let mut spec = Map::new();
    let names = some_of(random, &["app", "proxy", "log", "added"], 2);
    if !names.is_empty() {
        spec.insert("containers".into(), names.iter().map(|name| container(random, name)).collect());
    }
    let extras = [
        (
            "volumes",
            json!([{ "name": "tmp", "emptyDir": { "medium": "Memory" } }, { "name": "more", "configMap": { "name": "settings" } }]),
        ),
        ("volumes", json!([{ "name": "settings", "$patch": "delete" }])),
        ("volumes", json!([{ "$patch": "replace" }, { "name": "only", "emptyDir": {} }])),
        ("tolerations", json!([{ "key": "z", "operator": "Exists" }])),
        ("tolerations", json!(null)),
        ("imagePullSecrets", json!([{ "name": "pull" }, { "name": "new" }])),
        ("hostAliases", json!([{ "ip": "10.0.0.1", "hostnames": ["b", "c"] }, { "ip": "10.0.0.2" }])),
        ("nodeSelector", json!({ "disk": null, "zone": "a" })),
        ("nodeSelector", json!({ "$patch": "replace", "zone": "b" })),
        ("affinity", json!({ "$patch": "delete" })),
        ("affinity", json!({ "nodeAffinity": { "x": [1] }, "podAntiAffinity": null })),
        (
            "topologySpreadConstraints",
            json!([{ "maxSkew": 5, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule" }]),
        ),
        (
            "topologySpreadConstraints",
            json!([{ "maxSkew": 5, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway" }]),
        ),
        ("securityContext", json!({ "fsGroup": 5, "runAsNonRoot": null, "added": { "a": null, "b": 1 } })),
        ("initContainers", json!([{ "name": "init", "command": ["true"] }, { "name": "second", "image": "x" }])),
        ("containers", json!([{ "$patch": "replace" }, { "name": "alone", "image": "scratch" }])),
    ];
    for (field, value) in some_of(random, &extras, 6) {
        spec.insert(field.into(), value);
    }
    if random.u8(..20) == 0 {
        spec.insert("$patch".into(), json!(one_of(random, &["replace", "merge"])));
    }
    Value::Object(spec)
}

fn container(random: &mut Rng, name: &str) -> Value {
    let mut container = json!({ "name": name });
    if name == "added" {
        container["image"] = json!("nginx:2");
    }
    match random.u8(..16) {
        0 => {
            container["$patch"] = json!("delete");
            return container;
        }
        1 => container["$patch"] = json!("replace"),
        2 => container["$patch"] = json!("merge"),
        _ => {}
    }
    let extras = [
        ("image", json!("patched:1")),
        (
            "env",
            json!([{ "name": "A", "value": "2" }, { "name": "D", "value": "new" }, { "name": "B", "$patch": "delete" }]),
        ),
        ("env", json!([{ "name": "C", "value": "now plain", "valueFrom": null }])),
        ("env", json!(null)),
        ("ports", json!([{ "containerPort": 8080, "protocol": "TCP" }, { "containerPort": 9090 }])),
        ("ports", json!([{ "containerPort": 53, "protocol": "UDP", "name": "dns" }])),
        ("ports", json!([{ "containerPort": 53, "name": "dns" }])),
        ("volumeMounts", json!([{ "name": "more", "mountPath": "/etc/a" }, { "name": "more", "mountPath": "/etc/b" }])),
        ("volumeMounts", json!([{ "mountPath": "/tmp", "$patch": "delete" }])),
        ("resources", json!({ "limits": { "memory": null, "cpu": 1 }, "requests": { "memory": "1Gi" } })),
        ("resources", json!({ "$patch": "replace", "limits": { "cpu": "2" } })),
        ("args", json!(["--only"])),
        ("command", json!(null)),
        ("readinessProbe", json!({ "httpGet": null, "tcpSocket": { "port": 80 } })),
        ("envFrom", json!([{ "secretRef": { "name": "keys" } }])),
    ];
    for (field, value) in some_of(random, &extras, 5) {
        container[field] = value;
    }
    container
}

fn release(random: &mut Rng) -> Value {
    let choices = [
        json!({ "values": { "controllers": { "main": { "replicas": 7, "containers": { "app": { "env": { "A": null, "D": "x" } } } } } } }),
        json!({ "values": { "extra": [{ "name": "a", "value": 9 }], "off": null, "new": { "x": null, "y": [null, 1] } } }),
        json!({ "values": { "$patch": "replace", "only": true } }),
        json!({ "suspend": true, "interval": null }),
        json!({ "install": { "remediation": { "retries": 3 } }, "values": { "port": 9090, "mode": "yes" } }),
    ];
    one_of(random, &choices)
}

fn widget(random: &mut Rng) -> Value {
    let choices = [
        json!({ "tags": ["c"], "parts": [{ "name": "x", "extra": 1 }], "deep": { "er": { "est": { "value": null, "list": ["a"] } } } }),
        json!({ "deep": { "$patch": "delete" }, "size": 7 }),
        json!({ "deep": { "er": { "$patch": "replace", "a": "b" } }, "ratio": 1.5 }),
        json!({ "tags": null, "added": { "list": [{ "a": null }], "null": null, "empty": {} } }),
        json!({ "containers": [{ "name": "c", "image": "b" }] }),
    ];
    one_of(random, &choices)
}

/// A JSON patch.
pub(super) fn operations(random: &mut Rng, kind: &str) -> Value {
    let common = [
        json!({ "op": "add", "path": "/metadata/annotations", "value": { "by": "json" } }),
        json!({ "op": "add", "path": "/metadata/labels", "value": { "app": "json", "a.b/c": "x" } }),
        json!({ "op": "replace", "path": "/metadata/extra", "value": [1, { "a": null }] }),
        json!({ "op": "test", "path": "/kind", "value": kind }),
        json!({ "op": "add", "path": "/status", "value": { "list": ["a", "b", "c"] } }),
        json!({ "op": "copy", "from": "/metadata/name", "path": "/metadata/generateName" }),
    ];
    let special = match kind {
        "Deployment" | "StatefulSet" | "DaemonSet" | "Job" => vec![
            json!({ "op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "json:1" }),
            json!({ "op": "add", "path": "/spec/template/spec/containers/-", "value": { "name": "last", "image": "x" } }),
            json!({ "op": "add", "path": "/spec/template/spec/containers/0", "value": { "name": "first", "image": "y" } }),
            json!({ "op": "replace", "path": "/spec/replicas", "value": 9 }),
            json!({ "op": "copy", "from": "/spec/template/spec/containers/0", "path": "/spec/template/spec/containers/1" }),
            json!({ "op": "move", "from": "/spec/template/spec", "path": "/spec/moved" }),
            json!({ "op": "remove", "path": "/spec/template/spec/containers/0/name" }),
            json!({ "op": "remove", "path": "/spec/template/spec/containers/-1" }),
        ],
        "Widget" => vec![
            json!({ "op": "remove", "path": "/spec/tags/0" }),
            json!({ "op": "add", "path": "/spec/tags/1", "value": "mid" }),
            json!({ "op": "replace", "path": "/spec/deep/er/est", "value": "flat" }),
            json!({ "op": "move", "from": "/spec/tags/0", "path": "/spec/tags/-" }),
            json!({ "op": "add", "path": "/spec/nothing", "value": null }),
        ],
        _ => vec![
            json!({ "op": "add", "path": "/extra", "value": { "x~y/z": 1 } }),
            json!({ "op": "add", "path": "/extra~0/deep~1", "value": "nowhere" }),
        ],
    };
    let mut chosen = some_of(random, &common, 3);
    chosen.extend(some_of(random, &special, 4));
    if chosen.is_empty() {
        chosen.push(one_of(random, &common));
    }
    Value::Array(chosen)
}
