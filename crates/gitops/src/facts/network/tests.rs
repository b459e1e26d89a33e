//! Facts of policies, routes and TLS, read from objects.

use holdfast_model::repository::Network;

use crate::facts::given::objects;

fn network(text: &str) -> Network {
    objects(text).network
}

fn release(values: &str) -> String {
    format!(
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{ name: web, namespace: shop }}\nspec: {{ values: {values} }}\n"
    )
}

#[test]
fn a_chart_that_is_told_to_make_policies_guards_its_namespace() {
    let guarded = |values: &str| network(&release(values)).guarded.len();
    assert_eq!(guarded("{ networkPolicy: { enabled: true } }"), 1);
    assert_eq!(guarded("{ server: { networkPolicy: { enabled: true } } }"), 1);
    assert_eq!(guarded("{ networkpolicies: { main: { controller: main } } }"), 1);
    assert_eq!(guarded("{ networkPolicy: { enabled: false } }"), 0);
    assert_eq!(guarded("{}"), 0);
    assert_eq!(network(&release("{}")).populated.len(), 1);
}

#[test]
fn the_pods_of_a_release_are_where_it_says() {
    let text = release("{}").replace("spec: {", "spec: { targetNamespace: other,");
    let populated = network(&text).populated;
    assert_eq!(populated.iter().map(|it| it.as_str()).collect::<Vec<_>>(), ["other"]);
}

#[track_caller]
fn check_ingress(values: &str, expected: &[(&str, bool)]) {
    let ingresses = network(&release(values)).ingresses;
    let found: Vec<_> = ingresses.iter().map(|it| (it.field.as_str(), it.tls)).collect();
    assert_eq!(found, expected, "{values}");
}

#[test]
fn ingresses_of_charts_are_read_in_both_forms() {
    check_ingress("{ ingress: { enabled: true, hosts: [a] } }", &[("spec.values.ingress", false)]);
    check_ingress("{ ingress: { enabled: true, tls: [{ secretName: a }] } }", &[("spec.values.ingress", true)]);
    check_ingress("{ ingress: { main: { hosts: [a] } } }", &[("spec.values.ingress.main", false)]);
    check_ingress("{ ingress: { main: { enabled: false, hosts: [a] } } }", &[]);
    check_ingress("{ ingress: { enabled: false, hosts: [a] } }", &[]);
    check_ingress("{ ingress: { main: { className: tailscale, hosts: [a] } } }", &[("spec.values.ingress.main", true)]);
}

#[test]
fn a_route_that_only_redirects_is_known_as_one() {
    let route = |rules: &str| {
        let text = format!(
            "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{ name: a, namespace: b }}\nspec: {{ parentRefs: [{{ name: gate }}, {{ kind: Service, name: x }}], rules: {rules} }}\n"
        );
        let route = network(&text).routes.remove(0);
        (route.redirects, route.parents.len(), route.parents[0].0.to_string())
    };
    let redirect = "[{ filters: [{ type: RequestRedirect, requestRedirect: { scheme: https } }] }]";
    assert_eq!(route(redirect), (true, 1, "b/gate".to_owned()));
    assert_eq!(route("[{ backendRefs: [{ name: web }] }]"), (false, 1, "b/gate".to_owned()));
    assert_eq!(route("[]"), (false, 1, "b/gate".to_owned()));
}

#[test]
fn routes_of_app_template_lead_to_gateways() {
    let routes = network(&release(
        "{ route: { app: { hostnames: [a], parentRefs: [{ name: gate, namespace: network, sectionName: https }] } } }",
    ))
    .routes;
    assert_eq!(routes[0].parents[0].0.to_string(), "network/gate");
    assert_eq!(routes[0].parents[0].1.as_deref(), Some("https"));
}
