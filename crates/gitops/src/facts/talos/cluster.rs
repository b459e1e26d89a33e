//! Files that describe a whole cluster: talhelper's `talconfig.yaml`, and `topf.yaml`.

use holdfast_model::repository::{Talos, TalosCluster, TalosNode};

use super::{Source, machine};
use crate::Node;
use crate::yaml::{Limits, parse_embedded};

/// Adds a cluster, and what patches inside its file say.
pub(super) fn read(document: &Node, source: &Source<'_>, talos: &mut Talos) {
    let Some(nodes) = document.as_mapping().and_then(|mapping| mapping.entry("nodes")) else { return };
    let known = ["clusterName", "clusterEndpoint", "endpoint", "talosVersion", "kubernetesVersion"];
    let is_object = document.get("apiVersion").is_some();
    if is_object || !known.iter().any(|key| document.get(key).is_some()) {
        return;
    }
    let found: Vec<TalosNode> = nodes.value.items().iter().filter_map(|node| read_node(node, document)).collect();
    let Some(at) = (source.place)(nodes.at).filter(|_| !found.is_empty()) else { return };
    machine::note_configured(source, &at, talos);
    talos.clusters.push(TalosCluster { file: source.file(), at, nodes: found });
    for part in [Some(document), document.get("controlPlane"), document.get("worker")].into_iter().flatten() {
        read_patches(part, source, talos);
    }
    for node in nodes.value.items() {
        read_patches(node, source, talos);
    }
}

/// A node of talhelper says `controlPlane: true`, one of topf `role: control-plane`.
fn read_node(node: &Node, document: &Node) -> Option<TalosNode> {
    let text = |key: &str| node.get(key).and_then(Node::as_str);
    let name = text("hostname").or_else(|| text("host")).or_else(|| text("ipAddress"))?;
    let role = text("role");
    if role.is_none() && node.get("ipAddress").is_none() && node.get("controlPlane").is_none() {
        return None;
    }
    let control_plane = match role {
        Some(role) => role.starts_with("control"),
        None => node.get("controlPlane").and_then(Node::as_bool).unwrap_or(false),
    };
    let group = document.get(if control_plane { "controlPlane" } else { "worker" });
    let secure_boot = says_secure_boot(node).or_else(|| group.and_then(says_secure_boot));
    // Where talhelper makes the address of the image itself, nothing said means that it is off.
    let off = role.is_none().then_some(false);
    Some(TalosNode { name: name.into(), control_plane, secure_boot: secure_boot.or(off) })
}

fn says_secure_boot(part: &Node) -> Option<bool> {
    let image = part.get("talosImageURL").and_then(Node::as_str);
    let said = part.at(&["machineSpec", "secureboot"]).and_then(Node::as_bool);
    said.or_else(|| image.map(|image| image.contains("secureboot")))
}

/// Patches stand in the file as text, as a mapping, or as operations; those in files of their own are read there.
fn read_patches(part: &Node, source: &Source<'_>, talos: &mut Talos) {
    for patch in part.get("patches").into_iter().flat_map(Node::items) {
        match patch.as_str() {
            Some(text) if text.trim_start().starts_with('@') => {}
            Some(_) => {
                let parsed = parse_embedded(patch, &Limits::default());
                parsed.documents.iter().for_each(|document| machine::read(document, source, talos));
            }
            None => machine::read(patch, source, talos),
        }
    }
    for key in ["inlinePatch", "configPatches"] {
        if let Some(patch) = part.get(key) {
            machine::read(patch, source, talos);
        }
    }
}
