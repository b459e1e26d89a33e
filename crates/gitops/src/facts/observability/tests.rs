//! Facts of alerts, monitoring, traces and logs, read from objects.

use holdfast_model::repository::{Observability, Retention};

use crate::facts::given::objects;

fn facts(text: &str) -> Observability {
    objects(text).observability
}

fn release(values: &str) -> String {
    format!(
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{ name: web, namespace: shop }}\nspec: {{ values: {values} }}\n"
    )
}

#[test]
fn a_severity_may_come_from_the_group() {
    let without = |groups: &str| {
        let text = format!(
            "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata: {{ name: a, namespace: b }}\nspec: {{ groups: {groups} }}\n"
        );
        let facts = facts(&text);
        facts
            .alerts
            .iter()
            .flat_map(|it| &it.without_severity)
            .map(|(name, field)| format!("{name} {field}"))
            .collect::<Vec<_>>()
    };
    assert_eq!(without("[{ rules: [{ record: a }, { alert: Down }] }]"), ["Down spec.groups[0].rules[1].alert"]);
    assert_eq!(without("[{ labels: { severity: page }, rules: [{ alert: Down }] }]"), [""; 0]);
    assert_eq!(without("[{ rules: [{ alert: Down, labels: { severity: page } }] }]"), [""; 0]);
}

#[track_caller]
fn check_loki(values: &str, expected: Option<Retention>) {
    let stores = facts(&release(values)).log_stores;
    assert_eq!(stores.first().map(|it| it.retention), expected, "{values}");
}

#[test]
fn loki_keeps_everything_unless_its_compactor_deletes() {
    check_loki("{ loki: { storage: {} } }", Some(Retention::Unlimited));
    check_loki("{ loki: { limits_config: { retention_period: 14d } } }", Some(Retention::NotEnforced));
    check_loki(
        "{ loki: { limits_config: { retention_period: 14d }, compactor: { retention_enabled: true } } }",
        Some(Retention::Limited),
    );
    check_loki(
        "{ loki: { limits_config: { retention_period: 0s }, compactor: { retention_enabled: true } } }",
        Some(Retention::Unlimited),
    );
    check_loki("{ loki: { enabled: false } }", None);
    check_loki("{ grafana: {} }", None);
}

#[test]
fn the_stack_has_one_replica_where_nothing_is_said() {
    let monitors =
        facts(&release("{ prometheus: { prometheusSpec: { replicas: 2 } }, alertmanager: { alertmanagerSpec: {} } }"))
            .monitors;
    let said: Vec<_> = monitors.iter().map(|it| (it.what, it.replicas, it.field.as_str())).collect();
    assert_eq!(
        said,
        [
            ("Prometheus", 2, "spec.values.prometheus.prometheusSpec.replicas"),
            ("Alertmanager", 1, "spec.values.alertmanager.alertmanagerSpec"),
        ]
    );
}
