//! `route-without-tls`: an Ingress without a certificate, or a listener that serves routes unencrypted.
//!
//! Of Gateways the listener is told, once, and not each of its routes; a route that only redirects to HTTPS is fine. An Ingress is
//! low, since its controller may have a certificate for whatever brings none; where such a one is seen, it holds. A listener for the
//! namespaces of a selector is not judged.

use holdfast_model::repository::{Gateway, Listener, Protocol, Route, Serves};
use holdfast_model::{ObjectKey, Repository};

use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::RouteWithoutTls,
    domain: Domain::Network,
    severity: Severity::Medium,
    summary: "something is reached from outside without TLS",
    prose: include_str!("route_without_tls.md"),
    check: Check::Files(check),
};

fn check(repository: &Repository, answers: &mut Answers) {
    let network = &repository.network;
    for ingress in &network.ingresses {
        if ingress.tls || network.default_certificate {
            answers.holds();
            continue;
        }
        let message = "its hosts are served without a certificate of their own".to_owned();
        let remedy = "list the hosts under tls, with a Secret of cert-manager";
        let problem = Problem::at(ingress.field.as_str().to_owned(), message, remedy);
        answers.fails(&ingress.identity, problem.severe(Severity::Low));
    }
    for gateway in &network.gateways {
        judge_gateway(gateway, &network.routes, answers);
    }
}

fn judge_gateway(gateway: &Gateway, routes: &[Route], answers: &mut Answers) {
    let subject = &gateway.identity.subject;
    let key = ObjectKey::new(subject.namespace.as_str(), subject.name.as_str());
    let mut fine = routes.iter().any(|route| route.parents.iter().any(|(parent, _)| *parent == key));
    let has_tls = gateway.listeners.iter().any(|listener| listener.protocol == Protocol::Tls);
    for (index, listener) in gateway.listeners.iter().enumerate().filter(|(_, it)| it.protocol == Protocol::Plain) {
        let served: Vec<&Route> =
            routes.iter().filter(|route| !route.redirects && serves(listener, &key, route)).collect();
        let Some(first) = served.first() else { continue };
        fine = false;
        let (count, example) = (served.len(), &first.identity.subject);
        let (noun, such) = if count == 1 { ("route", ":") } else { ("routes", ", such as") };
        let message = format!("listener {} serves {count} {noun} without TLS{such} {example}", listener.name);
        let (severity, remedy) = match has_tls {
            true => (Severity::Low, "set sectionName of those routes to the listener with TLS, and redirect here"),
            false => (Severity::Medium, "add a listener with protocol HTTPS and a certificate, and redirect here"),
        };
        let problem = Problem::at(format!("spec.listeners[{index}]"), message, remedy);
        answers.fails(&gateway.identity, problem.severe(severity));
    }
    if fine {
        answers.holds();
    }
}

/// Whether a listener serves a route: it is named, or none is and the route's namespace is allowed.
fn serves(listener: &Listener, gateway: &ObjectKey, route: &Route) -> bool {
    let allowed = match listener.serves {
        Serves::All => true,
        Serves::Same => route.identity.subject.namespace == gateway.namespace,
        Serves::Selected => false,
    };
    let wanted = |section: &Option<_>| section.as_ref().is_none_or(|name| *name == listener.name);
    allowed && route.parents.iter().any(|(parent, section)| parent == gateway && wanted(section))
}
