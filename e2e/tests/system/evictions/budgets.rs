//! Budgets at random: every form of selector and of limit that the API server takes.

use fastrand::Rng;
use serde_json::{Value, json};

/// The spec of the `at`-th budget over pods whose label `app` has one of these values.
pub(super) fn spec(rng: &mut Rng, at: usize, apps: &[String]) -> Value {
    let mut spec = limit(rng);
    if let Some(selector) = selector(rng, at, apps) {
        spec["selector"] = selector;
    }
    match rng.u8(..4) {
        0 => spec["unhealthyPodEvictionPolicy"] = json!("IfHealthyBudget"),
        1 => spec["unhealthyPodEvictionPolicy"] = json!("AlwaysAllow"),
        _ => {}
    }
    spec
}

fn limit(rng: &mut Rng) -> Value {
    let share = |rng: &mut Rng| json!(format!("{}%", [0, 1, 20, 25, 30, 33, 50, 51, 75, 99, 100][rng.usize(..11)]));
    match rng.u8(..9) {
        0..=2 => json!({ "maxUnavailable": rng.u8(..4) }),
        3..=4 => json!({ "maxUnavailable": share(rng) }),
        5..=6 => json!({ "minAvailable": rng.u8(..5) }),
        7 => json!({ "minAvailable": share(rng) }),
        _ => json!({}),
    }
}

/// Mostly one workload and each another, since a pod under two budgets tells nothing else.
fn selector(rng: &mut Rng, at: usize, apps: &[String]) -> Option<Value> {
    let (one, other) = (&apps[at % apps.len()], &apps[rng.usize(..apps.len())]);
    let expression = |key: &str, operator: &str| json!({ "key": key, "operator": operator });
    let with = |key: &str, operator: &str, values: Value| json!({ "key": key, "operator": operator, "values": values });
    Some(match rng.u8(..40) {
        1..=18 => json!({ "matchLabels": { "app": one } }),
        19..=23 => json!({ "matchLabels": { "app": one, "tier": "a" } }),
        24..=26 => json!({ "matchExpressions": [with("app", "In", json!([one, other]))] }),
        27..=30 => json!({ "matchLabels": { "app": one }, "matchExpressions": [with("tier", "NotIn", json!(["a"]))] }),
        31..=33 => json!({ "matchLabels": { "app": one }, "matchExpressions": [expression("tier", "Exists")] }),
        34..=36 => json!({ "matchLabels": { "app": one }, "matchExpressions": [expression("tier", "DoesNotExist")] }),
        37 => json!({ "matchLabels": { "tier": "" } }),
        38 => json!({ "matchExpressions": [expression("app", "Exists"), with("app", "NotIn", json!([one, other]))] }),
        39 => json!({}),
        _ => return None,
    })
}

/// The label `tier`, which some have and some leave empty.
pub(super) fn tier(rng: &mut Rng) -> Option<&'static str> {
    [None, None, Some("a"), Some("b"), Some("")][rng.usize(..5)]
}
