//! Machine configuration and patches of it: strategic merges, operations of JSON 6902, and the documents into which newer
//! versions split the same settings.

use holdfast_model::Position;
use holdfast_model::repository::{Admission, AdmissionSays, Product, Setting, Switch, Talos};

use super::{Source, version};
use crate::{Node, Origin};

/// What a machine configuration may have at its root.
const ROOT: [&str; 6] = ["version", "debug", "persist", "machine", "cluster", "$patch"];

/// Of these at least one is below `machine`, so that it is not about something else of that name.
const MACHINE: [&str; 28] = [
    "type",
    "token",
    "ca",
    "acceptedCAs",
    "certSANs",
    "controlPlane",
    "kubelet",
    "pods",
    "network",
    "disks",
    "install",
    "files",
    "env",
    "time",
    "sysctls",
    "sysfs",
    "registries",
    "systemDiskEncryption",
    "features",
    "udev",
    "logging",
    "kernel",
    "seccompProfiles",
    "baseRuntimeSpecOverrides",
    "nodeLabels",
    "nodeAnnotations",
    "nodeTaints",
    "$patch",
];

/// Of these at least one is below `cluster`.
const CLUSTER: [&str; 23] = [
    "id",
    "secret",
    "controlPlane",
    "clusterName",
    "network",
    "token",
    "aescbcEncryptionSecret",
    "secretboxEncryptionSecret",
    "aggregatorCA",
    "serviceAccount",
    "apiServer",
    "controllerManager",
    "proxy",
    "scheduler",
    "discovery",
    "etcd",
    "coreDNS",
    "externalCloudProvider",
    "extraManifests",
    "inlineManifests",
    "adminKubeconfig",
    "allowSchedulingOnControlPlanes",
    "allowSchedulingOnMasters",
];

/// Where operations of JSON 6902 find what Talos configures of admission: the PodSecurity plugin alone.
const ADMISSION: &str = "/cluster/apiServer/admissionControl";

/// Adds what a document sets, when it is configuration of machines or a patch of it.
pub(super) fn read(document: &Node, source: &Source<'_>, talos: &mut Talos) {
    if is_configuration(document) {
        read_v1alpha1(document, source, talos);
    } else if is_typed(document) {
        read_typed(document, source, talos);
    } else {
        read_operations(document, source, talos);
    }
}

/// Whether a document is a machine configuration, or a strategic patch of one.
pub(in crate::facts) fn is_configuration(document: &Node) -> bool {
    let has = |part: &str, known: &[&str]| {
        document.get(part).is_some_and(|part| part.entries().any(|entry| known.contains(&entry.key.as_str())))
    };
    document.entries().all(|entry| ROOT.contains(&entry.key.as_str()))
        && (has("machine", &MACHINE) || has("cluster", &CLUSTER))
}

fn is_typed(document: &Node) -> bool {
    let text = |key: &str| document.get(key).and_then(Node::as_str);
    text("apiVersion") == Some("v1alpha1") && text("kind").is_some()
}

/// Notes that there is configuration.
pub(super) fn note_configured(source: &Source<'_>, at: &Position, talos: &mut Talos) {
    talos.settings.push(Setting { file: source.file(), at: at.clone(), what: Switch::Configured });
}

fn note(what: Switch, origin: Origin, source: &Source<'_>, talos: &mut Talos) {
    if let Some(at) = (source.place)(origin) {
        talos.settings.push(Setting { file: source.file(), at, what });
    }
}

fn read_v1alpha1(document: &Node, source: &Source<'_>, talos: &mut Talos) {
    note(Switch::Configured, document.origin, source, talos);
    if let Some(machine) = document.get("machine") {
        for volume in ["state", "ephemeral"] {
            let encryption = machine.at(&["systemDiskEncryption", volume]).filter(|volume| has_keys(volume));
            if let Some(encryption) = encryption {
                note(Switch::Encrypted, encryption.origin, source, talos);
            }
        }
        version::read_image(Product::Talos, machine.at(&["install", "image"]), source, talos);
        version::read_image(Product::Kubernetes, machine.at(&["kubelet", "image"]), source, talos);
        let seccomp = machine.at(&["kubelet", "defaultRuntimeSeccompProfileEnabled"]);
        if let Some(off) = seccomp.filter(|seccomp| seccomp.as_bool() == Some(false)) {
            note(Switch::SeccompOff, off.origin, source, talos);
        }
    }
    let server = document.at(&["cluster", "apiServer"]);
    let part = |key: &str| server.and_then(Node::as_mapping).and_then(|server| server.entry(key));
    version::read_image(Product::Kubernetes, server.and_then(|server| server.get("image")), source, talos);
    if let Some(entry) = part("admissionControl") {
        read_admission(&entry.value, entry.at, source, talos);
    }
    if let Some(entry) = part("auditPolicy")
        && (is_deleted(&entry.value) || logs_nothing(&entry.value))
    {
        note(Switch::AuditOff, entry.at, source, talos);
    }
}

fn has_keys(encryption: &Node) -> bool {
    encryption.get("keys").is_some_and(|keys| !keys.items().is_empty())
}

/// `$patch: delete`; talhelper wants the dollar twice, since it substitutes variables.
fn is_deleted(part: &Node) -> bool {
    let patch = part.get("$patch").or_else(|| part.get("$$patch"));
    patch.and_then(Node::as_str) == Some("delete")
}

fn read_admission(admission: &Node, at: Origin, source: &Source<'_>, talos: &mut Talos) {
    if is_deleted(admission) {
        note_removed(at, source, talos);
    }
    for plugin in admission.items() {
        if plugin.get("name").and_then(Node::as_str) == Some("PodSecurity") {
            read_pod_security(plugin, source, talos);
        }
    }
}

fn read_pod_security(plugin: &Node, source: &Source<'_>, talos: &mut Talos) {
    if is_deleted(plugin) {
        note_removed(plugin.origin, source, talos);
    }
    let configured = |path: &[&str]| plugin.get("configuration")?.at(path);
    if let Some(enforce) = configured(&["defaults", "enforce"]) {
        read_enforced(enforce, source, talos);
    }
    if let Some(exempt) = configured(&["exemptions", "namespaces"]) {
        read_exempt(exempt.items(), source, talos);
    }
}

fn read_enforced(enforce: &Node, source: &Source<'_>, talos: &mut Talos) {
    let level = enforce.as_str().unwrap_or_default();
    if level == "privileged" {
        note(Switch::AdmissionPrivileged, enforce.origin, source, talos);
    }
    say(AdmissionSays::enforces(level), source, talos);
}

fn read_exempt(namespaces: &[Node], source: &Source<'_>, talos: &mut Talos) {
    for namespace in namespaces.iter().filter_map(Node::as_str) {
        say(AdmissionSays::Exempts(namespace.into()), source, talos);
    }
}

fn note_removed(at: Origin, source: &Source<'_>, talos: &mut Talos) {
    note(Switch::AdmissionRemoved, at, source, talos);
    say(AdmissionSays::Removed, source, talos);
}

fn say(says: AdmissionSays, source: &Source<'_>, talos: &mut Talos) {
    talos.admission.push(Admission { file: source.file(), says });
}

/// An audit policy of which every rule says `None`.
fn logs_nothing(policy: &Node) -> bool {
    let rules = policy.get("rules").map_or(&[][..], Node::items);
    let nothing = |rule: &Node| rule.get("level").and_then(Node::as_str) == Some("None");
    !rules.is_empty() && rules.iter().all(nothing)
}

fn read_typed(document: &Node, source: &Source<'_>, talos: &mut Talos) {
    note(Switch::Configured, document.origin, source, talos);
    let name = document.get("name").and_then(Node::as_str);
    match document.get("kind").and_then(Node::as_str) {
        Some("VolumeConfig") if matches!(name, Some("STATE" | "EPHEMERAL")) => {
            if let Some(encryption) = document.get("encryption").filter(|encryption| has_keys(encryption)) {
                note(Switch::Encrypted, encryption.origin, source, talos);
            }
        }
        Some("KubeAdmissionControlConfig") if name == Some("PodSecurity") => {
            read_pod_security(document, source, talos);
        }
        Some("KubeAuditPolicyConfig") => {
            if is_deleted(document) || document.get("configuration").is_some_and(logs_nothing) {
                note(Switch::AuditOff, document.origin, source, talos);
            }
        }
        Some("UnattendedInstallConfig") => {
            version::read_image(Product::Talos, document.at(&["installer", "image"]), source, talos);
        }
        Some("KubeletConfig" | "KubeAPIServerConfig") => {
            version::read_image(Product::Kubernetes, document.get("image"), source, talos);
        }
        Some(_) | None => {}
    }
}

/// Operations of JSON 6902, as far as they are about admission or take the audit policy away.
fn read_operations(document: &Node, source: &Source<'_>, talos: &mut Talos) {
    let of_talos = |operation: &Node| {
        let path = operation.get("path").and_then(Node::as_str).unwrap_or_default();
        operation.get("op").is_some() && (path.starts_with("/machine/") || path.starts_with("/cluster/"))
    };
    for operation in document.items().iter().filter(|operation| of_talos(operation)) {
        note(Switch::Configured, operation.origin, source, talos);
        let text = |key: &str| operation.get(key).and_then(Node::as_str);
        let (Some(does), Some(path)) = (text("op"), text("path")) else { continue };
        let at = operation.origin;
        match (does, path.strip_prefix(ADMISSION), operation.get("value")) {
            ("remove", Some("" | "/0"), _) => note_removed(at, source, talos),
            ("add" | "replace", Some(""), Some(plugins)) => read_admission(plugins, at, source, talos),
            ("add" | "replace", Some("/0/configuration/defaults/enforce"), Some(level)) => {
                read_enforced(level, source, talos);
            }
            ("add" | "replace", Some("/0/configuration/exemptions/namespaces"), Some(list)) => {
                read_exempt(list.items(), source, talos);
            }
            ("add", Some("/0/configuration/exemptions/namespaces/-"), Some(name)) => {
                read_exempt(std::slice::from_ref(name), source, talos);
            }
            ("remove", None, _) if path == "/cluster/apiServer/auditPolicy" => {
                note(Switch::AuditOff, at, source, talos);
            }
            (_, _, _) => {}
        }
    }
}
