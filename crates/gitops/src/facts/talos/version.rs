//! Versions that files pin: `talenv.yaml`, and whatever else has keys of that meaning at its root.

use holdfast_model::repository::{Pinned, Product, Talos, Version};

use super::Source;
use crate::Node;

const TALOS: [&str; 4] = ["talosVersion", "talos_version", "TALOS_VERSION", "talos-version"];
const KUBERNETES: [&str; 6] =
    ["kubernetesVersion", "kubernetes_version", "KUBERNETES_VERSION", "k8s_version", "k8sVersion", "K8S_VERSION"];

/// Adds the versions at the root of a document, of a file that is about Talos by its path or describes a cluster. A
/// Kubernetes version alone could be about anything, so it counts only beside one of Talos; variables are no versions.
pub(super) fn read(document: &Node, source: &Source<'_>, talos: &mut Talos) {
    let is_object = document.get("apiVersion").is_some() && document.get("kind").is_some();
    if is_object || !document.entries().any(|entry| TALOS.contains(&entry.key.as_str())) {
        return;
    }
    let path = source.path.to_ascii_lowercase();
    let is_ours = path.contains("talos") || path.contains("talenv") || document.get("nodes").is_some();
    if !is_ours {
        return;
    }
    for entry in document.entries() {
        let product = match entry.key.as_str() {
            key if TALOS.contains(&key) => Product::Talos,
            key if KUBERNETES.contains(&key) => Product::Kubernetes,
            _ => continue,
        };
        add(product, entry.value.as_str().and_then(Version::parse), &entry.value, source, talos);
    }
}

/// Adds the version of an image.
pub(super) fn read_image(product: Product, image: Option<&Node>, source: &Source<'_>, talos: &mut Talos) {
    if let Some(image) = image {
        add(product, image.as_str().and_then(Version::of_image), image, source, talos);
    }
}

fn add(product: Product, version: Option<Version>, node: &Node, source: &Source<'_>, talos: &mut Talos) {
    if let (Some(version), Some(at)) = (version, (source.place)(node.origin)) {
        talos.pinned.push(Pinned { file: source.file(), at, product, version });
    }
}
