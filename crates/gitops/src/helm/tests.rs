//! What HelmReleases come to.

use holdfast_model::Confidence;

use super::{Expanded, HelmMode, HelmOptions, charts, expand, known};
use crate::checkout::Tree;
use crate::raw::unpacked;
use crate::yaml::{Limits, parse};
use crate::{FileId, Node, Object, flux};

/// The objects that these documents come to; all stand in one file.
pub(crate) fn objects(text: &str) -> Vec<Object> {
    let parsed = parse(FileId::new(0).unwrap(), text.as_bytes(), &Limits::default());
    assert_eq!(parsed.error, None);
    parsed.documents.iter().flat_map(unpacked).filter_map(|root| flux::object(root.clone(), None)).collect()
}

fn release(chart: &str, values: &str) -> String {
    let indented: String = values.lines().map(|line| format!("    {line}\n")).collect();
    format!(
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata:\n  name: web\n  namespace: shop\nspec:\n  chart: {{spec: {{chart: {chart}, version: 1.2.3}}}}\n  values:\n{indented}"
    )
}

fn inferred(text: &str) -> Expanded {
    let options = HelmOptions { mode: HelmMode::Never, ..HelmOptions::default() };
    let objects = objects(text);
    expand(&Tree::default(), &objects, &known(&objects), &options).into_iter().next().expect("a release")
}

/// `Kind namespace/name` of each object, and what stands at some paths of the first.
#[track_caller]
fn check(chart: &str, values: &str, made: &[&str], fields: &[(&str, &str)]) -> Vec<Object> {
    let expanded = inferred(&release(chart, values));
    let names: Vec<String> =
        expanded.objects.iter().map(|it| format!("{} {}/{}", it.kind, it.namespace, it.name)).collect();
    assert_eq!(names, made);
    assert!(expanded.objects.iter().all(|object| object.confidence == Confidence::Inferred));
    for (field, value) in fields {
        let whole = expanded.objects[0].whole();
        let found = whole.find(field);
        let text = if found.complete { found.node.to_json().to_string() } else { "nothing".to_owned() };
        assert_eq!(text, *value, "{field}");
    }
    expanded.objects
}

const APP: &str =
    "controllers:\n  web:\n    containers:\n      app:\n        image: {repository: ghcr.io/x/y, tag: v1}\n";

#[test]
fn an_app_has_one_replica_and_is_recreated_unless_told_otherwise() {
    check(
        "app-template",
        APP,
        &["Deployment shop/web"],
        &[
            ("spec.replicas", "1"),
            ("spec.strategy.type", "\"Recreate\""),
            ("spec.selector.matchLabels[app.kubernetes.io/controller]", "\"web\""),
            ("spec.template.metadata.labels[app.kubernetes.io/instance]", "\"web\""),
            ("spec.template.spec.containers[0].image", "\"ghcr.io/x/y:v1\""),
            ("metadata.labels[helm.toolkit.fluxcd.io/name]", "\"web\""),
        ],
    );
}

#[test]
fn a_field_stands_where_its_value_was_written() {
    let made =
        check("app-template", &format!("{APP}    replicas: 3\n"), &["Deployment shop/web"], &[("spec.replicas", "3")]);
    let origin = |field: &str| made[0].root.find(field).origin.line();
    // The values begin on the ninth line.
    assert_eq!(origin("spec.replicas"), 14);
    assert_eq!(origin("spec.template.spec.containers[0].image"), 13);
    assert_eq!(origin("metadata.name"), 4);
}

#[test]
fn several_controllers_have_their_identifier_in_their_names() {
    let values = "controllers:\n  web: {containers: {app: {image: {repository: a, tag: b}}}}\n  worker: {type: statefulset, replicas: 2, containers: {app: {image: {repository: a, tag: b}}}}\n  off: {enabled: false}\n  nightly: {type: cronjob, cronjob: {schedule: '@daily'}, containers: {app: {image: {repository: a, tag: b}}}}\n";
    check(
        "app-template",
        values,
        &["CronJob shop/web-nightly", "Deployment shop/web", "StatefulSet shop/web-worker"],
        &[],
    );
}

#[test]
fn claims_are_made_and_mounted_where_they_are_asked_for() {
    let values = format!(
        "{APP}  side: {{containers: {{app: {{image: {{repository: a, tag: b}}}}}}}}\npersistence:\n  data: {{size: 1Gi, accessMode: ReadWriteOnce, advancedMounts: {{web: {{app: [{{path: /data}}]}}}}}}\n  media: {{type: nfs, server: nas, path: /media}}\n  config: {{existingClaim: '{{{{ .Release.Name }}}}-config'}}\n"
    );
    let made = check(
        "app-template",
        &values,
        &["Deployment shop/web-side", "Deployment shop/web", "PersistentVolumeClaim shop/web"],
        &[("spec.template.spec.volumes[0].persistentVolumeClaim.claimName", "\"web-config\"")],
    );
    let text = |object: &Object, field: &str| object.root.find(field).node.as_str().map(str::to_owned);
    let web = |field: &str| text(&made[1], &format!("spec.template.spec.{field}"));
    assert_eq!(web("volumes[1].persistentVolumeClaim.claimName").as_deref(), Some("web"));
    assert_eq!(web("volumes[2].name").as_deref(), Some("media"));
    assert_eq!(web("containers[0].volumeMounts[1].mountPath").as_deref(), Some("/data"));
    assert_eq!(made[0].root.find("spec.template.spec.volumes").node.items().len(), 2);
}

#[test]
fn containers_come_by_name_each_after_what_it_depends_on() {
    let container = |more: &str| format!("{{image: {{repository: a, tag: b}}{more}}}");
    let values = format!(
        "controllers:\n  web:\n    containers:\n      web: {}\n      app: {}\n      cache: {}\n",
        container(""),
        container(", dependsOn: web"),
        container(", dependsOn: [app]")
    );
    let name = |at: usize| format!("spec.template.spec.containers[{at}].name");
    let (first, second, third) = (name(0), name(1), name(2));
    let named = [(&*first, "\"web\""), (&*second, "\"app\""), (&*third, "\"cache\"")];
    check("app-template", &values, &["Deployment shop/web"], &named);
}

#[test]
fn pod_options_of_a_controller_win_over_those_of_all() {
    let values = format!(
        "defaultPodOptions:\n  priorityClassName: low\n  hostNetwork: true\n  labels: {{tier: x}}\n{APP}    pod: {{priorityClassName: high}}\n"
    );
    check(
        "app-template",
        &values,
        &["Deployment shop/web"],
        &[
            ("spec.template.spec.priorityClassName", "\"high\""),
            ("spec.template.spec.hostNetwork", "true"),
            ("spec.template.metadata.labels.tier", "\"x\""),
        ],
    );
}

#[test]
fn a_probe_goes_to_the_port_of_the_service_unless_it_says_its_own() {
    let values = "controllers:\n  web:\n    containers:\n      app:\n        image: {repository: a, tag: b}\n        probes:\n          liveness: {enabled: true}\n          readiness: {enabled: true, custom: true, spec: {httpGet: {path: /z, port: 1}}}\n          startup: {enabled: false}\nservice:\n  app: {ports: {http: {port: 8080}}}\n";
    check(
        "app-template",
        values,
        &["Deployment shop/web", "Service shop/web"],
        &[
            ("spec.template.spec.containers[0].livenessProbe.tcpSocket.port", "8080"),
            ("spec.template.spec.containers[0].readinessProbe.httpGet.path", "\"/z\""),
            ("spec.template.spec.containers[0].startupProbe", "nothing"),
        ],
    );
}

#[test]
fn a_budget_of_an_app_selects_its_pods() {
    let values = format!("{APP}    podDisruptionBudget: {{minAvailable: 1}}\n");
    let made = check("app-template", &values, &["Deployment shop/web", "PodDisruptionBudget shop/web"], &[]);
    assert_eq!(made[1].root.find("spec.minAvailable").origin.line(), 14);
    let selector = |object: &Object, path: &str| object.root.find(path).node.clone();
    assert_eq!(selector(&made[1], "spec.selector"), selector(&made[0], "spec.selector"));
}

#[test]
fn a_chart_of_the_table_has_its_own_replicas_and_labels() {
    check(
        "cert-manager",
        "webhook: {replicaCount: 2, podDisruptionBudget: {enabled: true}}",
        &[
            "Deployment shop/web-cert-manager",
            "Deployment shop/web-cert-manager-webhook",
            "PodDisruptionBudget shop/web-cert-manager-webhook",
            "Deployment shop/web-cert-manager-cainjector",
        ],
        &[
            ("spec.replicas", "1"),
            ("spec.template.metadata.labels.app", "\"cert-manager\""),
            ("spec.template.spec.containers", "nothing"),
        ],
    );
}

#[test]
fn a_chart_of_the_table_says_where_its_replicas_are_given_and_takes_a_strategy() {
    let made = check(
        "cert-manager",
        "webhook: {timeoutSeconds: 5}\nstrategy: {type: Recreate}",
        &[
            "Deployment shop/web-cert-manager",
            "Deployment shop/web-cert-manager-webhook",
            "Deployment shop/web-cert-manager-cainjector",
        ],
        &[("spec.strategy.type", "\"Recreate\"")],
    );
    let said = |index: usize| {
        let object: &Object = &made[index];
        let value = object.root.at(&["metadata", "annotations", "holdfast.dev/replicas-value"]);
        let at = object.root.find("spec.replicas").origin;
        (value.and_then(Node::as_str).unwrap_or_default(), at.line(), at.column())
    };
    assert_eq!(said(0).0, "replicaCount");
    let (value, line, column) = said(1);
    assert_eq!((value, column), ("webhook.replicaCount", 5));
    // Its own key isn't there, so the values are.
    assert_eq!(said(2), ("cainjector.replicaCount", line - 1, 3));
}

#[test]
fn an_unknown_chart_makes_only_what_its_values_say_outright() {
    check("unheard-of", "image: {tag: x}", &[], &[]);
    check(
        "unheard-of",
        "replicaCount: 2\npodDisruptionBudget: {enabled: true, minAvailable: 50%}",
        &["Deployment shop/web-unheard-of", "PodDisruptionBudget shop/web-unheard-of"],
        &[("spec.replicas", "2")],
    );
    check("unheard-of", "replicaCount: 2\nstatefulSet: {enabled: true}", &[], &[]);
    check("unheard-of", "replicaCount: 2\npodDisruptionBudget: {enabled: true}", &[], &[]);
}

#[test]
fn a_chart_is_found_behind_its_reference() {
    let source = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\nmetadata: {name: repo, namespace: shop}\nspec: {url: 'oci://ghcr.io/x/app-template', ref: {tag: 4.1.1}}\n---\n";
    let text = release("x", APP)
        .replace("chart: {spec: {chart: x, version: 1.2.3}}", "chartRef: {kind: OCIRepository, name: repo}");
    let text = format!("{source}{text}");
    let objects = objects(&text);
    let charts = charts(&objects, &known(&objects));
    assert_eq!(charts.into_iter().collect::<Vec<_>>(), [(1, "app-template@4.1.1".into())]);
    assert_eq!(inferred(&text).objects.len(), 1);
}

#[test]
fn a_target_namespace_is_where_objects_go_and_part_of_the_name() {
    let text = release("cloudnative-pg", "{}").replace("spec:\n", "spec:\n  targetNamespace: other\n");
    let expanded = inferred(&text);
    assert_eq!(expanded.namespace, "other");
    assert_eq!(
        format!("{}/{}", expanded.objects[0].namespace, expanded.objects[0].name),
        "other/other-web-cloudnative-pg"
    );
}

#[test]
fn post_renderers_change_what_was_inferred() {
    let patch = "  postRenderers:\n  - kustomize:\n      patches:\n      - target: {kind: Deployment}\n        patch: |\n          - {op: replace, path: /spec/replicas, value: 5}\n  values:\n";
    let text = release("cloudnative-pg", "{}").replace("  values:\n", patch);
    let expanded = inferred(&text);
    assert_eq!(expanded.objects[0].root.at(&["spec", "replicas"]).and_then(Node::as_integer), Some(5));
}
