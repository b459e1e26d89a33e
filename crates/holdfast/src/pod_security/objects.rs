//! The objects in documents that have pods, those in lists too, and where the pod stands in each.

use holdfast_gitops::Node;

/// A kind with pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    /// Its name.
    pub(super) name: &'static str,
    group: &'static str,
    /// Where the pod stands.
    pub(super) pod: &'static [&'static str],
    /// The same as the beginning of a path.
    pub(super) pod_at: &'static str,
}

const fn kind(name: &'static str, group: &'static str, pod: &'static [&'static str], pod_at: &'static str) -> Kind {
    Kind { name, group, pod, pod_at }
}

const TEMPLATE: &[&str] = &["spec", "template"];
const TEMPLATE_AT: &str = "spec.template.";

const KINDS: [Kind; 9] = [
    kind("Pod", "", &[], ""),
    kind("PodTemplate", "", &["template"], "template."),
    kind("ReplicationController", "", TEMPLATE, TEMPLATE_AT),
    kind("ReplicaSet", "apps", TEMPLATE, TEMPLATE_AT),
    kind("Deployment", "apps", TEMPLATE, TEMPLATE_AT),
    kind("StatefulSet", "apps", TEMPLATE, TEMPLATE_AT),
    kind("DaemonSet", "apps", TEMPLATE, TEMPLATE_AT),
    kind("Job", "batch", TEMPLATE, TEMPLATE_AT),
    kind("CronJob", "batch", &["spec", "jobTemplate", "spec", "template"], "spec.jobTemplate.spec.template."),
];

/// An object with pods.
#[derive(Clone, Copy, Debug)]
pub(super) struct Object<'a> {
    pub(super) kind: Kind,
    pub(super) root: &'a Node,
}

/// Those in these documents, in their order.
pub(super) fn in_documents(documents: &[Node]) -> Vec<Object<'_>> {
    let mut found = Vec::new();
    documents.iter().for_each(|document| collect(document, None, &mut found));
    found
}

/// The items of a list needn't say what they are when the list does.
fn collect<'a>(root: &'a Node, listed: Option<&str>, found: &mut Vec<Object<'a>>) {
    let text = |field: &str| root.get(field).and_then(Node::as_str);
    let Some(kind) = text("kind").or(listed) else { return };
    if let (Some(items), Some(of)) = (root.get("items"), kind.strip_suffix("List")) {
        let of = Some(of).filter(|of| !of.is_empty());
        return items.items().iter().for_each(|item| collect(item, of, found));
    }
    let group = text("apiVersion").map(|version| version.split_once('/').map_or("", |(group, _)| group));
    // Deployments and their like were in `extensions` before they were in `apps`.
    let is_of = |known: &&Kind| group.is_none_or(|group| group == known.group || group == "extensions");
    let known = KINDS.iter().filter(|known| known.name == kind).find(is_of);
    found.extend(known.map(|kind| Object { kind: *kind, root }));
}

#[cfg(test)]
mod tests {
    use holdfast_gitops::FileId;
    use holdfast_gitops::yaml::{Dialect, Limits, parse_as};

    use super::*;

    #[track_caller]
    fn check(text: &str, kinds: &[&str]) {
        let parsed = parse_as(Dialect::Kubernetes, FileId::NONE, text.as_bytes(), &Limits::default());
        assert_eq!(parsed.error, None);
        let found: Vec<_> = in_documents(&parsed.documents).iter().map(|object| object.kind.name).collect();
        assert_eq!(found, kinds);
    }

    #[test]
    fn only_what_has_pods_counts() {
        check("apiVersion: v1\nkind: Pod\n---\napiVersion: v1\nkind: Service\n---\na: b\n---\n- c\n", &["Pod"]);
        check("apiVersion: example.org/v1\nkind: Deployment\n", &[]);
        check("apiVersion: extensions/v1beta1\nkind: Deployment\n", &["Deployment"]);
    }

    #[test]
    fn lists_are_opened() {
        check(
            "apiVersion: v1\nkind: List\nitems: [{apiVersion: batch/v1, kind: Job}, {apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Pod}]}]",
            &["Job", "Pod"],
        );
        check(
            "apiVersion: apps/v1\nkind: DeploymentList\nitems: [{metadata: {name: a}}, {kind: Deployment}]",
            &["Deployment", "Deployment"],
        );
        check("apiVersion: v1\nkind: PodList\nitems: null", &[]);
    }
}
