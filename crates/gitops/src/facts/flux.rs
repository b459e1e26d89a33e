//! Kustomizations, HelmReleases, sources and notifications of Flux.

mod release;
mod source;

use holdfast_model::ObjectKey;
use holdfast_model::repository::{Flux, Kustomization};

use super::identity::identity;
use crate::{Node, Object};

/// How deep and how much of an object is searched for a word.
const DEPTH: usize = 24;

pub(super) fn read(object: &Object, flux: &mut Flux) {
    if let Some(kind) = suspendable(object)
        && field(object, "suspend").and_then(Node::as_bool) == Some(true)
    {
        flux.suspended.push(identity(object, kind));
    }
    match (object.group(), object.kind.as_str()) {
        ("kustomize.toolkit.fluxcd.io", "Kustomization") => flux.kustomizations.push(kustomization(object)),
        ("helm.toolkit.fluxcd.io", "HelmRelease") => {
            let release = release::read(object);
            flux.retries_by_default |= field(object, "values").is_some_and(|values| retries_by_default(values, DEPTH));
            flux.releases.push(release);
        }
        ("source.toolkit.fluxcd.io", _) => flux.sources.extend(source::read(object)),
        ("notification.toolkit.fluxcd.io", "Alert") => flux.alerts += 1,
        ("notification.toolkit.fluxcd.io", "Receiver") => flux.receivers += 1,
        ("fluxcd.controlplane.io", "FluxInstance") => {
            flux.retries_by_default |= retries_by_default(&object.root, DEPTH);
            flux.instances.push(identity(object, "FluxInstance"));
        }
        ("fluxcd.controlplane.io", "ResourceSet") => flux.generates |= field(object, "inputsFrom").is_some(),
        ("apps", "Deployment") if object.name == "helm-controller" => {
            flux.retries_by_default |= retries_by_default(&object.root, DEPTH);
        }
        (_, _) => {}
    }
}

fn field<'a>(object: &'a Object, key: &str) -> Option<&'a Node> {
    object.root.at(&["spec", key]).filter(|node| !node.is_null())
}

fn text<'a>(node: Option<&'a Node>, key: &str) -> Option<&'a str> {
    node?.get(key)?.as_str().filter(|text| !text.is_empty())
}

/// The kind of what can be suspended.
fn suspendable(object: &Object) -> Option<&'static str> {
    const KINDS: [(&str, &str); 11] = [
        ("kustomize.toolkit.fluxcd.io", "Kustomization"),
        ("helm.toolkit.fluxcd.io", "HelmRelease"),
        ("source.toolkit.fluxcd.io", "GitRepository"),
        ("source.toolkit.fluxcd.io", "OCIRepository"),
        ("source.toolkit.fluxcd.io", "HelmRepository"),
        ("source.toolkit.fluxcd.io", "HelmChart"),
        ("source.toolkit.fluxcd.io", "Bucket"),
        ("notification.toolkit.fluxcd.io", "Alert"),
        ("notification.toolkit.fluxcd.io", "Receiver"),
        ("image.toolkit.fluxcd.io", "ImageRepository"),
        ("image.toolkit.fluxcd.io", "ImageUpdateAutomation"),
    ];
    let (_, kind) = KINDS.iter().find(|(group, kind)| object.is(group, kind))?;
    Some(kind)
}

fn kustomization(object: &Object) -> Kustomization {
    let is = |key| field(object, key).and_then(Node::as_bool).unwrap_or(false);
    Kustomization {
        identity: identity(object, "Kustomization"),
        interval: field(object, "interval").and_then(seconds),
        retry_interval: field(object, "retryInterval").is_some(),
        timeout: field(object, "timeout").is_some(),
        waits: is("wait") || field(object, "healthChecks").is_some_and(|checks| !checks.items().is_empty()),
        prune: is("prune"),
        depends_on: depends_on(object),
        source: field(object, "sourceRef").map(|reference| source::reference(reference, object)),
    }
}

/// What an object depends on; a namespace that isn't given is its own.
fn depends_on(object: &Object) -> Vec<ObjectKey> {
    let items = field(object, "dependsOn").map_or(&[][..], Node::items);
    let key = |item: &Node| {
        let namespace = text(Some(item), "namespace").unwrap_or(&object.namespace);
        ObjectKey::new(namespace, text(Some(item), "name").unwrap_or_default())
    };
    items.iter().map(key).collect()
}

/// Whether some text in there switches the feature gate on.
fn retries_by_default(node: &Node, depth: usize) -> bool {
    const GATE: &str = "DefaultToRetryOnFailure=true";
    if let Some(text) = node.as_str() {
        // Most texts are too short for it.
        return GATE.len() <= text.len() && text.contains(GATE);
    }
    let Some(deeper) = depth.checked_sub(1) else { return false };
    node.items().iter().chain(node.entries().map(|entry| &entry.value)).any(|node| retries_by_default(node, deeper))
}

/// A duration as Go writes it, such as `1h30m`, in whole seconds.
fn seconds(node: &Node) -> Option<u64> {
    let mut rest = node.as_str()?;
    let mut sum = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(digits);
        let unit = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit);
        let length = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        sum += number.parse::<f64>().ok()? * length;
        rest = after;
    }
    // A duration in seconds fits: what doesn't is cut to the greatest by the cast.
    (0.0 < sum).then_some(sum as u64)
}

#[cfg(test)]
mod tests;
