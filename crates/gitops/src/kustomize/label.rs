//! `labels`, `commonLabels` and `commonAnnotations`: pairs in metadata, templates and selectors.

use super::collection::Collection;
use super::field_spec::{FieldSpec, Leaf, NotAContainer};
use super::file::Label;
use super::problem::{ProblemKind, Problems};
use crate::node::Entry;
use crate::{Node, Value};

/// Adds labels to all objects.
pub(super) fn add_labels(collection: &mut Collection, label: &Label, problems: &mut Problems) {
    let fixed: &[&[FieldSpec]] = match (label.selectors, label.templates) {
        (true, _) => &[SELECTORS, TEMPLATES, METADATA],
        (false, true) => &[TEMPLATES, METADATA],
        (false, false) => &[METADATA],
    };
    if label.pairs.is_empty() {
        return;
    }
    let specs: Vec<&FieldSpec> = label.fields.iter().chain(fixed.iter().copied().flatten()).collect();
    add(collection, &label.pairs, &specs, problems);
}

/// Adds annotations to all objects.
pub(super) fn add_annotations(collection: &mut Collection, pairs: &[Entry], problems: &mut Problems) {
    if pairs.is_empty() {
        return;
    }
    add(collection, pairs, &ANNOTATIONS.iter().collect::<Vec<_>>(), problems);
}

/// Adds pairs to a field of the metadata of all objects.
pub(super) fn add_to_metadata(
    collection: &mut Collection,
    path: &'static str,
    pairs: &[Entry],
    problems: &mut Problems,
) {
    if !pairs.is_empty() {
        add(collection, pairs, &[&FieldSpec::new("", "", path, true)], problems);
    }
}

fn add(collection: &mut Collection, pairs: &[Entry], specs: &[&FieldSpec], problems: &mut Problems) {
    for resource in &mut collection.list {
        let gvk = resource.gvk();
        for spec in specs.iter().filter(|spec| spec.applies_to(&gvk)) {
            let at = pairs.first().map_or(crate::Origin::NONE, |pair| pair.at);
            let mut set = |node: &mut Node| put_pairs(node, pairs);
            if let Err(NotAContainer(origin)) = spec.visit(&mut resource.root, Leaf::Mapping, at, &mut set) {
                let message = format!("{} is no mapping, so nothing can be added to it", spec.path);
                problems.add(ProblemKind::PatchFails, origin, message);
            }
        }
    }
}

fn put_pairs(node: &mut Node, pairs: &[Entry]) -> Result<(), NotAContainer> {
    let origin = node.origin;
    let Some(mapping) = node.as_mapping_mut() else { return Err(NotAContainer(origin)) };
    for pair in pairs {
        let text = pair.value.text().unwrap_or_default();
        mapping.insert(pair.key.clone(), pair.at, Node::new(Value::String(text), pair.value.origin));
    }
    Ok(())
}

const METADATA: &[FieldSpec] = &[FieldSpec::new("", "", "metadata/labels", true)];

const TEMPLATES: &[FieldSpec] = &[
    FieldSpec::core("ReplicationController", "spec/template/metadata/labels"),
    FieldSpec::new("", "Deployment", "spec/template/metadata/labels", true),
    FieldSpec::new("", "ReplicaSet", "spec/template/metadata/labels", true),
    FieldSpec::new("", "DaemonSet", "spec/template/metadata/labels", true),
    FieldSpec::new("apps", "StatefulSet", "spec/template/metadata/labels", true),
    FieldSpec::new("apps", "StatefulSet", "spec/volumeClaimTemplates[]/metadata/labels", true),
    FieldSpec::new("batch", "Job", "spec/template/metadata/labels", true),
    FieldSpec::new("batch", "CronJob", "spec/jobTemplate/metadata/labels", true),
    FieldSpec::new("batch", "CronJob", "spec/jobTemplate/spec/template/metadata/labels", true),
];

macro_rules! affinity {
    ($kind:literal, $path:literal) => {
        FieldSpec::new("apps", $kind, concat!("spec/template/spec/", $path, "labelSelector/matchLabels"), false)
    };
}

const SELECTORS: &[FieldSpec] = &[
    FieldSpec::core("Service", "spec/selector"),
    FieldSpec::core("ReplicationController", "spec/selector"),
    FieldSpec::new("", "Deployment", "spec/selector/matchLabels", true),
    affinity!("Deployment", "affinity/podAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/"),
    affinity!("Deployment", "affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution/"),
    affinity!(
        "Deployment",
        "affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/"
    ),
    affinity!("Deployment", "affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/"),
    affinity!("Deployment", "topologySpreadConstraints/"),
    FieldSpec::new("", "ReplicaSet", "spec/selector/matchLabels", true),
    FieldSpec::new("", "DaemonSet", "spec/selector/matchLabels", true),
    FieldSpec::new("apps", "StatefulSet", "spec/selector/matchLabels", true),
    affinity!("StatefulSet", "affinity/podAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/"),
    affinity!("StatefulSet", "affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution/"),
    affinity!(
        "StatefulSet",
        "affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/"
    ),
    affinity!("StatefulSet", "affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/"),
    affinity!("StatefulSet", "topologySpreadConstraints/"),
    FieldSpec::new("batch", "Job", "spec/selector/matchLabels", false),
    FieldSpec::new("batch", "CronJob", "spec/jobTemplate/spec/selector/matchLabels", false),
    FieldSpec::new("policy", "PodDisruptionBudget", "spec/selector/matchLabels", false),
    FieldSpec::new("networking.k8s.io", "NetworkPolicy", "spec/podSelector/matchLabels", false),
    FieldSpec::new("networking.k8s.io", "NetworkPolicy", "spec/ingress/from/podSelector/matchLabels", false),
    FieldSpec::new("networking.k8s.io", "NetworkPolicy", "spec/egress/to/podSelector/matchLabels", false),
];

const ANNOTATIONS: &[FieldSpec] = &[
    FieldSpec::new("", "", "metadata/annotations", true),
    FieldSpec::core("ReplicationController", "spec/template/metadata/annotations"),
    FieldSpec::new("", "Deployment", "spec/template/metadata/annotations", true),
    FieldSpec::new("", "ReplicaSet", "spec/template/metadata/annotations", true),
    FieldSpec::new("", "DaemonSet", "spec/template/metadata/annotations", true),
    FieldSpec::new("", "StatefulSet", "spec/template/metadata/annotations", true),
    FieldSpec::new("batch", "Job", "spec/template/metadata/annotations", true),
    FieldSpec::new("batch", "CronJob", "spec/jobTemplate/metadata/annotations", true),
    FieldSpec::new("batch", "CronJob", "spec/jobTemplate/spec/template/metadata/annotations", true),
];
