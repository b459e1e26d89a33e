//! The controllers of app-template, and their budgets.

use super::{App, naming, pod};
use crate::Node;
use crate::helm::fields::{Fields, list, object as object_of};
use crate::helm::values::is_empty;
use crate::node::Entry;

/// The workload that a controller makes.
pub(super) fn object(app: &App<'_>, entry: &Entry) -> Option<Node> {
    let name = naming::resource(app, &entry.key, &entry.value, app.controllers.len());
    let metadata = app.metadata(name, &entry.value, Some(entry));
    let kind = entry.value.get("type").and_then(Node::as_str).filter(|kind| !kind.is_empty()).unwrap_or("deployment");
    let (api_version, kind, spec) = match kind {
        "deployment" => ("apps/v1", "Deployment", deployment(app, entry)),
        "statefulset" => ("apps/v1", "StatefulSet", stateful_set(app, entry)),
        "daemonset" => ("apps/v1", "DaemonSet", templated(app, entry)),
        "cronjob" => ("batch/v1", "CronJob", cron_job(app, entry)),
        "job" => ("batch/v1", "Job", job(app, entry)),
        _ => return None,
    };
    Some(object_of(entry.at, api_version, kind, metadata).with("spec", spec.node()).node())
}

fn deployment(app: &App<'_>, entry: &Entry) -> Fields {
    let strategy = strategy(app, entry, "Recreate");
    replicas(templated(app, entry), entry).with("strategy", strategy)
}

fn stateful_set(app: &App<'_>, entry: &Entry) -> Fields {
    let fields = replicas(templated(app, entry), entry).with("updateStrategy", strategy(app, entry, "RollingUpdate"));
    let claims = entry.value.at(&["statefulset", "volumeClaimTemplates"]).filter(|claims| !is_empty(claims));
    let claims = claims.map(|claims| {
        let templates = claims.items().iter().map(|claim| {
            let metadata = Fields::at(claim.origin).with_some("name", claim.get("name").cloned());
            Fields::at(claim.origin).with("metadata", metadata.node()).node()
        });
        list(claims.origin, templates)
    });
    fields.text("serviceName", app.fullname.clone()).with_some("volumeClaimTemplates", claims)
}

/// One, unless given; a null leaves it to an autoscaler.
fn replicas(fields: Fields, entry: &Entry) -> Fields {
    match entry.value.get("replicas") {
        Some(given) if given.is_null() => fields,
        Some(given) => fields.with("replicas", given.clone()),
        None => fields.number("replicas", 1),
    }
}

fn strategy(app: &App<'_>, entry: &Entry, default: &str) -> Node {
    let given = entry.value.get("strategy").filter(|given| !is_empty(given)).cloned();
    let kind = given.as_ref().and_then(Node::as_str).unwrap_or(default).to_owned();
    let limits = entry.value.get("rollingUpdate").filter(|_| kind == "RollingUpdate").and_then(|given| {
        let fields = Fields::at(given.origin)
            .with_some("maxUnavailable", given.get("unavailable").or_else(|| given.get("maxUnavailable")).cloned())
            .with_some("maxSurge", given.get("surge").or_else(|| given.get("maxSurge")).cloned());
        fields.some()
    });
    let fields = Fields::at(app.at());
    let fields = match given {
        Some(given) => fields.with("type", given),
        None => fields.text("type", default),
    };
    fields.with_some("rollingUpdate", limits).node()
}

fn templated(app: &App<'_>, entry: &Entry) -> Fields {
    let labels = Fields::at(app.at()).with("matchLabels", app.selector_labels(entry));
    Fields::at(entry.at).with("selector", labels.node()).with("template", pod::template(app, entry, None))
}

fn job(app: &App<'_>, entry: &Entry) -> Fields {
    let given = |field: &str| entry.value.at(&["job", field]).cloned();
    Fields::at(entry.at)
        .with_some("suspend", given("suspend"))
        .with_some("backoffLimit", given("backoffLimit"))
        .with_some("parallelism", given("parallelism"))
        .with("template", pod::template(app, entry, Some("Never")))
}

fn cron_job(app: &App<'_>, entry: &Entry) -> Fields {
    let given = |field: &str| entry.value.at(&["cronjob", field]).cloned();
    let inner = Fields::at(entry.at)
        .with_some("backoffLimit", given("backoffLimit"))
        .with_some("parallelism", given("parallelism"))
        .with("template", pod::template(app, entry, Some("Never")));
    let job = Fields::at(entry.at).with("spec", inner.node());
    Fields::at(entry.at)
        .with_some("schedule", given("schedule"))
        .with_some("suspend", given("suspend"))
        .with_some("timeZone", given("timeZone"))
        .with_some("concurrencyPolicy", given("concurrencyPolicy"))
        .with("jobTemplate", job.node())
}

/// Budgets, which each controller has its own of (read in 5.3.0; 4.1.1 knows none).
pub(super) fn budgets(app: &App<'_>) -> Vec<Node> {
    let made = app.controllers.iter().filter_map(|controller| {
        let budget = controller.value.as_mapping()?.entry("podDisruptionBudget").filter(|it| !is_empty(&it.value))?;
        let name = naming::resource(app, &controller.key, &controller.value, app.controllers.len());
        let labels = Fields::at(app.at()).with("matchLabels", app.selector_labels(controller));
        let given = |field: &str| budget.value.get(field).filter(|given| !is_empty(given)).cloned();
        let spec = Fields::at(budget.at)
            .with_some("minAvailable", given("minAvailable"))
            .with_some("maxUnavailable", given("maxUnavailable"))
            .with("selector", labels.node());
        let metadata = app.metadata(name, &budget.value, Some(controller));
        Some(object_of(budget.at, "policy/v1", "PodDisruptionBudget", metadata).with("spec", spec.node()).node())
    });
    made.collect()
}
