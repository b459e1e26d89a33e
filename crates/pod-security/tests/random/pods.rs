//! Random pods that a server takes for valid: every field that a check reads, with every kind of value.
//!
//! Each is made from choices, of which 0 is always the plain one: a property that fails is shown with the plainest pod
//! that fails it, and a seed makes the same pod again.

use serde_json::{Map, Value, json};

/// Where choices come from: one of `n`, from 0.
pub(crate) struct Choices<'a>(pub(crate) &'a mut dyn FnMut(usize) -> usize);

impl Choices<'_> {
    fn of(&mut self, n: usize) -> usize {
        (self.0)(n)
    }

    /// Seldom: once in `n`.
    fn once_in(&mut self, n: usize) -> bool {
        self.of(n) == n - 1
    }

    fn from<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.of(items.len())]
    }
}

/// What holds for the whole pod and decides what else is valid.
struct Kind {
    os: Option<&'static str>,
    host_process: bool,
    host_network: bool,
    host_users: Option<bool>,
    /// Whether it was written with the restricted level in mind.
    hardened: bool,
}

/// A pod called `t`.
pub(crate) fn pod(choices: &mut Choices<'_>) -> Value {
    let mut kind = Kind {
        os: [None, None, None, Some("linux"), Some("windows")][choices.of(5)],
        host_process: choices.once_in(12),
        host_network: choices.once_in(6),
        host_users: [None, None, None, Some(true), Some(false)][choices.of(5)],
        hardened: choices.of(4) < 3,
    };
    kind.host_process &= kind.os != Some("linux");
    kind.host_network = (kind.host_network || kind.host_process) && kind.host_users != Some(false);
    kind.host_process &= kind.host_network;
    if kind.os == Some("windows") {
        kind.host_users = None;
    }
    let containers: Vec<Value> =
        names(&["a", "b", "c"], 1 + choices.of(3)).map(|name| container(choices, &kind, name, true)).collect();
    let init: Vec<Value> =
        names(&["i", "j"], choices.of(3)).map(|name| container(choices, &kind, name, false)).collect();
    let mut spec = json!({"containers": containers});
    if !init.is_empty() {
        spec["initContainers"] = Value::from(init);
    }
    namespaces(choices, &kind, &mut spec);
    let context = pod_context(choices, &kind, &spec);
    if !context.is_empty() || choices.once_in(3) {
        spec["securityContext"] = Value::Object(context);
    }
    let volumes: Vec<Value> =
        names(&["u", "v", "w"], choices.of(6) / 2).map(|name| volume(choices, &kind, name)).collect();
    if !volumes.is_empty() {
        spec["volumes"] = Value::from(volumes);
    }
    if let Some(os) = kind.os {
        spec["os"] = json!({"name": os});
    }
    let annotations = annotations(choices, &kind, &spec);
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "t", "annotations": annotations}, "spec": spec})
}

fn names<'a>(names: &'a [&'a str], count: usize) -> impl Iterator<Item = &'a str> {
    names.iter().take(count).copied()
}

fn namespaces(choices: &mut Choices<'_>, kind: &Kind, spec: &mut Value) {
    if kind.host_network {
        spec["hostNetwork"] = true.into();
    } else if choices.once_in(4) {
        spec["hostNetwork"] = false.into();
    }
    if let Some(users) = kind.host_users {
        spec["hostUsers"] = users.into();
    }
    if kind.os != Some("windows") && kind.host_users != Some(false) {
        for field in ["hostPID", "hostIPC"] {
            if choices.once_in(10) {
                spec[field] = true.into();
            }
        }
    }
}

fn container(choices: &mut Choices<'_>, kind: &Kind, name: &str, runs: bool) -> Value {
    let mut container = json!({"name": name, "image": "example.org/app"});
    let context = container_context(choices, kind);
    if !context.is_empty() || choices.once_in(3) {
        container["securityContext"] = Value::Object(context);
    }
    // Ports of the node are each taken once.
    let base = 8000 + 10 * u32::from(name.as_bytes()[0]);
    let ports: Vec<Value> = (0..choices.of(3) as u32).map(|at| port(choices, base + at)).collect();
    if !ports.is_empty() {
        container["ports"] = Value::from(ports);
    }
    if runs {
        for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
            if choices.once_in(6) {
                container[probe] = handler(choices);
            }
        }
        for hook in ["postStart", "preStop"] {
            if choices.once_in(8) {
                container["lifecycle"][hook] = handler(choices);
            }
        }
    }
    container
}

fn port(choices: &mut Choices<'_>, number: u32) -> Value {
    // In the node's network, both have to be the same.
    match choices.of(8) {
        7 => json!({"containerPort": number, "hostPort": number}),
        6 => json!({"containerPort": number, "hostPort": 0}),
        _ => json!({"containerPort": number}),
    }
}

fn handler(choices: &mut Choices<'_>) -> Value {
    let mut action = json!({"port": 80});
    match choices.of(6) {
        5 => action["host"] = choices.from(&["10.0.0.1", "localhost", "127.0.0.1"]).into(),
        4 => action["host"] = "".into(),
        _ => {}
    }
    let kind = choices.from(&["httpGet", "httpGet", "tcpSocket"]);
    json!({kind: action})
}

/// What a pod and a container both have.
fn shared_context(choices: &mut Choices<'_>, kind: &Kind, says: usize) -> Map<String, Value> {
    let mut context = Map::new();
    let mut set = |key: &str, value| drop(context.insert(key.to_owned(), value));
    match choices.of(says) {
        1 => set("runAsNonRoot", true.into()),
        2 if !kind.hardened => set("runAsNonRoot", false.into()),
        _ => {}
    }
    if kind.os == Some("windows") {
        return context;
    }
    match choices.of(2 * says) {
        1 => set("runAsUser", 1000.into()),
        2 => set("runAsUser", 0.into()),
        _ => {}
    }
    if let Some(profile) = profile(choices, says + 2) {
        set("seccompProfile", profile);
    }
    if let Some(profile) = profile(choices, 3 * says) {
        set("appArmorProfile", profile);
    }
    if choices.once_in(8) {
        let mut label = json!({"level": "s0:c1"});
        label["type"] = choices.from(&["container_t", "container_engine_t", "spc_t", ""]).into();
        for field in ["user", "role"] {
            if choices.once_in(4) {
                label[field] = "x_u".into();
            }
        }
        set("seLinuxOptions", label);
    }
    context
}

fn profile(choices: &mut Choices<'_>, n: usize) -> Option<Value> {
    match choices.of(n) {
        1 => Some(json!({"type": "RuntimeDefault"})),
        2 => Some(json!({"type": "Localhost", "localhostProfile": "app"})),
        3 => Some(json!({"type": "Unconfined"})),
        _ => None,
    }
}

fn pod_context(choices: &mut Choices<'_>, kind: &Kind, spec: &Value) -> Map<String, Value> {
    let mut context = shared_context(choices, kind, 5);
    let linux = kind.os != Some("windows");
    if kind.hardened {
        context.insert("runAsNonRoot".to_owned(), true.into());
        if linux {
            context.insert("seccompProfile".to_owned(), json!({"type": "RuntimeDefault"}));
        }
    }
    if kind.host_process {
        context.insert("windowsOptions".to_owned(), json!({"hostProcess": true}));
    }
    // In the node's network or with its memory, a pod may not change their settings.
    if linux && !kind.host_network && spec["hostIPC"].is_null() && choices.once_in(4) {
        let mut sysctls = Vec::new();
        for name in SYSCTLS {
            if choices.once_in(7) {
                sysctls.push(json!({"name": name, "value": "1"}));
            }
        }
        context.insert("sysctls".to_owned(), Value::from(sysctls));
    }
    context
}

const SYSCTLS: [&str; 17] = [
    "net.ipv4.tcp_notsent_lowat",
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.core.somaxconn",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_unprivileged_port_start",
    "kernel.msgmax",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem",
    "net.ipv4.tcp_slow_start_after_idle",
    "fs.mqueue.queues_max",
];

fn container_context(choices: &mut Choices<'_>, kind: &Kind) -> Map<String, Value> {
    let mut context = shared_context(choices, kind, 8);
    let mut set = |key: &str, value| drop(context.insert(key.to_owned(), value));
    if kind.host_process && choices.once_in(3) {
        set("windowsOptions", json!({"hostProcess": true}));
    }
    if kind.os == Some("windows") {
        return context;
    }
    let privileged = choices.once_in(12);
    if privileged {
        set("privileged", true.into());
    }
    let escalation = if kind.hardened {
        [Some(false), Some(false), None][choices.of(3)]
    } else {
        [None, Some(true), Some(false)][choices.of(3)]
    };
    // A privileged one may not refuse rights.
    if let Some(escalation) = escalation.filter(|_| !privileged) {
        set("allowPrivilegeEscalation", escalation.into());
    }
    if kind.hardened || choices.once_in(4) {
        let mut capabilities = json!({});
        if choices.of(6) < if kind.hardened { 5 } else { 2 } {
            capabilities["drop"] = choices.from(&[&["ALL"][..], &["ALL", "KILL"], &["NET_RAW", "MKNOD"]]).into();
        }
        if choices.once_in(5) {
            let lists = [
                &["NET_BIND_SERVICE"][..],
                &["CHOWN", "NET_BIND_SERVICE"],
                &["NET_ADMIN", "BPF", "KILL"],
                &["NET_RAW"],
            ];
            capabilities["add"] = choices.from(&lists).into();
        }
        set("capabilities", capabilities);
    }
    match choices.of(12) {
        10 => set("procMount", "Default".into()),
        11 if kind.host_users == Some(false) => set("procMount", "Unmasked".into()),
        _ => {}
    }
    context
}

fn volume(choices: &mut Choices<'_>, kind: &Kind, name: &str) -> Value {
    let usual = if kind.hardened && choices.of(4) < 3 { USUAL } else { VOLUMES.len() };
    let (source, value) = choices.from(&VOLUMES[..usual]);
    let mut volume = json!({"name": name});
    if !source.is_empty() {
        volume[source] = serde_json::from_str(value).expect("a value in JSON");
    }
    volume
}

/// How many of [`VOLUMES`] are allowed at every level.
const USUAL: usize = 9;

const VOLUMES: [(&str, &str); 31] = [
    ("emptyDir", "{}"),
    ("configMap", r#"{"name": "x"}"#),
    ("csi", r#"{"driver": "csi.example.org"}"#),
    ("downwardAPI", "{}"),
    (
        "ephemeral",
        r#"{"volumeClaimTemplate": {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}}"#,
    ),
    ("image", r#"{"reference": "example.org/data:1"}"#),
    ("persistentVolumeClaim", r#"{"claimName": "x"}"#),
    ("projected", r#"{"sources": [{"configMap": {"name": "x"}}]}"#),
    ("secret", r#"{"secretName": "x"}"#),
    ("", ""),
    ("hostPath", r#"{"path": "/var/log"}"#),
    ("gcePersistentDisk", r#"{"pdName": "x"}"#),
    ("awsElasticBlockStore", r#"{"volumeID": "x"}"#),
    ("gitRepo", r#"{"repository": "x"}"#),
    ("nfs", r#"{"server": "x", "path": "/x"}"#),
    ("iscsi", r#"{"targetPortal": "1.2.3.4:1", "iqn": "iqn.2001-04.org.example:x", "lun": 1}"#),
    ("glusterfs", r#"{"endpoints": "x", "path": "x"}"#),
    ("rbd", r#"{"monitors": ["x"], "image": "x"}"#),
    ("flexVolume", r#"{"driver": "example.org/x"}"#),
    ("cinder", r#"{"volumeID": "x"}"#),
    ("cephfs", r#"{"monitors": ["x"]}"#),
    ("flocker", r#"{"datasetName": "x"}"#),
    ("fc", r#"{"targetWWNs": ["x"], "lun": 1}"#),
    ("azureFile", r#"{"secretName": "x", "shareName": "x"}"#),
    ("vsphereVolume", r#"{"volumePath": "x"}"#),
    ("quobyte", r#"{"registry": "x:1", "volume": "x"}"#),
    ("azureDisk", r#"{"diskName": "x", "diskURI": "https://x.blob.core.windows.net/x.vhd"}"#),
    ("photonPersistentDisk", r#"{"pdID": "x"}"#),
    ("portworxVolume", r#"{"volumeID": "x"}"#),
    ("scaleIO", r#"{"gateway": "x", "system": "x", "secretRef": {"name": "x"}, "volumeName": "x"}"#),
    ("storageos", r#"{"volumeName": "x"}"#),
];

fn annotations(choices: &mut Choices<'_>, kind: &Kind, spec: &Value) -> Value {
    let mut annotations = json!({"example.org/team": "shop"});
    if kind.os == Some("windows") || !choices.once_in(5) {
        return annotations;
    }
    for container in spec["containers"].as_array().expect("a list, made above") {
        let name = container["name"].as_str().expect("a name, made above");
        // A field and an annotation have to say the same.
        if container["securityContext"]["appArmorProfile"].is_null() && choices.once_in(3) {
            let key = format!("container.apparmor.security.beta.kubernetes.io/{name}");
            annotations[key] = choices.from(&["unconfined", "runtime/default", "localhost/app"]).into();
        }
        if choices.once_in(3) {
            let key = format!("container.seccomp.security.alpha.kubernetes.io/{name}");
            annotations[key] = seccomp_annotation(choices, &container["securityContext"]).into();
        }
    }
    if choices.once_in(3) {
        let value = seccomp_annotation(choices, &spec["securityContext"]);
        annotations["seccomp.security.alpha.kubernetes.io/pod"] = value.into();
    }
    annotations
}

/// One that says what the field says.
fn seccomp_annotation(choices: &mut Choices<'_>, context: &Value) -> &'static str {
    match context["seccompProfile"]["type"].as_str() {
        None => choices.from(&["unconfined", "runtime/default", "docker/default", "localhost/app"]),
        Some("RuntimeDefault") => choices.from(&["runtime/default", "docker/default"]),
        Some("Localhost") => "localhost/app",
        Some(_) => "unconfined",
    }
}
