//! Charts that nobody here has read, by the conventions of `helm create`.
//!
//! Only what values say outright: a number of replicas, or a budget that is switched on. A chart of which the values say
//! neither makes nothing here, since a guess would be a finding about something that may not exist.

use holdfast_model::shapes::{GUESSED, REPLICAS_VALUE};

use super::fields::{Fields, object};
use super::values::is_empty;
use super::{Release, name};
use crate::{Node, Value};

/// Where charts keep the number of replicas.
const REPLICAS: [&str; 2] = ["replicaCount", "replicas"];

/// Where charts keep a budget.
const BUDGETS: [&str; 2] = ["podDisruptionBudget", "pdb"];

/// Values of which any says that there is more than one workload, or another kind than a Deployment.
const NO_DEPLOYMENT: [&str; 5] = ["kind", "statefulset", "statefulSet", "daemonset", "daemonSet"];

/// What the values say.
pub(super) fn infer(release: &Release<'_>) -> Vec<Node> {
    let Some(chart) = release.chart.as_ref() else { return Vec::new() };
    let given = |key: &&'static str| Some((*key, release.value(&[*key]).filter(|it| it.as_integer().is_some())?));
    let found = REPLICAS.iter().find_map(given);
    let other = NO_DEPLOYMENT.iter().any(|key| release.value(&[key]).is_some_and(|value| !is_empty(value)));
    let Some((key, count)) = found.filter(|_| !other) else { return Vec::new() };
    // A budget whose limit only the chart knows: whatever was said of this workload would be wrong.
    let limit = limit(release);
    if limit.is_none() && has_budget(release) {
        return Vec::new();
    }
    let at = release.at;
    let labels = Fields::at(at)
        .text("app.kubernetes.io/name", name::name(release, &chart.name))
        .text("app.kubernetes.io/instance", release.name.clone())
        .node();
    let metadata = || Fields::at(at).text("name", name::fullname(release, &chart.name)).with("labels", labels.clone());
    let selector = Fields::at(at).with("matchLabels", labels.clone()).node();
    let template = Fields::at(at)
        .with("metadata", Fields::at(at).with("labels", labels.clone()).node())
        .with("spec", pod(release));
    let spec = Fields::at(at)
        .with("replicas", count.clone())
        .with("selector", selector.clone())
        .with("template", template.node());
    let annotations = Fields::at(at).text(GUESSED, "true").text(REPLICAS_VALUE, key).node();
    let workload = metadata().with("annotations", annotations);
    let workload = object(at, "apps/v1", "Deployment", workload).with("spec", spec.node()).node();
    let budget = limit.map(|limit| {
        let spec = limit.with("selector", selector.clone());
        object(at, "policy/v1", "PodDisruptionBudget", metadata()).with("spec", spec.node()).node()
    });
    [workload].into_iter().chain(budget).collect()
}

fn pod(release: &Release<'_>) -> Node {
    let names = ["affinity", "topologySpreadConstraints", "priorityClassName", "nodeSelector", "tolerations"];
    let fields = names.iter().fold(Fields::at(release.at), |fields, name| {
        fields.with_some(name, release.value(&[name]).filter(|value| !is_empty(value)).cloned())
    });
    fields.node()
}

/// Whether a budget is switched on.
fn has_budget(release: &Release<'_>) -> bool {
    BUDGETS.iter().filter_map(|key| release.value(&[key])).any(is_on)
}

fn is_on(budget: &Node) -> bool {
    ["enabled", "create"].iter().any(|key| budget.get(key).and_then(Node::as_bool) == Some(true))
}

/// The limit of a budget that is switched on and says one.
fn limit(release: &Release<'_>) -> Option<Fields> {
    let given = BUDGETS.iter().find_map(|key| release.value(&[key]))?;
    let limit = |key: &str| given.get(key).filter(|limit| is_amount(limit)).cloned();
    let fields = Fields::at(given.origin);
    let fields = match (limit("maxUnavailable"), limit("minAvailable")) {
        (Some(most), _) => fields.with("maxUnavailable", most),
        (None, Some(least)) => fields.with("minAvailable", least),
        (None, None) => return None,
    };
    is_on(given).then_some(fields)
}

fn is_amount(node: &Node) -> bool {
    match &node.value {
        Value::Integer(_) => true,
        Value::String(text) => text.ends_with('%'),
        Value::Null | Value::Bool(_) | Value::Float(_) | Value::Sequence(_) | Value::Mapping(_) => false,
    }
}
