//! The order in which Kustomize prints: by kind, what others need first; or as the objects came.

use super::collection::Collection;
use super::problem::{ProblemKind, Problems};
use super::resource::Resource;
use crate::Node;

const FIRST: [&str; 22] = [
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];
const LAST: [&str; 2] = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

/// Sorts as `sortOptions` say.
pub(super) fn sort(all: &mut Collection, options: Option<&Node>, problems: &mut Problems) {
    let order = options.and_then(|options| options.get("order")).and_then(Node::as_str);
    match (options, order) {
        (Some(_), Some("fifo")) => {}
        (None, _) => sort_by(all, &FIRST, &LAST),
        (Some(options), Some("legacy")) => match options.get("legacySortOptions").filter(|lists| !lists.is_null()) {
            None => sort_by(all, &FIRST, &LAST),
            Some(lists) => {
                let kinds = |field: &str| -> Vec<&str> {
                    lists.get(field).map(Node::items).unwrap_or_default().iter().filter_map(Node::as_str).collect()
                };
                sort_by(all, &kinds("orderFirst"), &kinds("orderLast"));
            }
        },
        (Some(options), Some(_) | None) => {
            problems.add(ProblemKind::Invalid, options.origin, "the order of sortOptions is legacy or fifo");
        }
    }
}

fn sort_by(all: &mut Collection, first: &[&str], last: &[&str]) {
    // What is named twice: last before first, and at the end that is farther out.
    let place = |kinds: &[&str], kind: &str| kinds.iter().rposition(|it| *it == kind).map(|place| place as i64 + 1);
    let rank = |kind: &str| {
        let before =
            |first: &[&str]| first.iter().position(|it| *it == kind).map(|place| place as i64 - first.len() as i64);
        place(last, kind).or_else(|| before(first)).unwrap_or(0)
    };
    all.list.sort_by_cached_key(|resource| (rank(&resource.kind()), key(resource)));
}

/// Group, version and kind, then namespace and name, each with a word for what is absent.
fn key(resource: &Resource) -> (String, String) {
    let id = resource.id();
    let or = |text: &str, absent: &str| if text.is_empty() { absent.to_owned() } else { text.to_owned() };
    let gvk = &id.gvk;
    let kind = format!("{}_{}_{}", or(&gvk.group, "~G"), or(&gvk.version, "~V"), or(&gvk.kind, "~K"));
    (kind, format!("{}|{}", or(&id.namespace, "~X"), or(&id.name, "~N")))
}
