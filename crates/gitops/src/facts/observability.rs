//! Alerts, what collects metrics, objectives, traces and the store of logs.

use holdfast_model::repository::{Alerts, LogStore, Monitor, Observability, Retention, Tracer};

use super::identity::identity;
use crate::{Node, Object};

/// Adds what an object says.
pub(super) fn read(object: &Object, facts: &mut Observability) {
    match (object.group(), object.kind.as_str()) {
        ("monitoring.coreos.com", "PrometheusRule") => read_rules(object, "PrometheusRule", facts),
        ("operator.victoriametrics.com", "VMRule") => read_rules(object, "VMRule", facts),
        ("monitoring.coreos.com", "Prometheus") => facts.monitors.push(resource(object, "Prometheus")),
        ("monitoring.coreos.com", "Alertmanager") => facts.monitors.push(resource(object, "Alertmanager")),
        ("operator.victoriametrics.com", "VMAlertmanager") => {
            facts.monitors.push(Monitor { what: "Alertmanager", ..resource(object, "VMAlertmanager") });
        }
        ("sloth.slok.dev", "PrometheusServiceLevel") | ("pyrra.dev", "ServiceLevelObjective") => facts.objectives += 1,
        ("monitoring.coreos.com", "AlertmanagerConfig") | ("operator.victoriametrics.com", "VMAlertmanagerConfig") => {
            facts.receivers += 1;
        }
        ("gateway.envoyproxy.io", "EnvoyProxy") => {
            let keys = ["samplingRate", "samplingFraction"];
            facts.tracers.extend(tracer(object, "EnvoyProxy", &["spec", "telemetry", "tracing"], &keys));
        }
        ("opentelemetry.io", "Instrumentation") => {
            facts.tracers.extend(tracer(object, "Instrumentation", &["spec"], &["sampler"]));
        }
        ("helm.toolkit.fluxcd.io", "HelmRelease") => read_values(object, facts),
        (_, _) => {}
    }
}

fn read_rules(object: &Object, kind: &'static str, facts: &mut Observability) {
    let groups = object.root.at(&["spec", "groups"]).map_or(&[][..], Node::items);
    let mut alerts = Alerts { identity: identity(object, kind), total: 0, without_severity: Vec::new() };
    let mut burns = object.name.contains("slo");
    for (group_index, group) in groups.iter().enumerate() {
        // Since Prometheus 3 a group can give labels to all its rules.
        let given = group.at(&["labels", "severity"]).is_some();
        for (index, rule) in group.get("rules").map_or(&[][..], Node::items).iter().enumerate() {
            let name = |key: &str| rule.get(key).and_then(Node::as_str).unwrap_or_default();
            let lower = format!("{} {}", name("alert"), name("record")).to_ascii_lowercase();
            burns |=
                ["burnrate", "burn_rate", "errorbudget", "error_budget", "slo:"].iter().any(|it| lower.contains(it));
            if rule.get("alert").is_none() {
                continue;
            }
            alerts.total += 1;
            if !given && rule.at(&["labels", "severity"]).is_none() {
                let field = format!("spec.groups[{group_index}].rules[{index}].alert");
                alerts.without_severity.push((name("alert").into(), field.into()));
            }
        }
    }
    facts.objectives += usize::from(burns);
    if 0 < alerts.total {
        facts.alerts.push(alerts);
    }
}

fn replicas(node: Option<&Node>) -> u32 {
    node.and_then(Node::as_integer).and_then(|count| u32::try_from(count).ok()).unwrap_or(1)
}

fn resource(object: &Object, kind: &'static str) -> Monitor {
    let count = object.root.at(&["spec", "replicas"]);
    let field = if count.is_some() { "spec.replicas" } else { "spec" };
    Monitor {
        identity: identity(object, kind),
        what: kind,
        field: field.into(),
        replicas: replicas(count),
        receives: receives(object.root.get("spec")),
        mute: false,
    }
}

fn tracer(object: &Object, kind: &'static str, path: &[&str], keys: &[&str]) -> Option<Tracer> {
    let tracing = object.root.at(path)?;
    let sampled = keys.iter().any(|key| tracing.get(key).is_some());
    Some(Tracer { identity: identity(object, kind), field: path.join(".").into(), sampled })
}

fn read_values(object: &Object, facts: &mut Observability) {
    let Some(values) = object.root.at(&["spec", "values"]) else { return };
    // kube-prometheus-stack is known by the specs of its two resources.
    for (what, part, spec) in
        [("Prometheus", "prometheus", "prometheusSpec"), ("Alertmanager", "alertmanager", "alertmanagerSpec")]
    {
        let Some(stack) = values.get(part).filter(|stack| stack.get(spec).is_some()) else { continue };
        if stack.get("enabled").and_then(Node::as_bool) == Some(false) {
            continue;
        }
        let count = stack.at(&[spec, "replicas"]);
        let field = format!("spec.values.{part}.{spec}{}", if count.is_some() { ".replicas" } else { "" });
        facts.monitors.push(Monitor {
            identity: identity(object, "HelmRelease"),
            what,
            field: field.into(),
            replicas: replicas(count),
            receives: receives(stack.get(spec)),
            mute: stack.at(&["config", "receivers"]).is_some_and(|receivers| receivers.items().iter().all(is_mute)),
        });
    }
    facts.api_server_objective |= has_api_server_objective(values);
    facts.log_stores.extend(loki(object, values));
}

/// Whether a Prometheus takes what others write to it.
fn receives(spec: Option<&Node>) -> bool {
    spec.and_then(|spec| spec.get("enableRemoteWriteReceiver")).and_then(Node::as_bool) == Some(true)
}

/// A receiver that has a name and nothing that it sends to, such as the chart's own `null`.
fn is_mute(receiver: &Node) -> bool {
    receiver.entries().all(|entry| entry.key == "name" || entry.value.items().is_empty())
}

/// By default the stack makes rules about the burn rate of the API server's error budget (`kube-apiserver-slos`, read in 88.5.3).
fn has_api_server_objective(values: &Node) -> bool {
    let is_stack = values.at(&["prometheus", "prometheusSpec"]).is_some();
    let is_off = |path: &[&str]| values.at(path).and_then(Node::as_bool) == Some(false);
    is_stack
        && !is_off(&["kubeApiServer", "enabled"])
        && !is_off(&["defaultRules", "create"])
        && !is_off(&["defaultRules", "rules", "kubeApiserverSlos"])
}

/// Loki's chart is known by its configuration. Loki keeps everything unless its compactor is told to delete; the stores of
/// VictoriaMetrics always have an end.
fn loki(object: &Object, values: &Node) -> Option<LogStore> {
    let loki = values.get("loki")?;
    let known =
        ["storage", "schemaConfig", "limits_config", "commonConfig", "auth_enabled", "structuredConfig", "compactor"];
    if !known.iter().any(|key| loki.get(key).is_some()) {
        return None;
    }
    let either = |path: &[&str]| loki.at(path).or_else(|| loki.get("structuredConfig").and_then(|all| all.at(path)));
    let period = either(&["limits_config", "retention_period"]);
    let bounded =
        period.is_some_and(|period| !matches!(period.as_str(), Some("0" | "0s")) && period.as_integer() != Some(0));
    let deletes = either(&["compactor", "retention_enabled"]).and_then(Node::as_bool) == Some(true);
    let (retention, field) = match (bounded, deletes) {
        (true, true) => (Retention::Limited, "spec.values.loki.limits_config.retention_period"),
        (true, false) => (Retention::NotEnforced, "spec.values.loki.limits_config.retention_period"),
        (false, _) => (Retention::Unlimited, "spec.values.loki"),
    };
    Some(LogStore { identity: identity(object, "HelmRelease"), field: field.into(), retention })
}

#[cfg(test)]
mod tests;
