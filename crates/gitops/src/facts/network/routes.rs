//! What is reached from outside: Ingresses, Gateways and HTTPRoutes, and the values from which app-template and charts of
//! the common form make them.

use holdfast_model::ObjectKey;
use holdfast_model::repository::{Gateway, Identity, Ingress, Listener, Network, Protocol, Route, Serves};

use crate::facts::identity::identity;
use crate::{Node, Object};

pub(super) fn read(object: &Object, network: &mut Network) {
    match (object.group(), object.kind.as_str()) {
        ("networking.k8s.io", "Ingress") => network.ingresses.extend(ingress(object)),
        ("gateway.networking.k8s.io", "Gateway") => network.gateways.push(gateway(object)),
        ("gateway.networking.k8s.io", "HTTPRoute") => {
            let route = object.root.get("spec").map(|spec| route(spec, object, identity(object, "HTTPRoute")));
            network.routes.extend(route);
        }
        ("helm.toolkit.fluxcd.io", "HelmRelease") => read_values(object, network),
        ("traefik.io" | "traefik.containo.us", "TLSStore") if object.name == "default" => {
            network.default_certificate = true;
        }
        (_, _) => {}
    }
}

fn ingress(object: &Object) -> Option<Ingress> {
    let spec = object.root.get("spec")?;
    let tls = spec.get("tls").is_some_and(|tls| !tls.items().is_empty());
    let always = is_always_encrypted(spec.get("ingressClassName"), object.root.at(&["metadata", "annotations"]));
    Some(Ingress { identity: identity(object, "Ingress"), field: "spec.rules".into(), tls: tls || always })
}

/// Tailscale's Ingresses always speak TLS, and Traefik's can be told so by an annotation.
fn is_always_encrypted(class: Option<&Node>, annotations: Option<&Node>) -> bool {
    let class = class.and_then(Node::as_str).unwrap_or_default();
    let says = |key: &str, part: &str| {
        annotations.and_then(|all| all.get(key)).and_then(Node::as_str).is_some_and(|value| value.contains(part))
    };
    class.contains("tailscale")
        || class.contains("cloudflare-tunnel")
        || says("traefik.ingress.kubernetes.io/router.tls", "true")
        || says("traefik.ingress.kubernetes.io/router.entrypoints", "websecure")
}

fn gateway(object: &Object) -> Gateway {
    let listeners = object.root.at(&["spec", "listeners"]).map_or(&[][..], Node::items);
    Gateway { identity: identity(object, "Gateway"), listeners: listeners.iter().map(listener).collect() }
}

fn listener(node: &Node) -> Listener {
    let text = |path: &[&str]| node.at(path).and_then(Node::as_str);
    Listener {
        name: text(&["name"]).unwrap_or_default().into(),
        protocol: match text(&["protocol"]) {
            Some("HTTP") => Protocol::Plain,
            Some("HTTPS" | "TLS") => Protocol::Tls,
            Some(_) | None => Protocol::Other,
        },
        serves: match text(&["allowedRoutes", "namespaces", "from"]) {
            Some("All") => Serves::All,
            Some("Same") | None => Serves::Same,
            Some(_) => Serves::Selected,
        },
    }
}

/// A route, of an HTTPRoute's spec or of values of the same form.
fn route(spec: &Node, object: &Object, identity: Identity) -> Route {
    let parents = spec.get("parentRefs").map_or(&[][..], Node::items).iter().filter_map(|parent| {
        let text = |key: &str| parent.get(key).and_then(Node::as_str);
        let of_gateway = text("kind").is_none_or(|kind| kind == "Gateway");
        let namespace = text("namespace").unwrap_or(super::home(object));
        of_gateway.then_some(())?;
        Some((ObjectKey::new(namespace, text("name")?), text("sectionName").map(Into::into)))
    });
    let rules = spec.get("rules").map_or(&[][..], Node::items);
    Route { parents: parents.collect(), redirects: !rules.is_empty() && rules.iter().all(redirects), identity }
}

fn redirects(rule: &Node) -> bool {
    let scheme = |filter: &Node| filter.at(&["requestRedirect", "scheme"]).and_then(Node::as_str) == Some("https");
    rule.get("filters").map_or(&[][..], Node::items).iter().any(scheme)
}

fn read_values(object: &Object, network: &mut Network) {
    let Some(values) = object.root.at(&["spec", "values"]) else { return };
    let who = || identity(object, "HelmRelease");
    // ingress-nginx is given a certificate for whatever brings none.
    let arguments = values.at(&["controller", "extraArgs"]);
    network.default_certificate |= arguments.is_some_and(|all| all.get("default-ssl-certificate").is_some());
    for entry in values.get("route").into_iter().flat_map(Node::entries) {
        if entry.value.get("enabled").and_then(Node::as_bool) != Some(false) && entry.value.get("parentRefs").is_some()
        {
            network.routes.push(route(&entry.value, object, who()));
        }
    }
    let Some(ingress) = values.get("ingress") else { return };
    match ingress.get("enabled").and_then(Node::as_bool) {
        // One Ingress, in the form that most charts share.
        Some(true) => network.ingresses.push(value_ingress(ingress, "spec.values.ingress".to_owned(), who())),
        Some(false) => {}
        // Several by name, as app-template has them.
        None => {
            let on = |part: &Node| part.get("enabled").and_then(Node::as_bool) != Some(false);
            let named = ingress.entries().filter(|entry| entry.value.get("hosts").is_some() && on(&entry.value));
            let made =
                named.map(|entry| value_ingress(&entry.value, format!("spec.values.ingress.{}", entry.key), who()));
            network.ingresses.extend(made);
        }
    }
}

fn value_ingress(values: &Node, field: String, identity: Identity) -> Ingress {
    let listed = values.get("tls").is_some_and(|tls| !tls.items().is_empty() || tls.as_bool() == Some(true));
    let class = values.get("className").or_else(|| values.get("ingressClassName"));
    let always = is_always_encrypted(class, values.get("annotations"));
    Ingress { identity, field: field.into(), tls: listed || always }
}
