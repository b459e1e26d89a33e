//! HelmReleases, as they are after the patches of their parents.

use holdfast_model::repository::{Action, Chart, Release};

use super::{DEPTH, depends_on, field, source, text};
use crate::facts::identity::identity;
use crate::{Node, Object};

pub(super) fn read(object: &Object) -> Release {
    let drift = text(field(object, "driftDetection"), "mode");
    let test = field(object, "test").and_then(|test| test.get("enable")).and_then(Node::as_bool);
    let values = field(object, "values");
    Release {
        identity: identity(object, "HelmRelease"),
        interval: field(object, "interval").is_some(),
        chart: chart(object),
        install: action(object, "install"),
        upgrade: action(object, "upgrade"),
        drift_detection: drift.is_some_and(|mode| mode != "disabled"),
        tests: test.unwrap_or(false),
        depends_on: depends_on(object),
        values_from: field(object, "valuesFrom").is_some_and(|from| !from.items().is_empty()),
        names_priority: values.is_some_and(|values| names_priority(values, DEPTH)),
    }
}

fn action(object: &Object, key: &str) -> Action {
    let action = field(object, key);
    let strategy = action.and_then(|action| action.get("strategy"));
    let remediation = action.and_then(|action| action.get("remediation"));
    let retries = remediation.and_then(|remediation| remediation.get("retries")).and_then(Node::as_integer);
    Action {
        // Negative means for ever.
        remediates: retries.is_some_and(|retries| retries != 0),
        strategy: text(strategy, "name").map(Into::into),
        crds: text(action, "crds").map(Into::into),
    }
}

fn chart(object: &Object) -> Chart {
    if let Some(reference) = field(object, "chartRef") {
        return Chart::Referenced(source::reference(reference, object));
    }
    let Some(spec) = field(object, "chart").and_then(|chart| chart.get("spec")) else { return Chart::Missing };
    Chart::Named {
        name: text(Some(spec), "chart").unwrap_or_default().into(),
        version: text(Some(spec), "version").map(Into::into),
        source: spec.get("sourceRef").map(|reference| source::reference(reference, object)),
        verified: spec.get("verify").is_some_and(|verify| !verify.is_null()),
    }
}

fn names_priority(node: &Node, depth: usize) -> bool {
    let Some(deeper) = depth.checked_sub(1) else { return false };
    let named = |key: &str, value: &Node| {
        matches!(key, "priorityClassName" | "priorityClass") && value.as_str().is_some_and(|name| !name.is_empty())
    };
    node.items().iter().any(|item| names_priority(item, deeper))
        || node.entries().any(|entry| named(&entry.key, &entry.value) || names_priority(&entry.value, deeper))
}
