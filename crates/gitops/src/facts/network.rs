//! Network policies, Ingresses, Gateways and their routes, and the lowest TLS version that is accepted.

mod routes;
mod tls;

use foldhash::HashSet;
use holdfast_model::facts::FluxKind;
use holdfast_model::repository::{Identity, Network};
use holdfast_model::{ObjectKey, Subject};

use crate::{Node, Object};

/// Adds what an object says.
pub(super) fn read(object: &Object, network: &mut Network) {
    read_population(object, network);
    read_policies(object, network);
    routes::read(object, network);
    tls::read(object, network);
}

/// Takes back what values of a HelmRelease say where the objects that they make are known, after all of them were read.
pub(super) fn settle(network: &mut Network) {
    let made = |identities: &mut dyn Iterator<Item = &Identity>| -> HashSet<ObjectKey> {
        let owners = identities.filter_map(|identity| identity.owner.as_ref());
        owners.filter(|owner| owner.kind == FluxKind::HelmRelease).map(|owner| owner.key.clone()).collect()
    };
    let is_told = |identity: &Identity, made: &HashSet<ObjectKey>| {
        let Subject { kind, namespace, name } = &identity.subject;
        *kind == "HelmRelease" && made.contains(&ObjectKey::new(namespace.as_str(), name.as_str()))
    };
    let of_routes = made(&mut network.routes.iter().map(|route| &route.identity));
    network.routes.retain(|route| !is_told(&route.identity, &of_routes));
    let of_ingresses = made(&mut network.ingresses.iter().map(|ingress| &ingress.identity));
    network.ingresses.retain(|ingress| !is_told(&ingress.identity, &of_ingresses));
}

/// Where the pods of a HelmRelease run is its `targetNamespace`.
fn home(object: &Object) -> &str {
    let target = object.root.at(&["spec", "targetNamespace"]).and_then(Node::as_str);
    target.filter(|_| object.kind == "HelmRelease").unwrap_or(&object.namespace)
}

fn read_population(object: &Object, network: &mut Network) {
    let runs = match object.group() {
        "apps" => matches!(object.kind.as_str(), "Deployment" | "StatefulSet" | "DaemonSet"),
        "batch" => matches!(object.kind.as_str(), "CronJob" | "Job"),
        "helm.toolkit.fluxcd.io" => object.kind == "HelmRelease",
        _ => false,
    };
    let namespace = home(object);
    if runs && !namespace.is_empty() {
        network.populated.insert(namespace.into());
    }
}

fn read_policies(object: &Object, network: &mut Network) {
    let namespaced = match (object.group(), object.kind.as_str()) {
        ("networking.k8s.io", "NetworkPolicy")
        | ("cilium.io", "CiliumNetworkPolicy")
        | ("crd.projectcalico.org" | "projectcalico.org", "NetworkPolicy") => true,
        ("helm.toolkit.fluxcd.io", "HelmRelease") => object.root.at(&["spec", "values"]).is_some_and(makes_policies),
        ("cilium.io", "CiliumClusterwideNetworkPolicy")
        | ("crd.projectcalico.org" | "projectcalico.org", "GlobalNetworkPolicy")
        | ("policy.networking.k8s.io", "AdminNetworkPolicy" | "BaselineAdminNetworkPolicy" | "ClusterNetworkPolicy") => {
            network.guarded_everywhere = true;
            false
        }
        (_, _) => false,
    };
    if namespaced {
        network.guarded.insert(home(object).into());
    }
}

/// Whether values tell a chart to make network policies: `networkPolicy.enabled: true`, or app-template's
/// `networkpolicies`. Bounded by the depth of the document.
fn makes_policies(values: &Node) -> bool {
    values.entries().any(|entry| {
        let is = |name: &str| entry.key.eq_ignore_ascii_case(name);
        let is_switch = is("networkpolicy") || is("networkpolicies") || is("network_policy");
        let is_on = || match entry.value.get("enabled").and_then(Node::as_bool).or_else(|| entry.value.as_bool()) {
            Some(is_on) => is_on,
            None => is("networkpolicies") && entry.value.entries().next().is_some(),
        };
        is_switch && is_on() || makes_policies(&entry.value)
    })
}

#[cfg(test)]
mod tests;
